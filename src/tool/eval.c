/* `dain eval`: makes frames whose truth is known and says how far from it they are. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "media/metrics.h"
#include "tool/common.h"
#include "tool/eval_method.h"
#include "tool/eval_picture.h"
#include "tool/eval_report.h"
#include "tool/eval_source.h"

extern const Command command_eval;

typedef struct EvalOptions {
    CommonOptions common;
    EngineOptions engine;
    TextList vs;            /* "blend", "nearest" or paths of models */
    const char *save;       /* folder for pictures, made if it does not exist */
    const char *csv, *json; /* files */
    bool luma, drop_odd;
} EvalOptions;

typedef struct Eval {
    const EvalOptions *options;
    const char *path;
    Report report;
    EvalMethod method[EVAL_MAX_METHODS];
    int methods;
    EvalSource *source;
    EvalReport out;
    uint8_t *made[EVAL_MAX_METHODS]; /* frames of the present item */
    uint8_t *error, *strip;          /* if pictures are saved */
    int width, height;               /* of the buffers above */
} Eval;

static int no_memory(Eval *e)
{
    return report_error(&e->report, DAIN_ENOMEM, "out of memory");
}

/* ---- methods ---- */

/* The file name without folder and extension, with a number if another method has it already. */
static void make_label(Eval *e, int index, const char *what)
{
    EvalColumn *const column = &e->out.column[index];
    const char *const slash = strrchr(what, '/');
    const char *const base = slash ? slash + 1 : what;
    const char *const dot = strrchr(base, '.');
    const int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    snprintf(column->label, sizeof(column->label), "%.*s", length < 48 ? length : 48, base);
    const size_t n = strlen(column->label);
    int same = 1;
    for (int i = 0; i < index; i++) {
        const char *const other = e->out.column[i].label;
        if (!strncmp(other, column->label, n) && (!other[n] || other[n] == '#'))
            same++;
    }
    if (same > 1)
        snprintf(column->label + n, sizeof(column->label) - n, "#%d", same);
}

static int add_method(Eval *e, const char *what)
{
    EvalMethod *const m = &e->method[e->methods];
    /* the models of --vs: in the precision that their files say, by our own engine */
    const EngineOptions native = { 0 };
    CommonOptions common = e->options->common;
    if (e->methods > 0)
        common.precision = NULL;
    const int ret =
        eval_method_open(m, what, &common, e->methods ? &native : &e->options->engine, &e->report);
    if (ret)
        return ret;
    EvalColumn *const column = &e->out.column[e->methods];
    column->kind = eval_kind_name(m->kind);
    DainInfo info;
    DainContext *const context = m->engine ? backend_context(m->engine) : NULL;
    if (context && dain_info(context, &info) == DAIN_OK) {
        column->file = info.model;
        column->network = info.network;
        what = info.model;
    } else if (m->engine) {
        column->engine = e->options->engine.name;
        column->file = what = what ? what : dain_default_model();
    }
    make_label(e, e->methods, what);
    e->out.columns = ++e->methods;
    return DAIN_OK;
}

/* ---- an item ---- */

static int prepare_size(Eval *e, int width, int height)
{
    if (e->width == width && e->height == height)
        return DAIN_OK;
    const size_t size = 3 * (size_t)width * height;
    e->width = e->height = 0;
    for (int i = 0; i < e->methods; i++) {
        mem_free(e->made[i]);
        e->made[i] = mem_alloc(size);
        if (!e->made[i])
            return no_memory(e);
    }
    if (e->options->save) {
        int strip_width, strip_height;
        eval_strip_size(width, height, e->methods, &strip_width, &strip_height);
        mem_free(e->error);
        mem_free(e->strip);
        e->error = mem_alloc(size);
        e->strip = mem_alloc(3 * (size_t)strip_width * strip_height);
        if (!e->error || !e->strip)
            return no_memory(e);
        memset(e->strip, 255, 3 * (size_t)strip_width * strip_height);
    }
    e->width = width;
    e->height = height;
    return DAIN_OK;
}

static int make(Eval *e, int index, const EvalItem *item, const uint8_t *ahead)
{
    EvalMethod *const m = &e->method[index];
    interruption_watch(m->engine);
    const int ret = atomic_load(interruption())
                        ? report_error(&e->report, DAIN_ECANCELED, "interrupted")
                        : eval_method_make(m, e->made[index], item, ahead, &e->report);
    interruption_stop();
    return ret;
}

