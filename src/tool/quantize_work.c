/* Calibrating, measuring and raising layers: the work behind `dain quantize`. */
#include "tool/quantize.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "tool/common.h"
#include "tool/eval_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *precision_name(DataType type)
{
    return type == TYPE_U8 ? "int8" : type == TYPE_BF16 ? "bf16" : "f32";
}

static void say(const Quantizer *q, const char *what, int done, int all)
{
    char line[96];
    snprintf(line, sizeof line, "%s %d/%d", what, done, all);
    if (q->progress)
        messages_status(line);
}

static int interrupted(const Quantizer *q)
{
    return atomic_load(interruption()) ? report_error(q->report, DAIN_ECANCELED, "interrupted")
                                       : DAIN_OK;
}

int quantizer_open(Quantizer *q, const char *model, int threads, Report *report)
{
    q->report = report;
    int error = model_open(&q->model, model, report);
    if (error)
        return error;
    model_set_precision(q->model, DAIN_PRECISION_F32);
    kernels_init(&q->kernels, cpu_flags());
    q->model->params.winograd = q->kernels.winograd;
    q->pool = pool_create(threads ? threads : cpu_count());
    if (!q->pool)
        return report_error(report, DAIN_ESYSTEM, "no memory or no threads");

    enum { SIDE = 256 };
    Network n;
    error = model_network(q->model, &n, SIDE, SIDE, false, report);
    for (int r = 0; r < 3 && !error; r++)
        for (int i = 0; i < n.graph[r].op_count; i++) {
            const Op *op = &n.graph[r].ops[i];
            int k = 0;
            if (op->kind != OP_CONV)
                continue;
            while (k < q->layers && q->layer[k].conv != op->conv)
                k++;
            if (k == QUANTIZE_MAX_LAYERS)
                break;
            q->layer[k].conv = (ConvParam *)op->conv;
            q->layer[k].macs += op_macs(&n.graph[r], op) / ((double)SIDE * SIDE);
            q->layers = k < q->layers ? q->layers : k + 1;
        }
    network_free(&n);
    return error;
}

void quantizer_close(Quantizer *q)
{
    for (int i = 0; i < q->samples; i++)
        mem_free(q->sample[i].rgb);
    mem_free(q->sample);
    pool_destroy(q->pool);
    model_close(&q->model);
}

/* ---- samples ---- */

static int keep(Quantizer *q, const EvalItem *item)
{
    const size_t bytes = (size_t)item->width * item->height * 3;
    QuantizeSample *s = &q->sample[q->samples];
    *s = (QuantizeSample){ .rgb = mem_alloc(4 * bytes), .w = item->width, .h = item->height };
    if (!s->rgb)
        return report_error(q->report, DAIN_ENOMEM, "out of memory for the calibration pictures");
    memcpy(s->rgb, item->first, bytes);
    memcpy(s->rgb + bytes, item->truth, bytes);
    memcpy(s->rgb + 2 * bytes, item->second, bytes);
    s->f32 = s->rgb + 3 * bytes;
    q->samples++;
    return DAIN_OK;
}

/* Drops every second sample from `first` on. */
static void thin_out(Quantizer *q, int first)
{
    int kept = first;
    for (int i = first; i < q->samples; i++) {
        if ((i - first) % 2)
            mem_free(q->sample[i].rgb);
        else
            q->sample[kept++] = q->sample[i];
    }
    q->samples = kept;
}

/* At most `most` triplets of one path, evenly spaced although its length is not known before. */
static int load_path(Quantizer *q, const char *path, int most)
{
    EvalSource *source;
    EvalItem item;
    int error = eval_source_open(&source, path, 0, interruption(), q->report);
    if (error)
        return error;
    const int first = q->samples;
    int step = 1, at = 0, more = 0;
    while (!error && (more = eval_source_next(source, &item, q->report)) > 0) {
        if (at++ % step)
            continue;
        if (q->samples - first == most) {
            thin_out(q, first);
            step *= 2;
            if ((at - 1) % step)
                continue;
        }
        error = keep(q, &item);
        say(q, "reading triplet", q->samples, q->samples);
    }
    eval_source_close(&source);
    return error ? error : more;
}

