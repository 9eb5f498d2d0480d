/* Strips against whole tensors: the same bits, in less memory. */
#include "base/cpu.h"
#include "base/mem.h"
#include "model/session.h"
#include "test.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static Report report;
static Kernels kernels;

/* Frame number n of waves that turn and shift, with a sharp disc that jumps far. */
static void draw(uint8_t *rgb, int w, int h, int n)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const float wave = sinf(0.21f * (float)(x + 5 * n)) + cosf(0.13f * (float)(y - 3 * n));
            const int dx = x - w / 3 - 17 * n, dy = y - h / 2 - 9 * n;
            const int disc = dx * dx + dy * dy < h * h / 16 ? 90 : 0;
            for (int c = 0; c < 3; c++)
                rgb[3 * ((size_t)y * w + x) + c] = (uint8_t)(100 + 30 * wave + disc / (c + 1));
        }
}

static ImageView view_of(uint8_t *rgb, int w, int h)
{
    const ptrdiff_t stride = 3 * (ptrdiff_t)w;
    return (ImageView){
        { rgb, rgb + 1, rgb + 2, NULL }, { stride, stride, stride, 0 }, 3, 0, 255, w, h
    };
}

/* Two pairs, so that windows and frames are used again; everything filled with NaN before. */
static void interpolate(Model *m, Pool *pool, int w, int h, uint8_t *out, size_t *bytes)
{
    Session s;
    const size_t size = 3 * (size_t)w * h;
    uint8_t *rgb = mem_alloc(size);
    const int r = session_open(&s, m, &kernels, pool, w, h, false, &report);
    if (r)
        printf("%s\n", report.error);
    CHECK(rgb && r == DAIN_OK);
    if (!rgb || r)
        return;
    const Network *n = &s.network;
    memset(s.base[0][SCOPE_TEMP], 0xff, n->arena_bytes);
    for (int frame = 0; frame < 3; frame++) {
        draw(rgb, w, h, frame);
        const ImageView in = view_of(rgb, w, h), view = view_of(out, w, h);
        CHECK(session_frame(&s, &in, NULL) == DAIN_OK);
        if (frame == 0)
            continue;
        CHECK(session_pair(&s, NULL) == DAIN_OK);
        CHECK(session_time(&s, 1, 2 + frame, &view, NULL) == DAIN_OK);
        out += size;
    }
    *bytes = n->arena_bytes;
    session_close(&s);
    mem_free(rgb);
}

static void compare(Model *m, int w, int h)
{
    static const struct {
        int threads, rows, level;
    } ways[] = {
        { 1, 8, 2 }, { 2, 32, 4 }, { 3, 1, 2 }, { 4, 20, 8 }, { 2, 64, 32 }, { 1, 4, 32 }
    };
    const size_t size = 2 * 3 * (size_t)w * h;
    uint8_t *whole = mem_calloc(size, 1), *strips = mem_calloc(size, 1);
    CHECK(whole && strips);
    size_t before = 0, bytes = 0;
    Pool *pool = pool_create(1);
    m->strip_rows = 0;
    interpolate(m, pool, w, h, whole, &before);
    pool_destroy(pool);
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        pool = pool_create(ways[i].threads);
        m->strip_rows = ways[i].rows;
        m->strip_level = ways[i].level;
        memset(strips, 0, size);
        interpolate(m, pool, w, h, strips, &bytes);
        pool_destroy(pool);
        int worst = 0;
        for (size_t k = 0; k < size; k++)
            worst = abs(whole[k] - strips[k]) > worst ? abs(whole[k] - strips[k]) : worst;
        printf("%dx%d %s, %d threads, strips of %d to 1/%d: %zu -> %zu KiB, worst difference %d\n",
               w, h, m->precision, ways[i].threads, ways[i].rows, ways[i].level, before >> 10,
               bytes >> 10, worst);
        CHECK(worst == 0);
        CHECK(bytes < before || h < 256);
    }
    mem_free(whole);
    mem_free(strips);
}

static void same_bits(void)
{
    static const DainPrecision precisions[] = { DAIN_PRECISION_F32, DAIN_PRECISION_BF16,
                                                DAIN_PRECISION_INT8 };
    Model *m;
    kernels_init(&kernels, cpu_flags());
    CHECK_INT(model_open(&m, dain_default_model(), &report), DAIN_OK);
    for (int i = 0; m && i < 3; i++) {
        CHECK_INT(model_set_precision(m, precisions[i]), DAIN_OK);
        compare(m, 200, 333);
        compare(m, 17, 150);
    }
    model_close(&m);
}

static const Test tests[] = { { "a network in strips gives the bits of whole tensors",
                                same_bits } };

TEST_MAIN(tests)