/* ahead: the second frame of the next item, if that goes on from this one, else NULL. */
static int measure(Eval *e, const EvalItem *item, const uint8_t *ahead, Metrics *score)
{
    const ptrdiff_t stride = 3 * (ptrdiff_t)item->width;
    for (int i = 0; i < e->methods; i++) {
        int ret = make(e, i, item, ahead);
        if (ret)
            return ret;
        ret = metrics_compare(e->made[i], stride, item->truth, stride, item->width, item->height,
                              e->out.space, &score[i]);
        if (ret == DAIN_EINVAL)
            return report_error(&e->report, ret, "%s: %dx%d is too small to be measured",
                                item->name, item->width, item->height);
        if (ret)
            return no_memory(e);
    }
    return DAIN_OK;
}

/* ---- pictures ---- */

static int save_one(Eval *e, const char *name, const char *suffix, const uint8_t *rgb, int width,
                    int height)
{
    const size_t size = strlen(e->options->save) + strlen(name) + strlen(suffix) + 8;
    char *const path = mem_alloc(size);
    if (!path)
        return no_memory(e);
    const int start = snprintf(path, size, "%s/", e->options->save);
    snprintf(path + start, size - start, "%s-%s.png", name, suffix);
    for (char *p = path + start; *p; p++)
        if (*p == '/')
            *p = '_';
    const int ret = eval_picture_write(path, rgb, width, height, &e->report);
    mem_free(path);
    return ret;
}

static int save(Eval *e, const EvalItem *item)
{
    const int width = item->width, height = item->height;
    int ret = DAIN_OK;
    for (int i = e->methods - 1; i >= 0 && !ret; i--) { /* the model's error map is left at last */
        eval_error_map(e->error, e->made[i], item->truth, width, height);
        const uint8_t *const picture[EVAL_STRIP_COLUMNS] = { item->first, e->made[i], item->truth,
                                                             item->second, e->error };
        eval_strip_row(e->strip, i, picture, width, height);
        ret = save_one(e, item->name, e->out.column[i].label, e->made[i], width, height);
    }
    if (!ret)
        ret = save_one(e, item->name, "error", e->error, width, height);
    int strip_width, strip_height;
    eval_strip_size(width, height, e->methods, &strip_width, &strip_height);
    return ret ? ret : save_one(e, item->name, "strip", e->strip, strip_width, strip_height);
}

/* ---- the run ---- */

/* An item that outlives the next one. */
typedef struct OwnItem {
    EvalItem item; /* width 0 = none */
    char *name;
    uint8_t *pictures; /* the three of them */
} OwnItem;

static void own_free(OwnItem *own)
{
    mem_free(own->name);
    mem_free(own->pictures);
    *own = (OwnItem){ 0 };
}

/* 1 with the next item, 0 at the end, negative on error. */
static int own_next(Eval *e, OwnItem *own)
{
    EvalItem item;
    own_free(own);
    const int ret = eval_source_next(e->source, &item, &e->report);
    if (ret <= 0)
        return ret;
    const size_t size = 3 * (size_t)item.width * item.height;
    *own = (OwnItem){ item, mem_strdup(item.name), mem_alloc(3 * size) };
    if (!own->name || !own->pictures)
        return no_memory(e);
    const uint8_t **const to[] = { &own->item.first, &own->item.truth, &own->item.second };
    for (int i = 0; i < 3; i++) {
        memcpy(own->pictures + i * size, *to[i], size);
        *to[i] = own->pictures + i * size;
    }
    own->item.name = own->name;
    return ret;
}

static int measure_item(Eval *e, const EvalItem *item, const EvalItem *next)
{
    Metrics score[EVAL_MAX_METHODS];
    const bool goes_on =
        next->width == item->width && next->height == item->height && next->continues;
    int ret = prepare_size(e, item->width, item->height);
    if (!ret)
        ret = measure(e, item, goes_on ? next->second : NULL, score);
    if (!ret && e->options->save)
        ret = save(e, item);
    return ret ? ret
               : eval_report_row(&e->out, item->name, item->width, item->height, score, &e->report);
}

/* The next item is read ahead: motion is seen in its frames too. */
static int measure_all(Eval *e)
{
    OwnItem item = { 0 }, next = { 0 };
    int ret = own_next(e, &item);
    while (ret > 0) {
        const int more = own_next(e, &next); /* an error counts when this item is done */
        ret = measure_item(e, &item.item, &next.item);
        own_free(&item);
        item = next;
        next = (OwnItem){ 0 };
        if (!ret)
            ret = more;
    }
    own_free(&item);
    own_free(&next);
    return ret;
}

