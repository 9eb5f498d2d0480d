/* Conversions of whole networks: from and to PyTorch checkpoints, from ncnn, and what is refused. */
#include "test.h"

#include "base/mem.h"
#include "golden/dain_checkpoint.h"
#include "model/convert.h"
#include "model/dain.h"
#include "weights/pth.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static Checkpoint checkpoint;
static char folder[] = "/tmp/dain-convert-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static int next;
    char *p = paths[next++ % 4];
    snprintf(p, sizeof paths[0], "%s/%s", folder, name);
    return p;
}

static int convert(const char *from, const char *to, char *error)
{
    Report report = { 0 };
    Converted done;
    const int result = convert_run(path_of(from), path_of(to), false, &done, &report);
    strcpy(error, report.error);
    if (!result)
        CHECK(done.tensors > 0 && done.elements > 0);
    return result;
}

/* The digest of a safetensors file. */
static void check_digest(const char *name)
{
    Report report = { 0 };
    WeightFile *f;
    char digest[65];
    if (!CHECK_INT(safetensors_open(&f, path_of(name), &report), 0))
        return;
    checkpoint_digest(weights_at(f, 0), weights_count(f), digest);
    CHECK_STRING(digest, CHECKPOINT_DIGEST);
    weights_close(&f);
}

/* best.pth and best.safetensors, which other tests use too. */
static void need_best(void)
{
    Report report = { 0 };
    char error[256];
    if (access(path_of("best.safetensors"), F_OK) == 0)
        return;
    CHECK_INT(pth_write(path_of("best.pth"), checkpoint.tensors, checkpoint.count, &report), 0);
    CHECK_INT(convert("best.pth", "best.safetensors", error), 0);
    CHECK_STRING(error, "");
}

static void converts_a_checkpoint_and_back(void)
{
    char error[256];
    need_best();
    check_digest("best.safetensors");
    CHECK_INT(convert("best.safetensors", "back.pth", error), 0);
    CHECK_INT(convert("back.pth", "again.safetensors", error), 0);
    CHECK_STRING(error, "");
    check_digest("again.safetensors");
}

/* ---- refusals ---- */

static WeightTensor *tensor(const char *name)
{
    for (int i = 0; i < checkpoint.count; i++)
        if (!strcmp(checkpoint.tensors[i].name, name))
            return &checkpoint.tensors[i];
    return NULL;
}

static void check_refused(const char *what)
{
    Report report = { 0 };
    char error[256];
    CHECK_INT(pth_write(path_of("bad.pth"), checkpoint.tensors, checkpoint.count, &report), 0);
    CHECK(convert("bad.pth", "bad.safetensors", error) < 0);
    CHECK_CONTAINS(error, what);
    CHECK_CONTAINS(error, "bad.pth: ");
    CHECK(access(path_of("bad.safetensors"), F_OK) != 0);
}

static void refuses_another_network(void)
{
    WeightTensor *t = tensor("ctxNet.block2.conv1.weight");
    const char *name = t->name;
    t->name = "something.else";
    check_refused("tensor ctxNet.block2.conv1.weight is missing");
    t->name = name;
    t->shape[0] = 32;
    t->shape[1] = 128;
    check_refused("tensor ctxNet.block2.conv1.weight is 32x128x3x3, the original network has "
                  "64x64x3x3");
    t->shape[0] = t->shape[1] = 64;
}

static void refuses_values_that_are_not_numbers(void)
{
    float *v = (float *)tensor("rectifyNet.block1.0.weight")->data, was = v[12345];
    v[12345] = NAN;
    check_refused("tensor rectifyNet.block1.0.weight has a value that is not a finite number");
    v[12345] = was;
    v = (float *)tensor("depthNet.3.0.1.0.0.1.running_var")->data;
    was = v[3];
    v[3] = -1;
    check_refused("has a negative variance");
    v[3] = was;
}

