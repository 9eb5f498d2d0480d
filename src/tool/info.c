/* dain info: versions, processor, the model and its card; or a video. */
#include "base/cpu.h"
#include "base/mem.h"
#include "engine/models.h"
#include "media/libav.h"
#include "tool/common.h"
#include "tool/info_video.h"
#include "tool/json.h"
#include "weights/safetensors.h"

#include <inttypes.h>
#include <libavutil/version.h>
#include <string.h>
#include <zimg.h>

extern const Command command_info;

typedef struct InfoOptions {
    CommonOptions common;
    PictureSize size;
    bool json, list;
} InfoOptions;

static const char *const precisions[] = { "f32", "bf16", "int8" };
enum { PRECISIONS = sizeof precisions / sizeof *precisions };

typedef struct Facts {
    ModelPlace *models;
    int model_count;
    DainInfo model;
    DainPlan plan; /* under the options */
    DainPlan plans[PRECISIONS];
    bool planned[PRECISIONS];
    WeightFile *card;
    unsigned zimg[3];
    char cpu_has[128], cpu_used[128];
} Facts;

/* Strings of the engine end with it. */
static int keep_strings(Facts *f)
{
    f->model.network = mem_strdup(f->model.network);
    f->model.precision = mem_strdup(f->plan.precision);
    f->model.model = mem_strdup(f->model.model);
    f->model.cpu = mem_strdup(f->model.cpu);
    f->plan.precision = f->model.precision;
    return f->model.network && f->model.precision && f->model.model && f->model.cpu ? DAIN_OK
                                                                                    : DAIN_ENOMEM;
}

/* What the model is, and what a size needs in each precision that it can be computed in. */
static int measure(const InfoOptions *o, Facts *facts, Report *report)
{
    DainContext *engine = engine_open(&o->common);
    if (!engine)
        return DAIN_EIO;
    int r = dain_plan(engine, o->size.width, o->size.height, &facts->plan);
    if (r < 0) {
        report_error(report, r, "%s", dain_last_error(engine));
    } else {
        dain_info(engine, &facts->model);
        /* Other kinds of model files have no card. */
        safetensors_open(&facts->card, facts->model.model, NULL);
        r = keep_strings(facts);
        if (r < 0)
            report_error(report, r, "out of memory");
    }
    dain_close(&engine);
    CommonOptions common = o->common;
    common.memory_limit = 0;
    for (int i = 0; i < PRECISIONS && r == DAIN_OK; i++) {
        common.precision = precisions[i];
        engine = engine_try(&common);
        facts->planned[i] =
            engine && dain_plan(engine, o->size.width, o->size.height, &facts->plans[i]) == DAIN_OK;
        dain_close(&engine);
    }
    return r;
}

