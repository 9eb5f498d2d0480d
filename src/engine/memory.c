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

/* Opens and plans as a caller would, where allocations only count. */
static int try_size(const DainSettings *settings, int width, int height)
{
    DainContext *ctx;
    int error = dain_open(&ctx, settings);
    if (!error && (error = engine_prepare(ctx, width, height)))
        engine_open_error(dain_last_error(ctx));
    dain_close(&ctx);
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
    if (mem_trial_begin()) {
        engine_open_error("address space to count in could not be reserved");
        return DAIN_ENOMEM;
    }
    const int error = try_size(settings, width, height);
    /* What lies before the first multiple of the alignment depends on the caller's pointer. */
    const size_t needed = mem_trial_end() + MEM_ALIGN;
    if (!error)
        *bytes = needed;
    return error;
}