static void refuses_files_it_cannot_use(void)
{
    char error[256];
    need_best();
    CHECK(convert("nothing.pth", "x.safetensors", error) == DAIN_EIO);
    CHECK_CONTAINS(error, "nothing.pth: ");
    CHECK(convert("best.pth", "x.onnx", error) == DAIN_EINVAL);
    CHECK_CONTAINS(error, "must end in .safetensors or .pth");
    FILE *f = fopen(path_of("text.pth"), "w");
    if (!CHECK(f != NULL))
        return;
    fputs("not weights at all, but a text of some length", f);
    fclose(f);
    CHECK(convert("text.pth", "x.safetensors", error) == DAIN_EFORMAT);
    CHECK_CONTAINS(error, "not a safetensors file");
    CHECK(convert("text.pth", "missing/x.safetensors", error) < 0);
}

/* Some of the thousands of allocations, from the first to the last: an error, no file, no leak. */
static void survives_without_memory(void)
{
    need_best();
    const long live = mem_live();
    for (long n = 1; n < 4000; n = n * 5 / 2 + 1) {
        Report report = { 0 };
        Converted done;
        mem_fail_at(n);
        const int error =
            convert_run(path_of("best.pth"), path_of("short.safetensors"), false, &done, &report);
        mem_fail_at(0);
        CHECK(error == 0 || error == DAIN_ENOMEM);
        CHECK((access(path_of("short.safetensors"), F_OK) == 0) == (error == 0));
        CHECK_INT(mem_live(), live);
        unlink(path_of("short.safetensors"));
    }
}

/* ---- ncnn ---- */

/* Writes a network as dain-ncnn-vulkan has it: norms folded, the pyramid twice. */
typedef struct Writer {
    FILE *param, *bin;
    bool half, twice;
    int written;
    long rewind; /* where the layers that are repeated begin, in bin */
} Writer;

static uint16_t half_of(float v)
{
    /* Values of the fixture are normal halves or small; round to nearest by way of the bits. */
    uint32_t b;
    memcpy(&b, &v, 4);
    const uint32_t sign = b >> 16 & 0x8000, magnitude = b & 0x7fffffff;
    if (magnitude < 0x38800000) { /* below 2^-14: in steps of 2^-24 */
        const float f = fabsf(v) * 16777216.0f;
        return (uint16_t)(sign | (uint32_t)lrintf(f));
    }
    return (uint16_t)(sign | ((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13));
}

static void write_weights(Writer *w, const float *v, int64_t n)
{
    const uint32_t flag = w->half ? 0x01306b47 : 0;
    fwrite(&flag, 4, 1, w->bin);
    for (int64_t i = 0; i < n; i++) {
        const uint16_t h = half_of(v[i]);
        fwrite(w->half ? (const void *)&h : (const void *)&v[i], w->half ? 2 : 4, 1, w->bin);
    }
    if (w->half && n % 2)
        fwrite("\0\0", 1, 2, w->bin);
}

static const float *values(const char *name, const char *part)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", name, part);
    const WeightTensor *t = tensor(key);
    return t ? t->data : NULL;
}

static void write_layer(Writer *w, const DainLayer *e)
{
    const float *weights = values(e->name, "weight"), *bias = values(e->name, "bias");
    const int taps = e->k * e->k;
    const int64_t n = (int64_t)e->ci * e->oc * taps;
    float *v = malloc((size_t)n * sizeof *v), *b = calloc((size_t)e->oc, sizeof *b);
    for (int o = 0; o < e->oc; o++) {
        double scale = 1, shift = 0;
        if (e->norm) {
            scale = 1 / sqrt((double)values(e->norm, "running_var")[o] + 1e-5);
            shift = -values(e->norm, "running_mean")[o] * scale;
        }
        if (e->norm && e->affine) {
            scale *= values(e->norm, "weight")[o];
            shift = values(e->norm, "bias")[o] - values(e->norm, "running_mean")[o] * scale;
        }
        for (int i = 0; i < e->ci; i++)
            for (int k = 0; k < taps; k++) {
                const int64_t from =
                    e->transposed ? (int64_t)i * e->oc + o : (int64_t)o * e->ci + i;
                v[((int64_t)o * e->ci + i) * taps + k] = (float)(weights[from * taps + k] * scale);
            }
        b[o] = (float)((bias ? bias[o] : 0) * scale + shift);
    }
    fprintf(w->param, "%s layer_%d 1 1 in out 0=%d 1=%d%s 6=%lld -23310=1,1.000000e-01\n",
            e->transposed ? "Deconvolution" : "Convolution", w->written, e->oc, e->k,
            e->bias ? " 5=1" : "", (long long)n);
    write_weights(w, v, n);
    if (e->bias)
        fwrite(b, sizeof *b, (size_t)e->oc, w->bin);
    free(v);
    free(b);
    w->written++;
}

