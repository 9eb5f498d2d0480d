/* checkasm: random numbers, and buffers between guards. */
#include "checkasm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLACK = 16 }; /* floats a kernel may read past the last one (view.h) */

/* A quiet NaN nobody computes: spoils every sum it enters and is recognised when overwritten. */
static const uint32_t GUARD = 0x7fc5a5a5u;

static uint64_t rnd_state;

void rnd_seed(uint64_t seed)
{
    rnd_state = seed;
}

uint64_t rnd(void)
{
    /* Weyl sequence with an avalanche of two multiplications (the constants of SplitMix64). */
    uint64_t z = rnd_state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int rnd_int(int lo, int hi)
{
    return lo + (int)(rnd() % (uint64_t)(hi - lo + 1));
}

int rnd_one_in(int n)
{
    return rnd_int(1, n) == 1;
}

float rnd_float(float lo, float hi)
{
    return lo + (hi - lo) * (float)(rnd() >> 40) * 0x1p-24f;
}

static float adversary(void)
{
    float sign = rnd() & 1 ? -1.0f : 1.0f;

    switch (rnd_int(0, 4)) {
    case 0:
        return sign * 0.0f;
    case 1:
        return sign * (float)rnd_int(1, 0x7fffff) * 0x1p-149f;
    case 2:
        return sign * ldexpf(rnd_float(1.0f, 2.0f), rnd_int(-100, -60));
    case 3:
        return sign * ldexpf(rnd_float(1.0f, 2.0f), rnd_int(20, 49));
    default:
        return rnd_float(-1.0f, 1.0f);
    }
}

void fill_floats(float *dst, size_t count, Fill fill)
{
    if (fill == FILL_ANY)
        fill = (Fill)rnd_int(FILL_UNIT, FILL_ADVERSARY);
    for (size_t i = 0; i < count; i++)
        switch (fill) {
        case FILL_POSITIVE:
            dst[i] = rnd_float(0.0f, 1.0f);
            break;
        case FILL_SPARSE: {
            float v = rnd_float(-1.0f, 1.0f);
            dst[i] = rnd() & 1 ? v : v * 0.0f;
            break;
        }
        case FILL_ADVERSARY:
            dst[i] = adversary();
            break;
        default:
            dst[i] = rnd_float(-1.0f, 1.0f);
            break;
        }
}

static void guard_floats(float *dst, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(dst + i, &GUARD, sizeof GUARD);
}

/* Maps needed floats (slack included) so that they end where the readable memory ends. */
static Buffer buffer_map(size_t needed)
{
    Buffer b = { 0 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = (needed * sizeof(float) + page - 1) / page * page;

    b.map_size = bytes + 2 * page;
    b.map = mmap(NULL, b.map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b.map == MAP_FAILED || mprotect((char *)b.map + page, bytes, PROT_READ | PROT_WRITE) != 0) {
        fprintf(stderr, "checkasm: no memory for %zu floats\n", needed);
        exit(2);
    }
    b.mem = (float *)((char *)b.map + page);
    b.count = bytes / sizeof(float);
    guard_floats(b.mem, b.count);
    return b;
}

/* Calls pixel(b, y, x, arg) for every pixel of the view and its halo. */
static void each_pixel(Buffer *b, void (*pixel)(Buffer *b, int y, int x, void *arg), void *arg)
{
    for (int y = -b->halo; y < b->view.h + b->halo; y++)
        for (int x = -b->halo; x < b->view.w + b->halo; x++)
            pixel(b, y, x, arg);
}

static int inside(const Buffer *b, int y, int x)
{
    return y >= 0 && y < b->view.h && x >= 0 && x < b->view.w;
}

static void pixel_zero(Buffer *b, int y, int x, void *arg)
{
    (void)arg;
    memset(view_at(&b->view, y, x), 0, (size_t)b->view.c * sizeof(float));
}

static Buffer buffer_layout(int w, int h, int c, int halo, ptrdiff_t px, ptrdiff_t row, int end)
{
    int wide = w + 2 * halo, high = h + 2 * halo;
    size_t pixels = (size_t)((high - 1) * row + (wide - 1) * px + c);
    Buffer b = buffer_map(pixels + (size_t)end + SLACK);

    b.halo = halo;
    b.view = (View){ .row = row, .px = px, .w = w, .h = h, .c = c };
    b.view.data = b.mem + b.count - SLACK - end - pixels + halo * (row + px);
    each_pixel(&b, pixel_zero, NULL);
    return b;
}

Buffer buffer_new(int w, int h, int c, int halo)
{
    int tight = rnd_one_in(3);
    int px = c + (tight ? 0 : rnd_int(0, 40));
    int row = (w + 2 * halo) * px + (rnd_one_in(3) ? 0 : rnd_int(0, 70));

    return buffer_layout(w, h, c, halo, px, row, rnd_one_in(2) ? 0 : rnd_int(0, 20));
}

Buffer buffer_packed(int w, int h, int c, int halo, int px)
{
    ptrdiff_t row = (ptrdiff_t)(w + 2 * halo) * px;
    size_t pixels = (size_t)((h + 2 * halo - 1) * row + (w + 2 * halo - 1) * px + c);

    return buffer_layout(w, h, c, halo, px, row, (int)(-pixels % 16));
}

Buffer buffer_array(int count, Fill fill)
{
    Buffer b = buffer_layout(1, 1, count, 0, count, count, rnd_int(0, 20));

    buffer_fill(&b, fill);
    return b;
}

Buffer buffer_clone(const Buffer *b)
{
    Buffer copy = buffer_map(b->count);

    memcpy(copy.mem, b->mem, b->count * sizeof(float));
    copy.view = b->view;
    copy.view.data = copy.mem + (b->view.data - b->mem);
    copy.halo = b->halo;
    return copy;
}

void buffer_free(Buffer *b)
{
    if (b->map)
        munmap(b->map, b->map_size);
    memset(b, 0, sizeof *b);
}

static void pixel_fill(Buffer *b, int y, int x, void *arg)
{
    if (inside(b, y, x))
        fill_floats(view_at(&b->view, y, x), (size_t)b->view.c, *(Fill *)arg);
}

static void pixel_fill_halo(Buffer *b, int y, int x, void *arg)
{
    if (!inside(b, y, x))
        fill_floats(view_at(&b->view, y, x), (size_t)b->view.c, *(Fill *)arg);
}

void buffer_fill(Buffer *b, Fill fill)
{
    if (fill == FILL_ANY)
        fill = (Fill)rnd_int(FILL_UNIT, FILL_ADVERSARY);
    each_pixel(b, pixel_fill, &fill);
}

void buffer_fill_halo(Buffer *b, Fill fill)
{
    each_pixel(b, pixel_fill_halo, &fill);
}

static int clamp(int v, int hi)
{
    return v < 0 ? 0 : v > hi ? hi : v;
}

static void pixel_replicate(Buffer *b, int y, int x, void *arg)
{
    (void)arg;
    if (!inside(b, y, x))
        memcpy(view_at(&b->view, y, x),
               view_at(&b->view, clamp(y, b->view.h - 1), clamp(x, b->view.w - 1)),
               (size_t)b->view.c * sizeof(float));
}

void buffer_replicate(Buffer *b)
{
    each_pixel(b, pixel_replicate, NULL);
}

void buffer_same(const Buffer *ref, const Buffer *tested, const char *what)
{
    const View *v = &ref->view;
    ptrdiff_t from = v->data - ref->mem;

    if (memcmp(ref->mem, tested->mem, ref->count * sizeof(float)) == 0)
        return;
    for (int y = -ref->halo; y < v->h + ref->halo; y++)
        for (int x = -ref->halo; x < v->w + ref->halo; x++)
            for (int c = 0; c < v->c; c++) {
                ptrdiff_t at = from + y * v->row + x * v->px + c;

                if (memcmp(ref->mem + at, tested->mem + at, sizeof(float)) != 0) {
                    check_fail("%s: row %d, column %d, channel %d of %dx%dx%d: %a, not %a", what, y,
                               x, c, v->w, v->h, v->c, tested->mem[at], ref->mem[at]);
                    return;
                }
            }
    check_fail("%s: outside of the pixels", what);
}

static void pixel_guard(Buffer *b, int y, int x, void *arg)
{
    (void)arg;
    guard_floats(view_at(&b->view, y, x), (size_t)b->view.c);
}

void buffer_check(const Buffer *b, const char *what)
{
    Buffer copy = buffer_clone(b);

    each_pixel(&copy, pixel_guard, NULL);
    for (size_t i = 0; i < copy.count; i++)
        if (memcmp(copy.mem + i, &GUARD, sizeof GUARD) != 0) {
            check_fail("%s: written %td floats from pixel 0 (pixel stride %td, row stride %td)",
                       what, (ptrdiff_t)i - (copy.view.data - copy.mem), b->view.px, b->view.row);
            break;
        }
    buffer_free(&copy);
}
