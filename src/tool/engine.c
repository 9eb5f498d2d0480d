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

static const char other[] = "onnxruntime"; /* perhaps followed by a colon and a provider */
enum { OTHER = sizeof other - 1 };

bool engine_named(const char *name)
{
    return !strcmp(name, "native") ||
           (!strncmp(name, other, OTHER) && (!name[OTHER] || name[OTHER] == ':'));
}

Backend *backend_open(const CommonOptions *common, const EngineOptions *engine, Report *report)
{
    const char *const name = engine->name ? engine->name : "native";
    if (!strcmp(name, "native"))
        return open_native(common, engine, report);
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
        .provider = name[OTHER] && name[OTHER + 1] ? name + OTHER + 1 : NULL,
        .options = engine->options.text,
        .precision = common->precision,
        .threads = common->threads,
        .report = report,
    };
    Backend *backend = NULL;
    backend_onnxruntime_open(&backend, &settings);
    return backend;
}
