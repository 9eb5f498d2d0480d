/*
 * Random weights for the original network, the same on every machine: MT19937 seeded from the tensor's
 * name, and only exact IEEE operations after it. Scales keep every activation sane: flows of a few
 * pixels, log depth around 1, kernels near an average.
 */
#include "golden/dain_checkpoint.h"
#include "golden/need.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACKED = 1000, MT_SIZE = 624, MT_SHIFT = 397 };

/* ---- SHA-256 (FIPS 180-4) ---- */

typedef struct Sha {
    uint32_t h[8];
    unsigned char block[64];
    uint64_t bytes;
} Sha;

static uint32_t root_bits[64], root_start[8];

/* The constants are the fractions of roots of primes; double has enough digits for 32 bits of them. */
static void sha_constants(void)
{
    int n = 0;
    for (int p = 2; n < 64; p++) {
        int prime = 1;
        for (int d = 2; d * d <= p; d++)
            prime &= p % d != 0;
        if (!prime)
            continue;
        const long double cube = cbrtl(p), square = sqrtl(p);
        root_bits[n] = (uint32_t)((cube - floorl(cube)) * 4294967296.0L);
        if (n < 8)
            root_start[n] = (uint32_t)((square - floorl(square)) * 4294967296.0L);
        n++;
    }
}

static uint32_t turn(uint32_t v, int n)
{
    return v >> n | v << (32 - n);
}

