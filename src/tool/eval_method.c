/* The ways to make a frame half-way between two, which `dain eval` compares. */
#include "tool/eval_method.h"

#include <string.h>

int eval_method_open(EvalMethod *m, const char *what, const CommonOptions *common,
                     const EngineOptions *engine, Report *report)
{
    memset(m, 0, sizeof(*m));
    if (what && !strcmp(what, "blend")) {
        m->kind = EVAL_BLEND;
        return DAIN_OK;
    }
    if (what && !strcmp(what, "nearest")) {
        m->kind = EVAL_NEAREST;
        return DAIN_OK;
    }
    CommonOptions own = *common;
    own.model = what;
    m->kind = EVAL_MODEL;
    m->engine = backend_open(&own, engine, report);
    return m->engine ? DAIN_OK : DAIN_EINVAL;
}

void eval_method_close(EvalMethod *m)
{
    backend_close(&m->engine);
}

static DainImage rgb_image(const uint8_t *data, int width, int height)
{
    DainImage image = { .width = width, .height = height, .sample = DAIN_SAMPLE_U8, .step = 3 };
    for (int i = 0; i < 3; i++) {
        image.plane[i] = (uint8_t *)data + i; /* the engine does not write to frames it is given */
        image.stride[i] = 3 * (ptrdiff_t)width;
    }
    return image;
}

static int make_by_model(EvalMethod *m, uint8_t *out, const EvalItem *item, const uint8_t *ahead,
                         Report *report)
{
    const int w = item->width, h = item->height;
    const DainImage a = rgb_image(item->first, w, h), b = rgb_image(item->second, w, h);
    const DainImage result = rgb_image(out, w, h);
    const int goes_on = m->primed && item->continues;
    int ret = DAIN_OK;
    if (goes_on && m->shown)
        ret = backend_advance(m->engine);
    else {
        if (!goes_on) {
            backend_reset(m->engine);
            ret = backend_push(m->engine, &a);
        }
        if (!ret)
            ret = backend_push(m->engine, &b);
    }
    m->primed = m->shown = 0;
    if (!ret && ahead && backend_curved(m->engine)) {
        const DainImage c = rgb_image(ahead, w, h);
        ret = backend_push_ahead(m->engine, &c, NULL, 1, 1);
        m->shown = !ret;
    }
    if (!ret)
        ret = backend_interpolate(m->engine, 1, 2, &result);
    if (ret)
        return report_error(report, ret, "%s",
                            ret == DAIN_ECANCELED ? "interrupted" : backend_last_error(m->engine));
    m->primed = 1;
    return DAIN_OK;
}

int eval_method_make(EvalMethod *m, uint8_t *out, const EvalItem *item, const uint8_t *ahead,
                     Report *report)
{
    const uint8_t *const first = item->first, *const second = item->second;
    const size_t size = 3 * (size_t)item->width * item->height;
    switch (m->kind) {
    case EVAL_MODEL:
        return make_by_model(m, out, item, ahead, report);
    case EVAL_BLEND:
        for (size_t i = 0; i < size; i++)
            out[i] = (first[i] + second[i] + 1) / 2;
        return DAIN_OK;
    case EVAL_NEAREST:
        memcpy(out, first, size);
        return DAIN_OK;
    }
    return DAIN_EINVAL;
}

const char *eval_kind_name(EvalKind kind)
{
    static const char *const name[] = { "model", "blend", "nearest" };
    return name[kind];
}