static void release(Facts *facts)
{
    mem_free((void *)facts->model.network);
    mem_free((void *)facts->model.precision);
    mem_free((void *)facts->model.model);
    mem_free((void *)facts->model.cpu);
    weights_close(&facts->card);
    mem_free(facts->models);
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

static void print_plan(const char *name, const DainPlan *p)
{
    printf("  %-8s %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f\n", name, mib(p->arena_bytes),
           mib(p->scratch_bytes), mib(p->weight_bytes), mib((size_t)p->frames * p->frame_bytes),
           mib((size_t)p->pairs * p->pair_bytes), mib(p->total_bytes));
}

/* Each precision without a limit, then what the options lead to. */
static void print_plans(const InfoOptions *o, const Facts *f)
{
    const DainPlan *const p = &f->plan;
    printf("\nmemory of the network at %dx%d, MiB\n  %-8s %9s %9s %9s %9s %9s %9s\n", o->size.width,
           o->size.height, "", "working", "threads", "weights", "frames", "pairs", "together");
    for (int i = 0; i < PRECISIONS; i++)
        if (f->planned[i])
            print_plan(precisions[i], &f->plans[i]);
    print_plan("chosen", p);
    printf("  chosen: %s", p->precision);
    if (p->flow_divisor > 1)
        printf(", motion at 1/%d of the resolution", p->flow_divisor);
    if (p->frames < 3 && motion_curved(&o->common))
        printf(", linear motion");
    if (p->strip_rows)
        printf(", fine layers in strips of %d rows", p->strip_rows);
    if (p->bands > 1)
        printf(", pictures in %d bands", p->bands);
    printf("\n");
}

/* Where a model of that name would come from, one a line; the one in use is marked. */
static void print_models(const ModelPlace *list, int count, const char *used)
{
    printf("models      ");
    for (int i = 0; i < count; i++)
        printf("%s%-12s%s%s\n", i ? "            " : "", list[i].name, list[i].path,
               strcmp(list[i].path, used) ? "" : " (this one)");
    if (!count)
        printf("none found by name\n");
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
    printf("in use      %s, %d thread%s\n", f->cpu_used, m->threads, plural(m->threads));
    print_models(f->models, f->model_count, m->model);
    printf("\nmodel       %s\n", m->model);
    printf("network     %s in %s\n", m->network, m->precision);
    printf("parameters  %" PRId64 " (%.2f MiB in memory)\n", m->parameters, mib(m->weight_bytes));
    printf("arithmetic  %.0f multiply-adds a pixel of a new frame at twice the rate, %.2f G at "
           "%dx%d\n",
           m->macs_per_pixel, 1e-9 * m->macs_per_pixel * pixels, o->size.width, o->size.height);
    print_plans(o, f);
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
    printf("  \"models\": [");
    for (int i = 0; i < f->model_count; i++) {
        printf("%s{ \"name\": ", i ? ", " : "");
        json_print(stdout, f->models[i].name);
        printf(", \"path\": ");
        json_print(stdout, f->models[i].path);
        printf(" }");
    }
    printf("],\n  \"model\": ");
    json_print(stdout, m->model);
    printf(",\n  \"network\": \"%s\", \"precision\": \"%s\", \"parameters\": %" PRId64
           ", \"macs_per_pixel\": %.1f,\n",
           m->network, m->precision, m->parameters, m->macs_per_pixel);
    const DainPlan *const p = &f->plan;
    printf("  \"width\": %d, \"height\": %d, \"arena_bytes\": %zu, \"scratch_bytes\": %zu, "
           "\"frame_bytes\": %zu, \"pair_bytes\": %zu, \"frames\": %d, \"pairs\": %d,\n  "
           "\"weight_bytes\": %zu, "
           "\"total_bytes\": %zu, \"flow_divisor\": %d, \"strip_rows\": %d, \"bands\": %d,\n",
           o->size.width, o->size.height, p->arena_bytes, p->scratch_bytes, p->frame_bytes,
           p->pair_bytes, p->frames, p->pairs, p->weight_bytes, p->total_bytes, p->flow_divisor,
           p->strip_rows, p->bands);
    printf("  \"total_bytes_by_precision\": {");
    for (int i = 0, n = 0; i < PRECISIONS; i++)
        if (f->planned[i])
            printf("%s \"%s\": %zu", n++ ? "," : "", precisions[i], f->plans[i].total_bytes);
    printf(" },\n  \"card\": {");
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
    if (count > 1)
        return options_wrong(&command_info, "one model or video at a time: %s", operands[1]);
    if (count && info_is_video(operands[0]))
        return info_print_video(operands[0], o.json, &report) < 0 ? EXIT_FAILED : EXIT_DONE;
    if (count)
        o.common.model = operands[0];
    facts.models = mem_calloc(MODELS_MOST, sizeof *facts.models);
    if (facts.models)
        facts.model_count = models_list(facts.models);
    if (o.list) {
        for (int i = 0; i < facts.model_count; i++)
            puts(facts.models[i].name);
        release(&facts);
        return EXIT_DONE;
    }
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
    { 0, "list", OPTION_FLAG, AT(list), NULL, "print only the names of the models that are found",
      0, 0 },
    MOTION_OPTION(InfoOptions, common),
    COMMON_OPTIONS(InfoOptions, common),
};

static const InfoOptions defaults = { .size = { 1280, 720 }, .common.motion = "curved" };

const Command command_info = {
    "info",
    "show the model, the processor and the versions, or what a video is",
    "[options] [MODEL|VIDEO]",
    "Prints what a model file holds (network, parameters, arithmetic, the memory it needs for a "
    "frame "
    "size, its card), what the processor can do and what of it is used, and the versions of the "
    "libraries.\n\nOf a video (a file, a folder or pattern of pictures): container, size, rate, "
    "frames, colour, rotation, streams.",
    options,
    OPTION_COUNT(options),
    sizeof(InfoOptions),
    &defaults,
    run,
};
