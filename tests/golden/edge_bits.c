/* The picture halfway through a 64x64 pair has the same bits on every instruction set and every
 * kind of machine: its hash is written down here. */
#include "golden.h"
#include "need.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "model/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the canonical arithmetic (docs/architecture.md). Whoever changes an order of operations on purpose
 * writes the new one here, in the commit that does it. */
static const char *const usual = "76ac595a5cf0cd55";

enum { SIDE = 64 };

/* The top left corner of a golden picture of 8 bits. */
static ImageView corner(const WeightFile *file, const char *name)
{
    const WeightTensor *t = golden_tensor(file, name);
    uint8_t *p = (uint8_t *)t->data;
    const ptrdiff_t stride = (ptrdiff_t)t->shape[1] * 3;
    if (t->shape[0] < SIDE || t->shape[1] < SIDE) {
        fprintf(stderr, "%s is too small\n", name);
        exit(1);
    }
    return (ImageView){
        { p, p + 1, p + 2, NULL }, { stride, stride, stride, 0 }, 3, 0, 255, SIDE, SIDE
    };
}

/* FNV-1a of the 32-bit patterns, low byte first. */
static uint64_t hash_floats(const float *p, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, p + i, sizeof bits);
        for (int k = 0; k < 32; k += 8)
            hash = (hash ^ (bits >> k & 0xff)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* winograd: conv_u8_winograd also where it is not the faster one. */
static uint64_t picture_hash(Model *model, const WeightFile *file, unsigned flags, bool winograd,
                             Report *report)
{
    Kernels kernels;
    Session session;
    const ImageView first = corner(file, "im0"), second = corner(file, "im1");
    float *pixels = need(mem_calloc((size_t)SIDE * SIDE * 3, sizeof *pixels));
    const ptrdiff_t stride = (ptrdiff_t)SIDE * 3 * sizeof(float);
    const ImageView output = {
        { pixels, pixels + 1, pixels + 2, NULL }, { stride, stride, stride, 0 }, 3, 2, 1, SIDE, SIDE
    };
    Pool *pool = need(pool_create(1));

    kernels_init(&kernels, flags);
    params_unprepare(&model->params);
    model->params.winograd = winograd || kernels.winograd;
    if (session_open(&session, model, &kernels, pool, SIDE, SIDE, false, report)) {
        fprintf(stderr, "%s\n", report->error);
        exit(1);
    }
    session_frame(&session, &first, NULL);
    session_frame(&session, &second, NULL);
    session_pair(&session, NULL);
    session_time(&session, 1, 2, &output, NULL);
    const uint64_t hash = hash_floats(pixels, (size_t)SIDE * SIDE * 3);
    session_close(&session);
    pool_destroy(pool);
    mem_free(pixels);
    return hash;
}

/* Instruction sets that have 8-bit kernels of their own. */
static const Isa int8_isas[] = {
    { "c", 0 },
    { "avx2", CPU_AVX2 },
    { "avxvnni", CPU_AVX2 | CPU_AVXVNNI },
    { "avx512", CPU_AVX2 | CPU_AVX512 },
    { "vnni", CPU_AVX2 | CPU_AVX512 | CPU_AVX512VNNI },
    { "neon", CPU_NEON },
    { "dotprod", CPU_NEON | CPU_DOTPROD },
    { "i8mm", CPU_NEON | CPU_DOTPROD | CPU_I8MM },
};

static void check(const Isa *isa, uint64_t hash, uint64_t want)
{
    const int ok = hash == want;
    printf("%s %-8s %016" PRIx64 "\n", ok ? "ok  " : "FAIL", isa->name, hash);
    golden_count(ok);
}

/* want: 0 for a model whose weights change with training; then the hash is that of the C reference. */
static int check_int8(Model *model, const WeightFile *file, uint64_t want, Report *report)
{
    if (model_set_precision(model, DAIN_PRECISION_INT8))
        return -1;
    for (size_t i = 0; i < sizeof int8_isas / sizeof *int8_isas; i++) {
        const Isa *isa = &int8_isas[i];
        if ((cpu_flags() & isa->flags) != isa->flags)
            continue;
        const uint64_t hash = picture_hash(model, file, isa->flags, false, report);
        if (!want)
            want = hash; /* of the first one, C */
        check(isa, hash, want);
        check(isa, picture_hash(model, file, isa->flags, true, report), want);
    }
    return 0;
}

int main(int argc, char **argv)
{
    Report report = { 0 };
    Model *model;
    WeightFile *file;
    Isa isas[MAX_ISAS];

    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: golden_edge_bits MODEL PICTURES [HASH | int8 [HASH]]\n");
        return 2;
    }
    const int int8 = argc >= 4 && !strcmp(argv[3], "int8");
    const uint64_t expected = strtoull(argc == 4 ? argv[3] : usual, NULL, 16);
    if (model_open(&model, argv[1], &report) || safetensors_open(&file, argv[2], &report)) {
        fprintf(stderr, "%s\n", report.error);
        return 1;
    }
    const int n = golden_isas(isas);
    if (int8 && check_int8(model, file, argc == 5 ? strtoull(argv[4], NULL, 16) : 0, &report)) {
        fprintf(stderr, "%s\n", report.error);
        return 1;
    }
    for (int i = 0; i < n && !int8; i++)
        check(&isas[i], picture_hash(model, file, isas[i].flags, false, &report), expected);
    weights_close(&file);
    model_close(&model);
    return golden_finish();
}
