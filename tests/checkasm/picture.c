/* checkasm: pictures in and out, and the composition. */
#include "rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- composition ---- */

typedef struct Blend {
    Buffer a, b, m, r;
} Blend;

static void blend_free(Blend *b)
{
    buffer_free(&b->a);
    buffer_free(&b->b);
    buffer_free(&b->m);
    buffer_free(&b->r);
}

static void blend_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Blend *b = arg;

    kernels->blend_f32(out, &b->a.view, &b->b.view, &b->m.view, &b->r.view, y0, y1);
}

static void blend_check(const Check *check)
{
    for (int n = 0; n < 100 && !check_failed(); n++) {
        const int w = rnd_int(1, 40), h = rnd_int(1, 5);
        Blend b = { buffer_new(w, h, 4, 0), buffer_new(w, h, 4, 0), buffer_new(w, h, 1, 0),
                    buffer_new(w, h, 3, 0) };
        Buffer out = buffer_new(w, h, 4, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%d", w, h);
        buffer_fill(&b.a, FILL_ANY);
        buffer_fill(&b.b, FILL_ANY);
        buffer_fill(&b.m, FILL_POSITIVE);
        buffer_fill(&b.r, FILL_ANY);
        rows_check(check, &out, blend_rows, &b, what);
        buffer_free(&out);
        blend_free(&b);
    }
}

static void blend_bench(const Check *check)
{
    const int w = 1280, h = 720;
    Blend b = { buffer_packed(w, h, 4, 0, 4), buffer_packed(w, h, 4, 0, 4),
                buffer_packed(w, h, 1, 0, 1), buffer_packed(w, h, 3, 0, 5) };
    Buffer out = buffer_packed(w, h, 4, 0, 4);

    buffer_fill(&b.a, FILL_POSITIVE);
    buffer_fill(&b.b, FILL_POSITIVE);
    buffer_fill(&b.m, FILL_POSITIVE);
    buffer_fill(&b.r, FILL_UNIT);
    b.a.view.row = b.b.view.row = b.m.view.row = b.r.view.row = out.view.row = 0;
    rows_bench(check, "blend_f32", "1280x720, row buffers", &out, blend_rows, &b,
               (double)w * h * 4 * 16, 4);
    buffer_free(&out);
    blend_free(&b);
}

static void shift_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    kernels->shift_rgb_f32(out, &((Blend *)arg)->a.view, y0, y1);
}

