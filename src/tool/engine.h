/* Which engine makes the pictures: --engine and --engine-option. */
#ifndef DAIN_TOOL_ENGINE_H
#define DAIN_TOOL_ENGINE_H

#include "tool/common.h"

typedef struct EngineOptions {
    const char *name; /* native, onnxruntime or onnxruntime:PROVIDER; NULL = native */
    TextList options; /* KEY=VALUE, for engines other than native */
} EngineOptions;

#define ENGINE_OPTIONS(Type, member)                                                               \
    { 0,                                                                                           \
      "engine",                                                                                    \
      OPTION_ENGINE,                                                                               \
      offsetof(Type, member.name),                                                                 \
      "NAME",                                                                                      \
      "what runs the network: native, onnxruntime or onnxruntime:PROVIDER, where the provider is " \
      "CPU, CUDA, TensorRT, OpenVINO, ... [native]",                                               \
      0,                                                                                           \
      0 },                                                                                         \
    {                                                                                              \
        0, "engine-option", OPTION_SETTINGS, offsetof(Type, member.options), "KEY=VALUE",          \
            "for onnxruntime: library=PATH of its shared library [$DAIN_ONNXRUNTIME], "            \
            "cache=FOLDER for exported networks [~/.cache/dain], any option of the provider, and " \
            "entries of the session, which have a full stop in their key; may be repeated",        \
            0, 0                                                                                   \
    }

/* Whether there may be an engine of that name. */
bool engine_named(const char *name);

/* Opens the engine that the options describe; what fails is printed. NULL then. */
Backend *backend_open(const CommonOptions *common, const EngineOptions *engine, Report *report);

#endif