int quantizer_load(Quantizer *q, const char *const *paths, int wanted)
{
    int count = 0;
    while (paths[count])
        count++;
    const int each = (wanted + count - 1) / count;
    q->sample = mem_calloc((size_t)each * count + 1, sizeof *q->sample);
    if (!q->sample)
        return report_error(q->report, DAIN_ENOMEM, "out of memory for the calibration pictures");
    for (int i = 0; i < count; i++) {
        const int error = load_path(q, paths[i], each);
        if (error)
            return error;
    }
    return q->samples ? DAIN_OK
                      : report_error(q->report, DAIN_EINVAL,
                                     "too short to calibrate on: three frames are needed");
}

static ImageView picture(const QuantizeSample *s, int which)
{
    uint8_t *p = s->rgb + (size_t)which * s->w * s->h * 3;
    const ptrdiff_t stride = (ptrdiff_t)s->w * 3;
    return (ImageView){ .plane = { p, p + 1, p + 2 },
                        .stride = { stride, stride, stride },
                        .step = 3,
                        .peak = 255,
                        .w = s->w,
                        .h = s->h };
}

/* ---- calibration ---- */

static int add_all(Quantizer *q, Calibration *c)
{
    int error = DAIN_OK;
    for (int i = 0; i < q->samples && !error; i++) {
        const ImageView first = picture(&q->sample[i], 0), second = picture(&q->sample[i], 2);
        say(q, "calibrating on triplet", i + 1, q->samples);
        error = calibration_add(c, &first, &second);
        if (!error)
            error = interrupted(q);
    }
    return error;
}

int quantizer_calibrate(Quantizer *q, RangeMethod method)
{
    Calibration *c;
    int error = calibration_create(&c, q->model, &q->kernels, q->pool, q->report);
    if (error)
        return error;
    error = add_all(q, c);
    if (!error) {
        const int changed = calibration_equalise(c);
        error = changed < 0 ? changed : add_all(q, c);
    }
    if (!error)
        error = calibration_finish(c, method);
    calibration_free(&c);
    return error;
}

/* ---- measuring ---- */

/* Mean square error between two pictures, in 8-bit levels. */
static double square_error(const uint8_t *a, const uint8_t *b, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int d = a[i] - b[i];
        sum += d * d;
    }
    return (double)sum / (double)n;
}

/* What one sample loses. Against the truth the difference of two PSNRs is mostly luck: rounding can
 * bring a wrong frame nearer as well as farther. Its expectation is what counts: as if the deviation
 * from the f32 frame were added to that frame's error, independent of it. */
static double loss_of(QuantizeSample *s, const uint8_t *made)
{
    enum {
        ROUNDING = 1
    }; /* level^2: keeps pictures that are nearly perfect from ruling the rest */
    const size_t n = (size_t)s->w * s->h * 3;
    const double f32 = s->error + ROUNDING;
    return 10 * log10((f32 + square_error(made, s->f32, n)) / f32);
}

/* Makes the frames in f32 and keeps them, with their errors. */
static double note_f32(QuantizeSample *s, const uint8_t *made)
{
    const size_t n = (size_t)s->w * s->h * 3;
    memcpy(s->f32, made, n);
    s->error = square_error(made, s->rgb + n, n);
    return 10 * log10(255.0 * 255.0 / fmax(s->error, 1e-5));
}

/* Mean over the made frames in the present precisions and ranges: the expected loss, or, with
 * `f32`, their PSNR, and they become what others are compared with. */
static int measure(Quantizer *q, bool f32, double *result)
{
    double sum = 0;
    int error = interrupted(q);
    Session session = { 0 };
    uint8_t *made = NULL;
    params_unprepare(&q->model->params);
    for (int i = 0; i < q->samples && !error; i++) {
        QuantizeSample *s = &q->sample[i];
        if (session.network.w != s->w || session.network.h != s->h) {
            session_close(&session);
            mem_free(made);
            made = mem_alloc((size_t)s->w * s->h * 3);
            error = made ? session_open(&session, q->model, &q->kernels, q->pool, s->w, s->h, false,
                                        q->report)
                         : report_error(q->report, DAIN_ENOMEM, "out of memory");
            if (error)
                break;
        }
        ImageView first = picture(s, 0), second = picture(s, 2), out = first;
        for (int k = 0; k < 3; k++)
            out.plane[k] = made + k;
        session_frame(&session, &first, NULL);
        session_frame(&session, &second, NULL);
        session_pair(&session, NULL);
        session_time(&session, 1, 2, &out, NULL);
        sum += f32 ? note_f32(s, made) : loss_of(s, made);
    }
    session_close(&session);
    mem_free(made);
    *result = q->samples ? sum / q->samples : 0;
    return error;
}

