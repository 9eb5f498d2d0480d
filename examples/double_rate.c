/*
 * Twice the frames of a raw video, from standard input to standard output.
 *
 *     ffmpeg -i in.mp4 -f rawvideo -pix_fmt rgb24 - | double_rate 640 360 |
 *         ffmpeg -f rawvideo -pix_fmt rgb24 -video_size 640x360 -framerate 60 -i - out.mp4
 *
 * One frame is read ahead, so that new frames lie on the path of things through four frames. A program that
 * knows of cuts calls dain_reset() there, and shows nothing from behind them.
 *
 *     cc double_rate.c -o double_rate $(pkg-config --cflags --libs dain)
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

/* A whole frame; half of one at the end counts as none. */
static int read_frame(unsigned char *p, size_t size)
{
    return fread(p, 1, size, stdin) == size;
}

static int cannot_write(void)
{
    fprintf(stderr, "double_rate: the output cannot be written\n");
    return 1;
}

static int write_frame(const unsigned char *p, size_t size)
{
    return fwrite(p, 1, size, stdout) == size ? 0 : cannot_write();
}

/* pixels: room for three frames. 0, 1 or an error of the library. */
static int run(DainContext *dain, unsigned char *pixels, int width, int height)
{
    const size_t size = (size_t)width * height * 3;
    unsigned char *newer = pixels, *ahead = pixels + size;
    const DainImage made = packed_rgb(pixels + 2 * size, width, height);
    DainImage image = packed_rgb(newer, width, height);
    int error, more = read_frame(newer, size);
    if (!more)
        return 0;
    if ((error = dain_push(dain, &image)) < 0 || (error = write_frame(newer, size)))
        return error;
    for (more = read_frame(ahead, size); more;) {
        /* what was shown ahead becomes the newer frame, or, where nothing was, is pushed */
        image = packed_rgb(ahead, width, height);
        if (dain_advance(dain) < 0 && (error = dain_push(dain, &image)) < 0)
            return error;
        unsigned char *const older = newer;
        newer = ahead;
        ahead = older;
        more = read_frame(ahead, size);
        image = packed_rgb(ahead, width, height);
        if (more && (error = dain_push_ahead(dain, &image, NULL, 1, 1)) < 0)
            return error;
        if ((error = dain_interpolate(dain, 1, 2, &made)) < 0)
            return error;
        if ((error = write_frame(made.plane[0], size)) || (error = write_frame(newer, size)))
            return error;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: double_rate WIDTH HEIGHT [MODEL] <IN >OUT\n");
        return 2;
    }
    const int width = atoi(argv[1]), height = atoi(argv[2]);
    DainSettings settings;
    DainContext *dain;
    dain_settings_default(&settings);
    settings.model = argc > 3 ? argv[3] : NULL;
    settings.motion = DAIN_MOTION_CURVED;
    if (width < 16 || height < 16 || width > 16384 || height > 16384) {
        fprintf(stderr, "double_rate: frames are 16 to 16384 pixels wide and high\n");
        return 2;
    }
    if (dain_open(&dain, &settings) < 0) {
        fprintf(stderr, "double_rate: %s\n", dain_open_error());
        return 1;
    }
    unsigned char *pixels = malloc((size_t)width * height * 9);
    int error = pixels ? run(dain, pixels, width, height) : 1;
    if (!pixels)
        fprintf(stderr, "double_rate: out of memory\n");
    if (error < 0)
        fprintf(stderr, "double_rate: %s\n", dain_last_error(dain));
    if (!error && fflush(stdout))
        error = cannot_write();
    free(pixels);
    dain_close(&dain);
    return error != 0;
}
