/* Which engine makes the pictures: see engine.h. */
#include "tool/engine.h"

#include "engine/backend_onnxruntime.h"

#include <string.h>

/* The one option of one network that others would pass over in silence. */
static void warn_padding(const CommonOptions *common, DainContext *context, Report *report)
{
    DainInfo info;
    if (!common->padding || strcmp(common->padding, "original") ||
        dain_info(context, &info) != DAIN_OK || !strcmp(info.network, "dain"))
        return;
    report_log(report, DAIN_LOG_WARNING,
               "--pad original is for the original network and does nothing with %s", info.network);
}

static Backend *open_native(const CommonOptions *common, const EngineOptions *engine,
                            Report *report)
{
    if (engine->options.count) {
        report_error(report, DAIN_EINVAL, "the engine native has no option %s",
                     engine->options.text[0]);
        return NULL;
    }
    DainContext *const context = engine_open(common);
    Backend *const backend = context ? backend_native(context) : NULL;
    if (context && !backend)
        report_error(report, DAIN_ENOMEM, "out of memory");
    if (backend)
        warn_padding(common, context, report);
    return backend;
}

Backend *backend_open(const CommonOptions *common, const EngineOptions *engine, Report *report)
{
    static const char other[] = "onnxruntime";
    const char *const name = engine->name ? engine->name : "native";
    const size_t length = strlen(other);
    if (!strcmp(name, "native"))
        return open_native(common, engine, report);
    if (strncmp(name, other, length) || (name[length] && name[length] != ':')) {
        report_error(report, DAIN_EINVAL,
                     "there is no engine %s; there are native and onnxruntime, which may be "
                     "followed by a colon and a provider",
                     name);
        return NULL;
    }
    const char *const only_native = common->scale          ? "--scale"
                                    : common->memory_limit ? "--mem-limit"
                                    : common->padding      ? "--pad"
                                    : common->tta          ? "--tta"
                                    : common->precision && !strcmp(common->precision, "fastest")
                                        ? "--precision fastest"
                                        : NULL;
    if (only_native) {
        report_error(report, DAIN_EINVAL, "%s needs --engine native", only_native);
        return NULL;
    }
    const OnnxRuntimeSettings settings = {
        .model = common->model,
        .provider = name[length] && name[length + 1] ? name + length + 1 : NULL,
        .options = engine->options.text,
        .precision = common->precision,
        .threads = common->threads,
        .report = report,
    };
    Backend *backend = NULL;
    backend_onnxruntime_open(&backend, &settings);
    return backend;
}