static DainLayer held[3];
static char held_names[3][40];

static void visit(void *opaque, const DainLayer *e)
{
    Writer *w = opaque;
    const int i = w->written % 6;
    if (w->twice && w->written < 36 && i < 3) {
        held[i] = *e;
        snprintf(held_names[i], sizeof held_names[i], "%s", e->name);
        held[i].name = held_names[i];
    }
    write_layer(w, e);
    for (int k = 0; w->twice && w->written <= 36 && w->written % 6 == 3 && k < 3;) {
        for (; k < 3; k++)
            write_layer(w, &held[k]);
    }
}

static void write_net(const char *name, bool half, bool twice, void (*a)(DainLoader *),
                      void (*b)(DainLoader *))
{
    char file[64];
    Writer w = { .half = half, .twice = twice };
    snprintf(file, sizeof file, "ncnn/%s.param", name);
    w.param = fopen(path_of(file), "w");
    snprintf(file, sizeof file, "ncnn/%s.bin", name);
    w.bin = fopen(path_of(file), "wb");
    if (!CHECK(w.param && w.bin))
        exit(1);
    fputs("7767517\n3 3\nInput input0 0 1 input0\nSplit split 1 2 input0 a b\n", w.param);
    DainLoader l = { .visit = visit, .opaque = &w };
    a(&l);
    if (b)
        b(&l);
    fputs("BinaryOp last 2 1 a b out 0=0\n", w.param);
    fclose(w.param);
    fclose(w.bin);
}

/* Largest difference between the parameters that two files give, in units of the larger value. */
static double compare_models(const char *one, const char *two)
{
    Report report = { 0 };
    Model *a = NULL, *b = NULL;
    double worst = 0;
    if (CHECK_INT(model_open(&a, path_of(one), &report), 0) &&
        CHECK_INT(model_open(&b, path_of(two), &report), 0) &&
        CHECK_INT(a->params.count, b->params.count))
        for (int i = 0; i < a->params.count; i++) {
            const ConvParam *p = a->params.conv[i], *q = b->params.conv[i];
            const size_t n = conv_packed_size(p->oc, p->ci, p->kh, p->kw);
            CHECK_STRING(q->name, p->name);
            for (size_t k = 0; k < n; k++) {
                const double d = fabs((double)p->weights[k] - q->weights[k]);
                worst = fmax(worst, d / (fabs(p->weights[k]) + 0.1));
            }
            for (int k = 0; k < p->oc; k++)
                worst = fmax(worst, fabs((double)p->bias[k] - q->bias[k]) / 1e-1);
        }
    model_close(&a);
    model_close(&b);
    return worst;
}