static void set_all(Quantizer *q, DataType type)
{
    for (int i = 0; i < q->layers; i++)
        q->layer[i].conv->precision = type;
}

static void note_ranges(Quantizer *q)
{
    for (int i = 0; i < q->layers; i++) {
        const Range *r = params_range(&q->model->params, q->layer[i].conv->name);
        q->layer[i].lo = r ? r->lo : 0;
        q->layer[i].hi = r ? r->hi : 0;
    }
}

int quantizer_measure(Quantizer *q)
{
    set_all(q, TYPE_F32);
    int error = measure(q, true, &q->psnr_f32);
    for (int i = 0; i < q->layers && !error; i++) {
        say(q, "measuring layer", i + 1, q->layers);
        q->layer[i].conv->precision = TYPE_U8;
        error = measure(q, false, &q->layer[i].alone);
        q->layer[i].conv->precision = TYPE_F32;
    }
    set_all(q, TYPE_U8);
    if (!error)
        error = measure(q, false, &q->loss);
    note_ranges(q);
    return error;
}

/* ---- raising ---- */

/* Measures one range in the place of the present one and keeps it if it is better. */
static int try_range(Quantizer *q, const char *name, Range *best, Range tried, bool *better)
{
    double loss;
    *better = false;
    int error = params_set_range(&q->model->params, name, tried.lo, tried.hi);
    if (!error)
        error = measure(q, false, &loss);
    if (error)
        return error;
    if (loss < q->loss - 0.0003) {
        q->loss = loss;
        *best = tried;
        *better = true;
    }
    return params_set_range(&q->model->params, name, best->lo, best->hi);
}

/* Tries other widths of one range: both ends, then each by itself, further while it gets better. The mean
 * square error of codes is not what counts: where an activation has rare large values, finer steps can be
 * worth clipping them. */
static int adjust(Quantizer *q, const char *name)
{
    enum { BOTH, LOW, HIGH, ENDS };
    const Range *known = params_range(&q->model->params, name);
    if (!known)
        return DAIN_OK;
    Range best = *known;
    for (int end = BOTH, found = 1; end < ENDS && found; end++) {
        found = end != BOTH;
        for (int wider = 0; wider < 2; wider++) {
            const float f = wider ? 1.25f : 0.8f;
            bool better;
            do {
                const Range tried = { .lo = end == HIGH ? best.lo : best.lo * f,
                                      .hi = end == LOW ? best.hi : best.hi * f };
                const int error = try_range(q, name, &best, tried, &better);
                if (error)
                    return error;
                found |= better;
            } while (better);
        }
    }
    return DAIN_OK;
}

int quantizer_adjust(Quantizer *q, double loss)
{
    int error = DAIN_OK;
    for (int i = 0; i < q->model->params.range_count && !error; i++) {
        if (q->loss <= loss)
            break;
        say(q, "trying other widths of range", i + 1, q->model->params.range_count);
        error = adjust(q, q->model->params.ranges[i].name);
    }
    note_ranges(q);
    return error;
}

/* The layer whose raising gives most for its arithmetic. */
static int raise_one(Quantizer *q, int *raised)
{
    double best = 0, best_loss = q->loss;
    int which = -1;
    for (int i = 0; i < q->layers; i++) {
        QuantizedLayer *l = &q->layer[i];
        double loss;
        if (l->conv->precision != TYPE_U8 || l->alone < 0.002)
            continue;
        l->conv->precision = TYPE_BF16;
        const int error = measure(q, false, &loss);
        l->conv->precision = TYPE_U8;
        if (error)
            return error;
        const double gain = (q->loss - loss) / (l->macs + 200);
        if (gain > best) {
            best = gain;
            best_loss = loss;
            which = i;
        }
    }
    *raised = which >= 0;
    if (which >= 0) {
        q->layer[which].conv->precision = TYPE_BF16;
        q->loss = best_loss;
    }
    return DAIN_OK;
}

int quantizer_raise(Quantizer *q, double loss)
{
    int error = DAIN_OK, raised = 1;
    for (int n = 1; !error && raised && q->loss > loss; n++) {
        say(q, "raising layer", n, q->layers);
        error = raise_one(q, &raised);
    }
    return error;
}
