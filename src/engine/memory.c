/* Memory of the caller's: how much is needed, and using it. */
#include "engine/engine.h"

#include "base/mem.h"
#include "engine/image.h"

int dain_use_memory(void *memory, size_t bytes)
{
    switch (mem_use(memory, bytes)) {
    case 0:
        return DAIN_OK;
    case -1:
        return DAIN_EINVAL;
    default:
        return DAIN_ESTATE;
    }
}

/* Opens and plans as a caller would, where allocations only count. *needed is no less than it was. */
static int try_size(const DainSettings *settings, bool winograd, int width, int height,
                    size_t *needed)
{
    DainContext *ctx;
    if (mem_trial_begin()) {
        engine_open_error("address space to count in could not be reserved");
        return DAIN_ENOMEM;
    }
    int error = engine_open_as(&ctx, settings, &winograd);
    if (!error && (error = engine_prepare(ctx, width, height)))
        engine_open_error(dain_last_error(ctx));
    dain_close(&ctx);
    /* What lies before the first multiple of the alignment depends on the caller's pointer. */
    const size_t peak = mem_trial_end() + MEM_ALIGN;
    *needed = peak > *needed ? peak : *needed;
    return error;
}

int dain_memory_needed(const DainSettings *settings, int width, int height, size_t *bytes)
{
    Report report = { 0 };
    if (!bytes) {
        engine_open_error("an argument is NULL");
        return DAIN_EINVAL;
    }
    *bytes = 0;
    if (image_check_size(width, height, &report)) {
        engine_open_error(report.error);
        return DAIN_EINVAL;
    }
    /* Which weights 8 bits take depends on the processor, what is needed must not. */
    size_t needed = 0;
    DainSettings s;
    dain_settings_default(&s);
    s = settings ? *settings : s;
    int error = try_size(&s, false, width, height, &needed);
    s.log = NULL; /* all has been said */
    if (!error)
        error = try_size(&s, true, width, height, &needed);
    if (!error)
        *bytes = needed;
    return error;
}