static void shift_check(const Check *check)
{
    for (int n = 0; n < 60 && !check_failed(); n++) {
        const int w = rnd_int(1, 40), h = rnd_int(1, 5);
        Blend b = { .a = buffer_new(w, h, 4, 0) };
        Buffer out =
            rnd_one_in(3) ? buffer_packed(w, h, 3, 1, rnd_int(3, 4)) : buffer_new(w, h, 3, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%d", w, h);
        buffer_fill(&b.a, FILL_ANY);
        rows_check(check, &out, shift_rows, &b, what);
        buffer_free(&out);
        blend_free(&b);
    }
}

static void shift_bench(const Check *check)
{
    Blend b = { .a = buffer_packed(1280, 720, 4, 2, 4) };
    Buffer out = buffer_packed(1280, 720, 3, 1, 3);

    buffer_fill(&b.a, FILL_UNIT);
    rows_bench(check, "shift_rgb_f32", "1280x720", &out, shift_rows, &b, 1280.0 * 720 * 28, 4);
    buffer_free(&out);
    blend_free(&b);
}

/* ---- formats ---- */

typedef struct Format {
    int sample, step, alpha, packed, flipped;
    int place[4]; /* sample of every channel in a packed pixel */
} Format;

/* A caller's picture. Its last byte is the last one that can be read. */
typedef struct Picture {
    Buffer memory;
    ImageView image;
    char text[100];
} Picture;

static const int sample_sizes[] = { 1, 2, 4 };

static Format format_random(void)
{
    Format f = { .sample = rnd_int(0, 2), .alpha = rnd_one_in(2), .packed = rnd_one_in(2) };

    f.step = f.packed ? rnd_int(f.alpha ? 4 : 3, 5) : rnd_one_in(3) ? rnd_int(2, 3) : 1;
    f.flipped = rnd_one_in(3);
    for (int c = 0; c < 4; c++) { /* a random order */
        const int k = rnd_int(0, c);
        f.place[c] = f.place[k];
        f.place[k] = c;
    }
    if (!f.alpha) /* the first three places stay below the step */
        for (int c = 0; c < 3; c++)
            if (f.place[c] == 3)
                f.place[c] = f.place[3];
    return f;
}

static float peak_of(int sample)
{
    return sample == 0 ? 255.0f : sample == 1 ? (rnd_one_in(2) ? 1023.0f : 65535.0f) : 1.0f;
}

static Picture picture_new(const Format *f, int w, int h)
{
    const int size = sample_sizes[f->sample], planes = f->packed ? 1 : f->alpha ? 4 : 3;
    const int gap = rnd_one_in(2) ? 0 : rnd_int(1, 9) * size;
    const int used = f->packed && f->alpha + 3 < f->step && rnd_one_in(2) ? f->alpha + 3 : f->step;
    /* the last pixel of a row may end before its step does */
    const int line = ((w - 1) * f->step + (f->packed ? used : 1)) * size, stride = line + gap;
    const size_t plane = (size_t)stride * h, bytes = plane * planes;
    Picture p = { .memory = buffer_array((int)(bytes / 4) + 32, FILL_UNIT) };
    uint8_t *end = (uint8_t *)(p.memory.mem + p.memory.count), *data = end - bytes + gap;

    data -= (uintptr_t)data % (unsigned)size;
    for (uint8_t *q = data; q < end; q++)
        *q = (uint8_t)rnd();
    p.image = (ImageView){ .step = f->step, .sample = f->sample, .w = w, .h = h };
    p.image.peak = peak_of(f->sample);
    for (int c = 0; c < 3 + f->alpha; c++) {
        uint8_t *first = data + (f->packed ? (size_t)f->place[c] * size : plane * c);
        p.image.plane[c] = f->flipped ? first + (ptrdiff_t)stride * (h - 1) : first;
        p.image.stride[c] = f->flipped ? -stride : stride;
        for (int i = 0; f->sample == 2 && i < w * h; i++) { /* numbers, not random bits */
            const float v = rnd_float(-0.2f, 1.2f);
            memcpy(first + (ptrdiff_t)stride * (i / w) + (size_t)(i % w) * f->step * size, &v, 4);
        }
    }
    snprintf(p.text, sizeof p.text, "%dx%d, sample %d, step %d, %s, places %d %d %d %d%s", w, h,
             f->sample, f->step, f->packed ? "packed" : "planar", f->place[0], f->place[1],
             f->place[2], f->place[3], f->alpha ? ", alpha" : "");
    return p;
}

/* ---- import ---- */

static void load_check(const Check *check)
{
    for (int n = 0; n < 300 && !check_failed(); n++) {
        const Format f = format_random();
        const int w = rnd_int(1, 70), h = rnd_int(1, 5), halo = rnd_int(0, 2);
        Picture p = picture_new(&f, w, h);
        const int wo = w + rnd_int(0, 20), ho = h + rnd_int(0, 3), cut = rnd_int(-halo, ho + halo);
        Buffer out = buffer_new(wo, ho, 4, halo), ref = buffer_clone(&out);

        check->ref->image_load_f32(&ref.view, &p.image, halo, -halo, ho + halo);
        check->tested->image_load_f32(&out.view, &p.image, halo, cut, ho + halo);
        check->tested->image_load_f32(&out.view, &p.image, halo, -halo, cut);
        buffer_check(&ref, p.text);
        buffer_same(&ref, &out, p.text);
        buffer_free(&out);
        buffer_free(&ref);
        buffer_free(&p.memory);
    }
}

/* ---- export ---- */

/* What the composition may hand over, and worse: halves between codes, infinities, no number. */
static void fill_colours(Buffer *b, float peak)
{
    static const float odd[] = { -0.0f, 1e-30f, INFINITY, -INFINITY, NAN, 2.0f, -1.0f, 1.0f };

    for (int y = 0; y < b->view.h; y++)
        for (int x = 0; x < b->view.w; x++)
            for (int c = 0; c < b->view.c; c++) {
                float v = rnd_float(-0.1f, 1.1f);
                if (rnd_one_in(3))
                    v = ((float)rnd_int(0, (int)peak) + 0.5f) / peak;
                if (rnd_one_in(10))
                    v = odd[rnd_int(0, 7)];
                view_at(&b->view, y, x)[c] = v;
            }
}

static ImageView image_in(const ImageView *image, const Buffer *from, const Buffer *to)
{
    ImageView moved = *image;

    for (int c = 0; c < 4; c++)
        if (image->plane[c])
            moved.plane[c] =
                (uint8_t *)to->mem + ((uint8_t *)image->plane[c] - (uint8_t *)from->mem);
    return moved;
}

static void store_check(const Check *check)
{
    for (int n = 0; n < 300 && !check_failed(); n++) {
        const Format f = format_random();
        const int w = rnd_int(1, 70), h = rnd_int(1, 5), cut = rnd_int(0, h);
        Picture p = picture_new(&f, w, h);
        Buffer x = buffer_new(w, h, 4, 0), copy = buffer_clone(&p.memory);
        const ImageView image = image_in(&p.image, &p.memory, &copy);

        fill_colours(&x, p.image.peak);
        check->ref->image_store_f32(&p.image, &x.view, 0, h);
        check->tested->image_store_f32(&image, &x.view, cut, h);
        check->tested->image_store_f32(&image, &x.view, 0, cut);
        if (memcmp(p.memory.mem, copy.mem, copy.count * sizeof(float)) != 0)
            check_fail("%s", p.text);
        buffer_free(&x);
        buffer_free(&copy);
        buffer_free(&p.memory);
    }
}

/* ---- benchmarks ---- */

static const struct {
    Format format;
    const char *name;
} bench_formats[] = {
    { { .sample = 0, .step = 1 }, "1280x720, 8 bits, planar" },
    { { .sample = 0, .step = 3, .packed = 1, .place = { 0, 1, 2, 3 } }, "1280x720, 8 bits, RGB" },
    { { .sample = 1, .step = 1 }, "1280x720, 16 bits, planar" },
};

typedef struct Transfer {
    Picture picture;
    View out;
} Transfer;

static void load_run(const Kernels *kernels, void *arg, int part)
{
    Transfer *t = arg;

    kernels->image_load_f32(&t->out, &t->picture.image, 2, 0, 720 / part);
}

static void store_run(const Kernels *kernels, void *arg, int part)
{
    Transfer *t = arg;

    kernels->image_store_f32(&t->picture.image, &t->out, 0, 720 / part);
}

static void transfer_bench(const Check *check, const char *name, int store)
{
    for (size_t i = 0; i < sizeof bench_formats / sizeof *bench_formats; i++) {
        const Format *f = &bench_formats[i].format;
        Buffer out = buffer_packed(1280, 720, 4, 2, 4);
        Transfer t = { picture_new(f, 1280, 720), out.view };
        Bench bench = { .name = name,
                        .shape = bench_formats[i].name,
                        .fn = store ? store_run : load_run,
                        .arg = &t,
                        .outputs = 1280.0 * 720,
                        .bytes = 1280.0 * 720 * (16 + 3 * sample_sizes[f->sample]),
                        .ref_part = 4 };

        buffer_fill(&out, FILL_POSITIVE);
        if (store)
            t.out.row = 0;
        bench_run(check, &bench);
        buffer_free(&out);
        buffer_free(&t.picture.memory);
    }
}

static void load_bench(const Check *check)
{
    transfer_bench(check, "image_load_f32", 0);
}

static void store_bench(const Check *check)
{
    transfer_bench(check, "image_store_f32", 1);
}

const Test picture_tests[] = {
    TEST(blend_f32, blend_check, blend_bench),
    TEST(shift_rgb_f32, shift_check, shift_bench),
    TEST(image_load_f32, load_check, load_bench),
    TEST(image_store_f32, store_check, store_bench),
    { 0 },
};