static void converts_ncnn_networks(void)
{
    char error[256];
    need_best();
    mkdir(path_of("ncnn"), 0777);
    for (int half = 0; half < 2; half++) {
        write_net("depthnet", half, false, dain_depth_load, NULL);
        write_net("flownet", half, true, dain_flow_load, NULL);
        write_net("ctxnet", half, false, dain_context_load, NULL);
        write_net("interpolation", half, false, dain_filter_load, dain_rectify_load);
        CHECK_INT(convert("ncnn", "ncnn.safetensors", error), 0);
        CHECK_STRING(error, "");
        const double worst = compare_models("best.safetensors", "ncnn.safetensors");
        if (!CHECK(worst <= (half ? 1.0 / 1024 : 1e-6)))
            fprintf(stderr, "half %d: worst %g\n", half, worst);
    }
    CHECK_INT(truncate(path_of("ncnn/flownet.bin"), 1000000), 0);
    CHECK(convert("ncnn", "x.safetensors", error) == DAIN_EFORMAT);
    CHECK_CONTAINS(error, "flownet.param: line");
    CHECK_CONTAINS(error, "cut short");
    write_net("flownet", false, false, dain_flow_load, NULL);
    CHECK(convert("ncnn", "x.safetensors", error) == DAIN_EFORMAT);
    CHECK_CONTAINS(error, "the pyramids of the two frames differ");
    write_net("flownet", false, false, dain_depth_load, NULL);
    CHECK(convert("ncnn", "x.safetensors", error) == DAIN_EFORMAT);
    CHECK_CONTAINS(error, "has another shape than flownets.conv1a.0");
}

/* The order in which layers are shown is that of the published file. */
static int last_shown;

static void check_order(void *opaque, const DainLayer *e)
{
    char key[96];
    snprintf(key, sizeof key, "%s.weight", e->name);
    const WeightTensor *t = tensor(key);
    const int at = t ? (int)(t - checkpoint.tensors) : -1;
    if (!CHECK(at > last_shown))
        fprintf(stderr, "%s comes too early\n", key);
    last_shown = at;
    ++*(int *)opaque;
}

static void shows_layers_in_the_published_order(void)
{
    void (*const parts[])(DainLoader *) = { dain_depth_load, dain_flow_load, dain_context_load,
                                            dain_filter_load, dain_rectify_load };
    int shown = 0;
    for (int i = 0; i < 5; i++) {
        DainLoader l = { .visit = check_order, .opaque = &shown };
        last_shown = -1;
        parts[i](&l);
    }
    /* 156 of depth, 63 of flow, 5 of context, 16 of kernels, 8 of synthesis */
    CHECK_INT(shown, 156 + 63 + 5 + 16 + 8);
}

static const Test tests[] = {
    { "layers are shown in the published order", shows_layers_in_the_published_order },
    { "a checkpoint becomes safetensors and a checkpoint again", converts_a_checkpoint_and_back },
    { "another network is refused", refuses_another_network },
    { "values that are not numbers are refused", refuses_values_that_are_not_numbers },
    { "files that cannot be used are refused", refuses_files_it_cannot_use },
    { "without memory nothing is left", survives_without_memory },
    { "ncnn networks become safetensors", converts_ncnn_networks },
};

int main(int argc, char **argv)
{
    static const char *const files[] = {
        "best.pth",
        "best.safetensors",
        "back.pth",
        "again.safetensors",
        "bad.pth",
        "text.pth",
        "ncnn.safetensors",
        "ncnn/depthnet.param",
        "ncnn/depthnet.bin",
        "ncnn/flownet.param",
        "ncnn/flownet.bin",
        "ncnn/ctxnet.param",
        "ncnn/ctxnet.bin",
        "ncnn/interpolation.param",
        "ncnn/interpolation.bin",
    };
    if (argc < 2 || !mkdtemp(folder)) {
        fprintf(stderr, "usage: %s state_dict.tsv [test...]\n", argv[0]);
        return 2;
    }
    checkpoint = checkpoint_make(argv[1]);
    const int failed =
        test_main(tests, (int)(sizeof(tests) / sizeof(tests[0])), argc - 1, argv + 1);
    checkpoint_free(&checkpoint);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(path_of(files[i]));
    rmdir(path_of("ncnn"));
    if (rmdir(folder) < 0) {
        printf("not ok nothing is left behind\n");
        return 1;
    }
    return failed;
}
