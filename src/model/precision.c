/* What the convolutions of a model compute in, and the calibrated ranges that 8 bits need. */
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *model_meta(const Model *model, const char *key)
{
    for (int i = 0; i < model->meta_count; i++)
        if (!strcmp(model->meta[i].key, key))
            return model->meta[i].value;
    return NULL;
}

static int parse(const char *text, DataType *type)
{
    if (!strcmp(text, "f32"))
        *type = TYPE_F32;
    else if (!strcmp(text, "bf16"))
        *type = TYPE_BF16;
    else if (!strcmp(text, "int8"))
        *type = TYPE_U8;
    else
        return 0;
    return 1;
}

static int wanted(Model *m, DainPrecision precision, DataType *type)
{
    const char *text = model_meta(m, "precision");
    switch (precision) {
    case DAIN_PRECISION_F32:
        *type = TYPE_F32;
        return DAIN_OK;
    case DAIN_PRECISION_BF16:
        *type = TYPE_BF16;
        return DAIN_OK;
    case DAIN_PRECISION_INT8:
        *type = TYPE_U8;
        break;
    default:
        *type = TYPE_F32;
        if (text && !parse(text, type))
            return report_error(m->report, DAIN_EFORMAT, "%s: unknown precision %s", m->path, text);
    }
    if (*type == TYPE_U8 && m->params.range_count == 0)
        return report_error(m->report, DAIN_EUNSUPPORTED,
                            "%s is not calibrated for 8 bits (dain quantize does that)", m->path);
    return DAIN_OK;
}

int model_set_precision(Model *m, DainPrecision precision)
{
    static const char *const names[] = {
        [TYPE_F32] = "f32", [TYPE_BF16] = "bf16", [TYPE_U8] = "int8"
    };
    DataType type;
    const int error = wanted(m, precision, &type);
    if (error)
        return error;
    m->precision = names[type];
    params_unprepare(&m->params);
    for (int i = 0; i < m->params.count; i++) {
        ConvParam *p = m->params.conv[i];
        char key[96];
        snprintf(key, sizeof key, "precision.%s", p->name);
        const char *raised = type == TYPE_U8 ? model_meta(m, key) : NULL;
        p->precision = type;
        if (!raised)
            continue;
        if (!parse(raised, &p->precision))
            return report_error(m->report, DAIN_EFORMAT, "%s: unknown precision %s of layer %s",
                                m->path, raised, p->name);
        if (p->precision != TYPE_U8)
            m->precision = "mixed";
    }
    return DAIN_OK;
}

int model_load_ranges(Model *m, const WeightFile *file)
{
    static const char suffix[] = ".range";
    for (int i = 0; i < weights_count(file); i++) {
        const WeightTensor *t = weights_at(file, i);
        const size_t length = strlen(t->name), tail = sizeof suffix - 1;
        char name[64];
        if (length <= tail || length - tail >= sizeof name ||
            strcmp(t->name + length - tail, suffix))
            continue;
        const float lo = t->count == 2 ? weights_value(t, 0) : NAN;
        const float hi = t->count == 2 ? weights_value(t, 1) : NAN;
        if (!(lo <= hi && fabsf(lo) < 1e6f && fabsf(hi) < 1e6f))
            return report_error(m->report, DAIN_EFORMAT, "%s is not a range", t->name);
        snprintf(name, sizeof name, "%.*s", (int)(length - tail), t->name);
        const int error = params_set_range(&m->params, name, lo, hi);
        if (error)
            return error;
    }
    return DAIN_OK;
}
