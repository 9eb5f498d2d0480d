/*
 * The frame halfway between two, on a machine with little memory: raw RGB in, raw RGB out, and one
 * malloc() of a size known beforehand for everything that the library does.
 *
 *     two_frames WIDTH HEIGHT FIRST.rgb SECOND.rgb MIDDLE.rgb [MODEL.safetensors]
 *
 * The files hold WIDTH * HEIGHT pixels of three bytes, as `ffmpeg -pix_fmt rgb24 -f rawvideo` writes
 * them. Without MODEL the installed model is used. One thread, so that no stack is needed beside
 * the block.
 *
 *     cc two_frames.c -o two_frames $(pkg-config --cflags --static --libs dain)
 */
#include <dain/dain.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Packed RGB of 8 bits at p. */
static DainImage packed_rgb(unsigned char *p, int width, int height)
{
    DainImage image;
    memset(&image, 0, sizeof image);
    image.width = width;
    image.height = height;
    image.sample = DAIN_SAMPLE_U8;
    image.step = 3;
    for (int i = 0; i < 3; i++) {
        image.plane[i] = p + i;
        image.stride[i] = (ptrdiff_t)width * 3;
    }
    return image;
}

/* Exactly size bytes, no more and no less; 0 or -1. */
static int read_picture(const char *path, unsigned char *p, size_t size)
{
    FILE *file = fopen(path, "rb");
    const int good = file && fread(p, 1, size, file) == size && fgetc(file) == EOF;
    if (file)
        fclose(file);
    if (!good)
        fprintf(stderr, "two_frames: %s is not a picture of %zu bytes\n", path, size);
    return good ? 0 : -1;
}

static int write_picture(const char *path, const unsigned char *p, size_t size)
{
    FILE *file = fopen(path, "wb");
    int good = file && fwrite(p, 1, size, file) == size;
    if (file && fclose(file))
        good = 0;
    if (!good)
        fprintf(stderr, "two_frames: %s cannot be written\n", path);
    return good ? 0 : -1;
}

/* The work itself: pixels holds the two frames, and room for the third behind them. */
static int interpolate(const DainSettings *settings, unsigned char *pixels, int width, int height)
{
    const size_t size = (size_t)width * height * 3;
    const DainImage first = packed_rgb(pixels, width, height);
    const DainImage second = packed_rgb(pixels + size, width, height);
    const DainImage middle = packed_rgb(pixels + 2 * size, width, height);
    DainContext *dain;
    DainInfo info;
    int error = dain_open(&dain, settings);
    if (error < 0) {
        fprintf(stderr, "two_frames: %s\n", dain_open_error());
        return error;
    }
    if ((error = dain_push(dain, &first)) < 0 || (error = dain_push(dain, &second)) < 0 ||
        (error = dain_interpolate(dain, 1, 2, &middle)) < 0 || (error = dain_info(dain, &info)) < 0)
        fprintf(stderr, "two_frames: %s\n", dain_last_error(dain));
    else
        printf("%s on %s, %.0f multiply-adds a pixel\n", info.precision, info.cpu,
               info.macs_per_pixel);
    dain_close(&dain);
    return error;
}

int main(int argc, char **argv)
{
    if (argc < 6 || argc > 7) {
        fprintf(stderr, "usage: two_frames WIDTH HEIGHT FIRST SECOND MIDDLE [MODEL]\n");
        return 2;
    }
    const int width = atoi(argv[1]), height = atoi(argv[2]);
    DainSettings settings;
    dain_settings_default(&settings);
    settings.threads = 1;
    settings.model = argc > 6 ? argv[6] : NULL;

    size_t needed;
    int error = dain_memory_needed(&settings, width, height, &needed);
    if (error < 0) {
        const char *sentence = dain_open_error();
        fprintf(stderr, "two_frames: %s\n", *sentence ? sentence : dain_strerror(error));
        return 1;
    }
    const size_t size = (size_t)width * height * 3;
    unsigned char *block = malloc(needed + 3 * size);
    if (!block) {
        fprintf(stderr, "two_frames: no block of %zu bytes\n", needed + 3 * size);
        return 1;
    }
    unsigned char *pixels = block + needed;
    printf("%d x %d: %zu bytes for the library, %zu for the pictures\n", width, height, needed,
           3 * size);
    error = read_picture(argv[3], pixels, size);
    if (!error)
        error = read_picture(argv[4], pixels + size, size);
    if (!error)
        error = dain_use_memory(block, needed);
    if (!error)
        error = interpolate(&settings, pixels, width, height);
    if (!error)
        error = write_picture(argv[5], pixels + 2 * size, size);
    dain_use_memory(NULL, 0);
    free(block);
    return error ? 1 : 0;
}