static int make_folder(const char *path, Report *report)
{
    struct stat st;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return DAIN_OK;
    return report_error(report, DAIN_EIO, "%s: %s", path,
                        errno == EEXIST ? "is not a folder" : strerror(errno));
}

static int open_all(Eval *e)
{
    const EvalOptions *const o = e->options;
    int ret = eval_source_open(&e->source, e->path, o->drop_odd, interruption(), &e->report);
    if (!ret)
        ret = add_method(e, o->common.model);
    for (int i = 0; i < o->vs.count && !ret; i++)
        ret = add_method(e, o->vs.text[i]);
    if (!ret && o->save)
        ret = make_folder(o->save, &e->report);
    if (ret)
        return ret;
    e->out.source = e->path;
    e->out.layout = eval_source_layout(e->source);
    e->out.space = o->luma ? METRICS_LUMA : METRICS_RGB;
    e->out.csv_path = o->csv;
    e->out.json_path = o->json;
    e->out.name_width = eval_source_name_width(e->source);
    return eval_report_begin(&e->out, &e->report);
}

static void close_all(Eval *e)
{
    eval_report_close(&e->out);
    eval_source_close(&e->source);
    for (int i = 0; i < EVAL_MAX_METHODS; i++) {
        eval_method_close(&e->method[i]);
        mem_free(e->made[i]);
    }
    mem_free(e->error);
    mem_free(e->strip);
}

static int run(const void *values, int count, char **operands)
{
    const EvalOptions *const o = values;
    if (count != 1)
        return options_wrong(&command_eval,
                             count ? "one PATH at a time" : "a test set or a video is needed");
    if (o->vs.count >= EVAL_MAX_METHODS)
        return options_wrong(&command_eval, "too many methods to compare with, 7 are possible");
    Eval e = { .options = o, .path = operands[0] };
    messages_start(&e.report, &o->common);
    interruption_start(NULL);
    int ret = open_all(&e);
    if (!ret)
        ret = measure_all(&e);
    if (!ret)
        ret = eval_report_end(&e.out, &e.report);
    const bool damaged = !ret && eval_source_damaged(e.source);
    close_all(&e);
    if (ret == DAIN_ECANCELED)
        return interruption_code() ? interruption_code() : EXIT_INTERRUPTED;
    return ret < 0 ? EXIT_FAILED : damaged ? EXIT_DAMAGED : EXIT_DONE;
}

#define AT(member) offsetof(EvalOptions, member)

static const Option options[] = {
    MOTION_OPTION(EvalOptions, common),
    COMMON_OPTIONS(EvalOptions, common),
    ENGINE_OPTIONS(EvalOptions, engine),
    { 0, "vs", OPTION_LIST, AT(vs), "METHOD",
      "what to compare with: blend, nearest or another .safetensors file; may be repeated", 0, 0 },
    { 0, "luma", OPTION_FLAG, AT(luma), NULL, "measure luma instead of RGB", 0, 0 },
    { 0, "drop-odd", OPTION_FLAG, AT(drop_odd), NULL,
      "the folder holds the frames of a clip: every second one is made again", 0, 0 },
    { 0, "csv", OPTION_TEXT, AT(csv), "FILE", "write the scores as CSV, too", 0, 0 },
    { 0, "json", OPTION_TEXT, AT(json), "FILE", "write the scores as JSON, too", 0, 0 },
    { 0, "save", OPTION_TEXT, AT(save), "DIR",
      "write every frame made, its error (grey, 8 times) and a strip of first frame, made frame, "
      "truth, second frame and error as PNG into the folder",
      0, 0 },
};

static const EvalOptions defaults = { .common.motion = "curved" };

const Command command_eval = {
    "eval",
    "measure the quality of made frames: PSNR, SSIM and interpolation error",
    "[options] PATH",
    "Makes every frame whose truth is known and compares. PATH is a folder in the layout of "
    "Middlebury (input/SEQ/frame10, frame11, gt/SEQ/frame10i11), Vimeo-90K (tri_testlist.txt, "
    "sequences/SEQ/im1, im2, im3) or UCF101 (SEQ/frame0, frame1, frame2), any tree of im1, im2, "
    "im3, or a video, of which every second frame is made again.\n\n"
    "Frames are rounded to 8 bits. PSNR and IE (mean absolute difference in levels) are over RGB, "
    "SSIM is that of Wang et al. 2004, averaged over R, G and B. docs/eval.md names every "
    "convention.",
    options,
    OPTION_COUNT(options),
    sizeof(EvalOptions),
    &defaults,
    run,
};
