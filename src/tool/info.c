/* dain info: versions, processor, the model and its card. */
#include "base/cpu.h"
#include "base/mem.h"
#include "media/libav.h"
#include "tool/common.h"
#include "tool/json.h"
#include "weights/safetensors.h"

#include <inttypes.h>
#include <libavutil/version.h>
#include <string.h>
#include <zimg.h>

typedef struct InfoOptions {
    CommonOptions common;
    PictureSize size;
    bool json;
} InfoOptions;

typedef struct Facts {
    DainInfo model;
    WeightFile *card;
    unsigned zimg[3];
    char cpu_has[128], cpu_used[128];
} Facts;

/* Sizes of memory are known once a frame of the size is in the engine. */
static int measure(const InfoOptions *o, Facts *facts, Report *report)
{
    DainContext *engine = engine_open(&o->common);
    if (!engine)
        return DAIN_EIO;
    const size_t bytes = 3 * (size_t)o->size.width * (size_t)o->size.height;
    uint8_t *const black = mem_calloc(bytes, 1);
    int r = DAIN_ENOMEM;
    if (black) {
        const DainImage image = { .width = o->size.width,
                                  .height = o->size.height,
                                  .sample = DAIN_SAMPLE_U8,
                                  .step = 3,
                                  .plane = { black, black, black },
                                  .stride = { 3 * o->size.width, 3 * o->size.width,
                                              3 * o->size.width } };
        r = dain_push(engine, &image);
    }
    if (r < 0)
        report_error(report, r, "%s", black ? dain_last_error(engine) : "out of memory");
    else
        dain_info(engine, &facts->model);
    /* Other kinds of model files have no card. */
    if (r == DAIN_OK)
        safetensors_open(&facts->card, facts->model.model, NULL);
    if (r == DAIN_OK) {
        /* Strings of the engine end with it. */
        facts->model.network = mem_strdup(facts->model.network);
        facts->model.precision = mem_strdup(facts->model.precision);
        facts->model.model = mem_strdup(facts->model.model);
        facts->model.cpu = mem_strdup(facts->model.cpu);
        if (!facts->model.network || !facts->model.precision || !facts->model.model ||
            !facts->model.cpu)
            r = report_error(report, DAIN_ENOMEM, "out of memory");
    } else {
        facts->model = (DainInfo){ 0 };
    }
    mem_free(black);
    dain_close(&engine);
    return r;
}

static void release(Facts *facts)
{
    mem_free((void *)facts->model.network);
    mem_free((void *)facts->model.precision);
    mem_free((void *)facts->model.model);
    mem_free((void *)facts->model.cpu);
    weights_close(&facts->card);
}

/* Entries of the card. */
static int cards(const Facts *f)
{
    return f->card ? weights_meta_count(f->card) : 0;
}

static double mib(size_t bytes)
{
    return (double)bytes / 1048576;
}

static size_t all_bytes(const DainInfo *m)
{
    return m->arena_bytes + m->weight_bytes + 2 * m->frame_bytes;
}

static void print_text(const InfoOptions *o, const Facts *f)
{
    const DainInfo *const m = &f->model;
    const double pixels = (double)o->size.width * o->size.height;
    printf("dain        %s\n", dain_version());
    printf("libraries   libavformat %d.%d.%d, libavcodec %d.%d.%d, libavutil %d.%d.%d, zimg "
           "%u.%u.%u\n",
           AV_VERSION_MAJOR(avformat_version()), AV_VERSION_MINOR(avformat_version()),
           AV_VERSION_MICRO(avformat_version()), AV_VERSION_MAJOR(avcodec_version()),
           AV_VERSION_MINOR(avcodec_version()), AV_VERSION_MICRO(avcodec_version()),
           AV_VERSION_MAJOR(avutil_version()), AV_VERSION_MINOR(avutil_version()),
           AV_VERSION_MICRO(avutil_version()), f->zimg[0], f->zimg[1], f->zimg[2]);
    printf("processors  %d, with %s\n", cpu_count(), f->cpu_has);
    printf("in use      %s, %d thread%s\n\n", f->cpu_used, m->threads, m->threads == 1 ? "" : "s");
    printf("model       %s\n", m->model);
    printf("network     %s in %s\n", m->network, m->precision);
    printf("parameters  %" PRId64 " (%.2f MiB in memory)\n", m->parameters, mib(m->weight_bytes));
    printf("arithmetic  %.0f multiply-adds a pixel of a new frame at twice the rate, %.2f G at "
           "%dx%d\n",
           m->macs_per_pixel, 1e-9 * m->macs_per_pixel * pixels, o->size.width, o->size.height);
    printf("memory      %.1f MiB at %dx%d: %.1f to work in, %.1f for each of two frames, weights\n",
           mib(all_bytes(m)), o->size.width, o->size.height, mib(m->arena_bytes),
           mib(m->frame_bytes));
    if (cards(f))
        printf("\ncard\n");
    for (int i = 0; i < cards(f); i++) {
        const WeightMeta meta = weights_meta_at(f->card, i);
        printf("  %-20s %s\n", meta.key, meta.value);
    }
}

