/* checkasm: guarded buffers for the low-precision kernels. */
#include "quant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLACK = 64 }; /* bytes a kernel may read past the last element */

static void map_bytes(Codes *b, size_t needed)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (needed + page - 1) / page * page;

    b->map_size = bytes + 2 * page;
    b->map = mmap(NULL, b->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->map == MAP_FAILED || mprotect((char *)b->map + page, bytes, PROT_READ | PROT_WRITE)) {
        fprintf(stderr, "checkasm: no memory for %zu bytes\n", needed);
        exit(2);
    }
    b->mem = (uint8_t *)b->map + page;
    b->count = bytes;
}

static void set_views(Codes *b)
{
    if (b->size == 1)
        b->v8 = (View8){ b->origin, b->row, b->px, b->w, b->h, b->c };
    else
        b->v16 = (View16){ (uint16_t *)(void *)b->origin, b->row, b->px, b->w, b->h, b->c };
}

/* Random bytes; as bfloat16 they are finite: the exponent's highest bit is cleared. */
static void fill_random(Codes *b)
{
    for (size_t i = 0; i < b->count; i += 8) {
        uint64_t bits = rnd();

        if (b->size == 2)
            bits &= 0xbfffbfffbfffbfffu;
        memcpy(b->mem + i, &bits, 8);
    }
}

static Codes layout(Codes b, int end)
{
    const int wide = b.w + 2 * b.halo, high = b.h + 2 * b.halo;
    const size_t elements = (size_t)((high - 1) * b.row + (wide - 1) * b.px + b.c);

    map_bytes(&b, (elements + (size_t)end) * (size_t)b.size + SLACK);
    b.origin = b.mem + b.count - SLACK -
               ((size_t)end + elements - (size_t)(b.halo * (b.row + b.px))) * (size_t)b.size;
    set_views(&b);
    fill_random(&b);
    return b;
}

Codes codes_new(int size, int w, int h, int c, int halo, int slack)
{
    Codes b = { .size = size, .w = w, .h = h, .c = c, .halo = halo };

    b.px = c + slack + (rnd_one_in(3) ? 0 : rnd_int(0, 70));
    b.row = (w + 2 * halo) * b.px + (rnd_one_in(3) ? 0 : rnd_int(0, 90));
    return layout(b, rnd_one_in(2) ? 0 : rnd_int(0, 70));
}

Codes codes_tight(int size, int w, int h, int c, int halo, int slack)
{
    Codes b = { .size = size, .w = w, .h = h, .c = c, .halo = halo, .px = c + slack };

    b.row = (w + 2 * halo) * b.px;
    b = layout(b, 128);
    b.origin -= (uintptr_t)(b.origin - b.halo * (b.row + b.px) * size) % 64;
    set_views(&b);
    return b;
}

Codes codes_clone(const Codes *b)
{
    Codes copy = *b;

    map_bytes(&copy, b->count);
    memcpy(copy.mem, b->mem, b->count);
    copy.origin = copy.mem + (b->origin - b->mem);
    set_views(&copy);
    return copy;
}

void codes_free(Codes *b)
{
    if (b->map)
        munmap(b->map, b->map_size);
    memset(b, 0, sizeof *b);
}

static uint8_t *pixel(const Codes *b, int y, int x)
{
    return b->origin + (y * b->row + x * b->px) * b->size;
}

static void fill(Codes *b, int inside, int value)
{
    for (int y = -b->halo; y < b->h + b->halo; y++)
        for (int x = -b->halo; x < b->w + b->halo; x++)
            if (inside == (y >= 0 && y < b->h && x >= 0 && x < b->w))
                memset(pixel(b, y, x), value, (size_t)b->c);
}

void codes_fill_u8(Codes *b, int value)
{
    fill(b, 1, value);
}

void codes_fill_halo_u8(Codes *b, int value)
{
    fill(b, 0, value);
}

void codes_fill_bf16(Codes *b, float range)
{
    for (int y = -b->halo; y < b->h + b->halo; y++)
        for (int x = -b->halo; x < b->w + b->halo; x++)
            for (int c = 0; c < b->c; c++) {
                uint16_t v = bf16_from_f32(rnd_float(-range, range));

                memcpy(pixel(b, y, x) + 2 * c, &v, 2);
            }
}

void codes_same(const Codes *ref, const Codes *tested, const char *what)
{
    const ptrdiff_t from = ref->origin - ref->mem;

    if (memcmp(ref->mem, tested->mem, ref->count) == 0)
        return;
    for (int y = 0; y < ref->h; y++)
        for (int x = 0; x < ref->w; x++)
            for (int c = 0; c < ref->c; c++) {
                ptrdiff_t at = from + (y * ref->row + x * ref->px + c) * ref->size;

                if (memcmp(ref->mem + at, tested->mem + at, (size_t)ref->size) != 0) {
                    check_fail("%s: row %d, column %d, channel %d of %dx%dx%d: %02x.., not %02x..",
                               what, y, x, c, ref->w, ref->h, ref->c, tested->mem[at],
                               ref->mem[at]);
                    return;
                }
            }
    check_fail("%s: outside of the pixels", what);
}

void codes_check(const Codes *before, const Codes *after, const char *what)
{
    Codes copy = codes_clone(after);

    for (int y = 0; y < copy.h; y++)
        for (int x = 0; x < copy.w; x++)
            memcpy(pixel(&copy, y, x), pixel(before, y, x), (size_t)(copy.c * copy.size));
    if (memcmp(before->mem, copy.mem, copy.count) != 0)
        check_fail("%s: written outside of the pixels", what);
    codes_free(&copy);
}
