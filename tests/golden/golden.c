/* Reading golden data and comparing with it. */
#include "golden.h"

#include "base/cpu.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

void golden_count(int ok)
{
    if (ok)
        passed++;
    else
        failed++;
}

int golden_finish(void)
{
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed;
}

Map map_new(int h, int w, int c, int halo)
{
    const ptrdiff_t row = (ptrdiff_t)(w + 2 * halo) * c;
    Map m = { .memory = mem_calloc((size_t)(h + 2 * halo) * row + 64, sizeof(float)) };
    if (!m.memory) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    m.view = (View){ m.memory + halo * row + halo * c, row, c, w, h, c };
    return m;
}

void map_free(Map *map)
{
    mem_free(map->memory);
    map->memory = NULL;
}

const WeightTensor *golden_tensor(const WeightFile *file, const char *name)
{
    const WeightTensor *t = weights_find(file, name);
    if (!t) {
        fprintf(stderr, "golden tensor %s is missing\n", name);
        exit(1);
    }
    return t;
}

float golden_number(const WeightFile *file, const char *name)
{
    return weights_value(golden_tensor(file, name), 0);
}

Map map_load(const WeightFile *file, const char *name, int halo)
{
    const WeightTensor *t = golden_tensor(file, name);
    const int c = (int)t->shape[1], h = (int)t->shape[2], w = (int)t->shape[3];
    Map m = map_new(h, w, c, halo);
    for (int k = 0; k < c; k++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                view_at(&m.view, y, x)[k] = weights_value(t, ((int64_t)k * h + y) * w + x);
    return m;
}

static int clamp(int v, int n)
{
    return v < 0 ? 0 : v >= n ? n - 1 : v;
}

void map_replicate(const Map *map, int halo)
{
    const View *v = &map->view;
    for (int y = -halo; y < v->h + halo; y++)
        for (int x = -halo; x < v->w + halo; x++)
            if (x < 0 || y < 0 || x >= v->w || y >= v->h)
                memcpy(view_at(v, y, x), view_at(v, clamp(y, v->h), clamp(x, v->w)),
                       v->c * sizeof(float));
}

int golden_compare(const char *what, const View *got, int first, const WeightFile *file,
                   const char *name, double absolute, double relative)
{
    const WeightTensor *t = golden_tensor(file, name);
    const int c = (int)t->shape[1], h = (int)t->shape[2], w = (int)t->shape[3];
    const double rounding = t->type == TYPE_F16 ? 1.0 / 2048 : 0;
    double worst = 0;
    int bad = h > got->h || w > got->w || first + c > got->c;
    for (int k = 0; k < c && !bad; k++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const double want = weights_value(t, ((int64_t)k * h + y) * w + x);
                const double d = fabs(view_at(got, y, x)[first + k] - want);
                if (!(d <= absolute + (relative + rounding) * fabs(want)))
                    bad++;
                if (!(d <= worst))
                    worst = d;
            }
    printf("%s %-8s %-22s largest difference %.2e%s\n", bad ? "FAIL" : "ok  ", what, name, worst,
           bad ? " (outside the limits)" : "");
    golden_count(!bad);
    return !bad;
}

int golden_isas(Isa isas[MAX_ISAS])
{
    const unsigned have = cpu_flags();
    static const Isa all[MAX_ISAS] = {
        { "c", 0 }, { "avx2", CPU_AVX2 }, { "avx512", CPU_AVX2 | CPU_AVX512 }, { "neon", CPU_NEON }
    };
    int n = 0;
    for (int i = 0; i < MAX_ISAS; i++)
        if ((have & all[i].flags) == all[i].flags)
            isas[n++] = all[i];
    return n;
}
