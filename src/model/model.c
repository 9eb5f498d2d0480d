/* Opening models: which builder belongs to a weight file. */
#include "model/model.h"

#include "base/mem.h"
#include "weights/pth.h"

#include <stdio.h>
#include <string.h>

static const ModelKind *const kinds[] = {
    &model_edge,
#ifndef DAIN_SMALL
    &model_dain,
#endif
};
/* Small pictures fit into the caches as they are; there strips only cost steps (measured on two Zen 5
 * cores: 640x480 is 5 % slower in strips; at 1920x1080 the speed is the same, with a third less memory). */
enum {
    STRIP_PIXELS = 1280 * 720,
    STRIP_ROWS = 32,
    STRIP_LEVEL = 4,
    HUGE_PIXELS = 2560 * 1440,
    HUGE_LEVEL = 8
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const ModelKind *find_kind(const WeightFile *file)
{
    const char *format = weights_meta(file, "format");
    for (int i = 0; format && i < KINDS; i++)
        if (!strcmp(kinds[i]->name, format))
            return kinds[i];
#ifndef DAIN_SMALL
    /* Published weights that another program turned into safetensors say nothing about themselves. */
    if (weights_find(file, "rectifyNet.block1.0.weight"))
        return &model_dain;
#endif
    return NULL;
}

static int copy_meta(Model *model, const WeightFile *file)
{
    const int n = weights_meta_count(file);
    model->meta = mem_calloc(n, sizeof *model->meta);
    if (!model->meta)
        return DAIN_ENOMEM;
    for (; model->meta_count < n; model->meta_count++) {
        const WeightMeta m = weights_meta_at(file, model->meta_count);
        WeightMeta *copy = &model->meta[model->meta_count];
        copy->key = mem_strdup(m.key);
        copy->value = mem_strdup(m.value);
        if (!copy->key || !copy->value) {
            model->meta_count++;
            return DAIN_ENOMEM;
        }
    }
    return DAIN_OK;
}

void model_close(Model **model)
{
    Model *m = *model;
    if (!m)
        return;
    params_free(&m->params);
    for (int i = 0; i < m->meta_count; i++) {
        mem_free((char *)m->meta[i].key);
        mem_free((char *)m->meta[i].value);
    }
    mem_free(m->meta);
    mem_free(m->path);
    mem_free(m);
    *model = NULL;
}

int model_open(Model **model, const char *path, Report *report)
{
    *model = NULL;
    WeightFile *file;
    int error = safetensors_open(&file, path, report);
#ifndef DAIN_SMALL
    if (error == DAIN_EFORMAT && pth_is_file(path))
        return report_error(report, error,
                            "%s: a PyTorch checkpoint; `dain convert` makes a model of it", path);
#endif
    if (error)
        return error;
    Model *m = mem_calloc(1, sizeof *m);
    if (!m || !(m->path = mem_strdup(path)) || copy_meta(m, file)) {
        error = report_error(report, DAIN_ENOMEM, "%s: out of memory", path);
        goto done;
    }
    m->report = report;
    m->strip_rows = -1;
    m->strip_large = STRIP_ROWS;
    m->reduce = 1;
    m->params.report = report;
    m->kind = find_kind(file);
    if (!m->kind) {
        const char *format = weights_meta(file, "format");
        error = report_error(report, DAIN_EUNSUPPORTED,
                             "%s: the file does not hold a network this version knows (%s%s)", path,
                             format ? "its format is " : "it has no format entry",
                             format ? format : "");
        goto done;
    }
    error = m->kind->load(m, file);
    if (!error)
        error = model_load_ranges(m, file);
    if (error) {
        char sentence[sizeof report->error];
        snprintf(sentence, sizeof sentence, "%s", report->error);
        report_error(report, error, "%s: %s", path, sentence);
    }
    if (!error)
        error = model_set_precision(m, DAIN_PRECISION_AUTO);
done:
    weights_close(&file);
    if (error && m)
        model_close(&m);
    *model = m;
    return error;
}

int model_network(Model *model, Network *network, int w, int h, bool keep_all, Report *report)
{
    network_init(network, w, h, model->kind->align * model->reduce, report);
    network->keep_all = keep_all;
    const bool large = (int64_t)w * h >= STRIP_PIXELS;
    network->strip_rows = model->strip_rows >= 0 ? model->strip_rows
                          : large                ? model->strip_large
                                                 : 0;
    network->strip_level = model->strip_level              ? model->strip_level
                           : (int64_t)w * h >= HUGE_PIXELS ? HUGE_LEVEL
                                                           : STRIP_LEVEL;
    network->bands = model->bands;
    const int error = model->kind->build(model, network);
    return error ? error : network_plan(network, &model->params);
}

int model_views(const Model *model)
{
    return model->tta ? MODEL_VIEWS_MOST : 1;
}

int model_macs_per_pixel(Model *model, double *macs, Report *report)
{
    enum { SIDE = 256 };
    Network network;
    double sum = 0;
    const int error = model_network(model, &network, SIDE, SIDE, false, report);
    for (int r = 0; r < 3 && !error; r++)
        sum += graph_macs(&network.graph[r]);
    if (!error)
        *macs = sum * model_views(model) / ((double)network.padded_w * network.padded_h);
    network_free(&network);
    return error;
}