static void print_json(const InfoOptions *o, const Facts *f)
{
    const DainInfo *const m = &f->model;
    printf("{\n  \"version\": ");
    json_print(stdout, dain_version());
    printf(",\n  \"libavformat\": %u, \"libavcodec\": %u, \"libavutil\": %u, "
           "\"zimg\": \"%u.%u.%u\",\n",
           avformat_version(), avcodec_version(), avutil_version(), f->zimg[0], f->zimg[1],
           f->zimg[2]);
    printf("  \"processors\": %d, \"cpu_has\": \"%s\", \"cpu_used\": \"%s\", \"threads\": %d,\n",
           cpu_count(), f->cpu_has, f->cpu_used, m->threads);
    printf("  \"model\": ");
    json_print(stdout, m->model);
    printf(",\n  \"network\": \"%s\", \"precision\": \"%s\", \"parameters\": %" PRId64
           ", \"macs_per_pixel\": %.1f,\n",
           m->network, m->precision, m->parameters, m->macs_per_pixel);
    printf("  \"width\": %d, \"height\": %d, \"arena_bytes\": %zu, \"frame_bytes\": %zu, "
           "\"weight_bytes\": %zu,\n  \"card\": {",
           o->size.width, o->size.height, m->arena_bytes, m->frame_bytes, m->weight_bytes);
    for (int i = 0; i < cards(f); i++) {
        const WeightMeta meta = weights_meta_at(f->card, i);
        fputs(i ? ",\n    " : "\n    ", stdout);
        json_print(stdout, meta.key);
        fputs(": ", stdout);
        json_print(stdout, meta.value);
    }
    printf("\n  }\n}\n");
}

static int run(const void *values, int count, char **operands)
{
    InfoOptions o = *(const InfoOptions *)values;
    Report report;
    Facts facts = { 0 };
    messages_start(&report, &o.common);
    if (count > 1) {
        fprintf(stderr, "dain info: one model at a time: %s (dain info --help)\n", operands[1]);
        return EXIT_USAGE;
    }
    if (count)
        o.common.model = operands[0];
    zimg_get_version_info(&facts.zimg[0], &facts.zimg[1], &facts.zimg[2]);
    cpu_flags_name(cpu_flags_detect(), facts.cpu_has, sizeof facts.cpu_has);
    cpu_flags_name(cpu_flags(), facts.cpu_used, sizeof facts.cpu_used);
    const int r = measure(&o, &facts, &report);
    if (r == DAIN_OK)
        (o.json ? print_json : print_text)(&o, &facts);
    release(&facts);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

#define AT(member) offsetof(InfoOptions, member)

static const Option options[] = {
    { 0, "size", OPTION_SIZE, AT(size), "WxH",
      "frame size that memory and arithmetic are given for "
      "[1280x720]",
      0, 0 },
    { 0, "json", OPTION_FLAG, AT(json), NULL, "print JSON", 0, 0 },
    COMMON_OPTIONS(InfoOptions, common),
};

static const InfoOptions defaults = { .size = { 1280, 720 } };

const Command command_info = {
    "info",
    "show the model, the processor and the versions",
    "[options] [MODEL]",
    "Prints what a model file holds (network, parameters, arithmetic, the memory it needs for a "
    "frame "
    "size, its card), what the processor can do and what of it is used, and the versions of the "
    "libraries.",
    options,
    OPTION_COUNT(options),
    sizeof(InfoOptions),
    &defaults,
    run,
};