static void sha_block(Sha *s, const unsigned char *b)
{
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)b[4 * i] << 24 | (uint32_t)b[4 * i + 1] << 16 |
               (uint32_t)b[4 * i + 2] << 8 | b[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        const uint32_t a = w[i - 15], c = w[i - 2];
        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
               (turn(c, 17) ^ turn(c, 19) ^ c >> 10);
    }
    memcpy(v, s->h, sizeof v);
    for (int i = 0; i < 64; i++) {
        const uint32_t e = v[4], a = v[0];
        const uint32_t t1 = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
                            ((e & v[5]) ^ (~e & v[6])) + root_bits[i] + w[i];
        const uint32_t t2 =
            (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        s->h[i] += v[i];
}

static void sha_begin(Sha *s)
{
    if (!root_bits[0])
        sha_constants();
    memset(s, 0, sizeof *s);
    memcpy(s->h, root_start, sizeof s->h);
}

static void sha_add(Sha *s, const void *data, size_t size)
{
    const unsigned char *p = data;
    while (size > 0) {
        const size_t at = s->bytes % 64, take = size < 64 - at ? size : 64 - at;
        memcpy(s->block + at, p, take);
        s->bytes += take;
        p += take;
        size -= take;
        if (s->bytes % 64 == 0)
            sha_block(s, s->block);
    }
}

static void sha_end(Sha *s, unsigned char digest[32])
{
    const uint64_t bits = s->bytes * 8;
    unsigned char length[8];
    sha_add(s, "\x80", 1);
    while (s->bytes % 64 != 56)
        sha_add(s, "", 1);
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha_add(s, length, 8);
    for (int i = 0; i < 32; i++)
        digest[i] = (unsigned char)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

/* ---- MT19937 ---- */

typedef struct Twister {
    uint32_t state[MT_SIZE];
    int at;
} Twister;

static void twister_seed(Twister *t, uint32_t seed)
{
    for (int i = 0; i < MT_SIZE; i++) {
        t->state[i] = seed;
        seed = 1812433253u * (seed ^ seed >> 30) + (uint32_t)i + 1;
    }
    t->at = MT_SIZE;
}

static uint32_t twister_next(Twister *t)
{
    if (t->at == MT_SIZE) {
        for (int i = 0; i < MT_SIZE; i++) {
            const uint32_t y =
                (t->state[i] & 0x80000000u) | (t->state[(i + 1) % MT_SIZE] & 0x7fffffffu);
            t->state[i] = t->state[(i + MT_SHIFT) % MT_SIZE] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        t->at = 0;
    }
    uint32_t y = t->state[t->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

/* In [0, 1), 53 bits. */
static double twister_uniform(Twister *t)
{
    const uint32_t a = twister_next(t) >> 5, b = twister_next(t) >> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
}

/* ---- values ---- */

/* The exactly rounded sum (Shewchuk's partial sums). */
static double exact_sum(const double *v, int n)
{
    double partial[64];
    int count = 0;
    for (int i = 0; i < n; i++) {
        double x = v[i];
        int kept = 0;
        for (int k = 0; k < count; k++) {
            double y = partial[k];
            if (fabs(x) < fabs(y)) {
                const double swap = x;
                x = y;
                y = swap;
            }
            const double high = x + y, low = y - (high - x);
            if (low != 0)
                partial[kept++] = low;
            x = high;
        }
        partial[kept++] = x;
        count = kept;
    }
    /* From the largest down; halfway cases look at the sign of what is left. */
    double high = 0, low = 0;
    while (count > 0) {
        const double x = high, y = partial[--count];
        high = x + y;
        low = y - (high - x);
        if (low != 0)
            break;
    }
    if (count > 0 && ((low < 0 && partial[count - 1] < 0) || (low > 0 && partial[count - 1] > 0))) {
        const double y = low * 2, x = high + y;
        if (y == x - high)
            high = x;
    }
    return high;
}

static int has(const char *name, const char *part)
{
    return strstr(name, part) != NULL;
}

static int begins(const char *name, const char *start)
{
    return !strncmp(name, start, strlen(start));
}

static int ends(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && !strcmp(name + n - m, end);
}

/* First layers: each filter is brought near a mean of 0. */
static int is_zero_mean(const char *name)
{
    return !strcmp(name, "depthNet.0.weight") || !strcmp(name, "ctxNet.block1.0.weight") ||
           !strcmp(name, "flownets.conv1a.0.weight") ||
           !strcmp(name, "initScaleNets_filter.0.weight");
}

static double gain_of(const char *name)
{
    if (is_zero_mean(name))
        return begins(name, "ctxNet") ? 2.0 : 3.0;
    if (!strcmp(name, "flownets.conv6_0.0.weight"))
        return 3.0;
    if (has(name, ".predict_flow") || has(name, ".dc_conv7"))
        return has(name, ".predict_flow6") ? 1.0 : 0.5;
    if (begins(name, "initScaleNets_filter1.2") || begins(name, "initScaleNets_filter2.2"))
        return 0.05;
    if (begins(name, "rectifyNet.block5"))
        return 0.05;
    if (begins(name, "rectifyNet.block1"))
        return 0.5;
    if (!strcmp(name, "depthNet.4.weight"))
        return 0.25;
    return has(name, ".conv2.weight") ? 0.5 : 1.0;
}

static void make_bias(const char *name, double *v, int64_t n)
{
    const int kernel = !strcmp(name, "initScaleNets_filter1.2.bias") ||
                       !strcmp(name, "initScaleNets_filter2.2.bias");
    const int flow = has(name, ".predict_flow") || has(name, ".dc_conv7") || has(name, ".deconv");
    for (int64_t i = 0; i < n; i++) {
        v[i] = 0.05 * v[i];
        if (kernel)
            v[i] = (i == 5 || i == 6 || i == 9 || i == 10 ? 0.7 : 0.1) + 0.2 * v[i];
        if (flow)
            v[i] = 0.2 * v[i];
    }
}

/* Bilinear doubling and a little noise. */
static void make_deconv(const int64_t *shape, double *v)
{
    static const double tent[4] = { 0.25, 0.75, 0.75, 0.25 };
    int64_t i = 0;
    for (int64_t a = 0; a < shape[0]; a++)
        for (int64_t b = 0; b < shape[1]; b++)
            for (int y = 0; y < 4; y++)
                for (int x = 0; x < 4; x++, i++)
                    v[i] = (a == b ? tent[y] * tent[x] : 0.0) + 0.02 * v[i];
}

static void make_weight(const char *name, const int64_t *shape, double *v, int64_t n)
{
    const int64_t taps = shape[2] * shape[3];
    const double fan =
        has(name, ".upfeat") ? (double)(shape[0] * taps) / 4.0 : (double)(shape[1] * taps);
    const double scale = gain_of(name) * sqrt(6.0 / fan);
    for (int64_t i = 0; i < n; i++)
        v[i] = v[i] * scale;
    if (!is_zero_mean(name))
        return;
    const int per = (int)(n / shape[0]);
    for (int64_t o = 0; o < shape[0]; o++) {
        const double shift = 0.9 * (exact_sum(v + o * per, per) / per);
        for (int i = 0; i < per; i++)
            v[o * per + i] -= shift;
    }
}

static void make_values(const char *name, const int64_t *shape, float *out, int64_t n)
{
    unsigned char digest[32];
    Sha sha;
    Twister t;
    sha_begin(&sha);
    sha_add(&sha, name, strlen(name));
    sha_end(&sha, digest);
    twister_seed(&t, digest[0] | (uint32_t)digest[1] << 8 | (uint32_t)digest[2] << 16 |
                         (uint32_t)digest[3] << 24);
    double *v = need(malloc((size_t)n * sizeof *v));
    for (int64_t i = 0; i < n; i++)
        v[i] = 2.0 * twister_uniform(&t) - 1.0;
    if (ends(name, "running_mean") || ends(name, "running_var") ||
        !strcmp(name, "depthNet.1.weight")) {
        const double base = ends(name, "running_mean") ? 0.0 : 1.0;
        const double spread = ends(name, "running_var") ? 0.5 : 0.2;
        for (int64_t i = 0; i < n; i++)
            v[i] = base + spread * v[i];
    } else if (!strcmp(name, "depthNet.4.bias")) {
        for (int64_t i = 0; i < n; i++)
            v[i] = -0.5;
    } else if (ends(name, "bias")) {
        make_bias(name, v, n);
    } else if (has(name, ".deconv")) {
        make_deconv(shape, v);
    } else {
        make_weight(name, shape, v, n);
    }
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)v[i];
    free(v);
}

/* ---- the table ---- */

static void make_tensor(WeightTensor *t, const char *name, const char *shape, const char *type)
{
    char *copy = need(malloc(strlen(name) + 1));
    strcpy(copy, name);
    t->name = copy;
    t->count = 1;
    for (const char *p = strcmp(shape, "scalar") ? shape : NULL; p; p = strchr(p, 'x')) {
        p += *p == 'x';
        t->shape[t->dims] = strtoll(p, NULL, 10);
        t->count *= t->shape[t->dims++];
    }
    t->type = strcmp(type, "int64") ? TYPE_F32 : TYPE_I64;
    t->bytes = (size_t)t->count * (t->type == TYPE_I64 ? 8 : 4);
    void *data = need(malloc(t->bytes));
    t->data = data;
    if (t->type == TYPE_I64)
        *(int64_t *)data = TRACKED;
    else
        make_values(name, t->shape, data, t->count);
}

Checkpoint checkpoint_make(const char *table)
{
    enum { MOST = 1024 };
    Checkpoint c = { need(calloc(MOST, sizeof(WeightTensor))), 0 };
    char line[512], name[256], shape[64], type[16];
    FILE *f = fopen(table, "r");
    if (!f || !fgets(line, sizeof line, f)) {
        perror(table);
        exit(1);
    }
    while (c.count < MOST && fgets(line, sizeof line, f))
        if (sscanf(line, "%255[^\t]\t%63[^\t]\t%15[^\t]", name, shape, type) == 3)
            make_tensor(&c.tensors[c.count++], name, shape, type);
    fclose(f);
    return c;
}

void checkpoint_free(Checkpoint *c)
{
    for (int i = 0; i < c->count; i++) {
        free((char *)c->tensors[i].name);
        free((void *)c->tensors[i].data);
    }
    free(c->tensors);
    c->tensors = NULL;
    c->count = 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const WeightTensor *const *)a)->name, (*(const WeightTensor *const *)b)->name);
}

void checkpoint_digest(const WeightTensor *tensors, int count, char digest[65])
{
    const WeightTensor **order = need(malloc((size_t)count * sizeof *order + 1));
    unsigned char bytes[32];
    Sha sha;
    for (int i = 0; i < count; i++)
        order[i] = &tensors[i];
    if (count > 1)
        qsort(order, (size_t)count, sizeof *order, by_name);
    sha_begin(&sha);
    for (int i = 0; i < count; i++) {
        if (order[i]->type != TYPE_F32)
            continue;
        sha_add(&sha, order[i]->name, strlen(order[i]->name));
        sha_add(&sha, order[i]->data, order[i]->bytes);
    }
    sha_end(&sha, bytes);
    for (int i = 0; i < 32; i++)
        snprintf(digest + 2 * i, 3, "%02x", bytes[i]);
    free(order);
}
