/* The table of functions that makes pictures, and our own engine behind it: see backend.h. */
#include "engine/backend.h"

#include "base/mem.h"
#include "engine/engine.h"

/* ---- our own engine ---- */

typedef struct Native {
    Backend backend;
    DainContext *context;
} Native;

static int native_push(Backend *backend, const DainImage *frame, const DainImage *guide)
{
    return dain_push_guided(((Native *)backend)->context, frame, guide);
}

static int native_push_ahead(Backend *backend, const DainImage *frame, const DainImage *guide,
                             double before, double after)
{
    return dain_push_ahead(((Native *)backend)->context, frame, guide, before, after);
}

static int native_advance(Backend *backend)
{
    return dain_advance(((Native *)backend)->context);
}

static bool native_curved(const Backend *backend)
{
    return engine_curved(((const Native *)backend)->context);
}

static int native_interpolate(Backend *backend, int64_t num, int64_t den, const DainImage *out)
{
    return dain_interpolate(((Native *)backend)->context, num, den, out);
}

static void native_reset(Backend *backend)
{
    dain_reset(((Native *)backend)->context);
}

static void native_cancel(Backend *backend)
{
    dain_cancel(((Native *)backend)->context);
}

static const char *native_last_error(const Backend *backend)
{
    return dain_last_error(((const Native *)backend)->context);
}

static void native_close(Backend *backend)
{
    dain_close(&((Native *)backend)->context);
    mem_free(backend);
}

static const BackendMethods native_methods = {
    .name = "native",
    .push = native_push,
    .push_ahead = native_push_ahead,
    .advance = native_advance,
    .curved = native_curved,
    .interpolate = native_interpolate,
    .reset = native_reset,
    .cancel = native_cancel,
    .last_error = native_last_error,
    .close = native_close,
};

DainContext *backend_context(Backend *backend)
{
    return backend->methods == &native_methods ? ((Native *)backend)->context : NULL;
}

Backend *backend_native(DainContext *context)
{
    Native *const native = mem_calloc(1, sizeof *native);
    if (!native) {
        dain_close(&context);
        return NULL;
    }
    native->backend.methods = &native_methods;
    native->context = context;
    return &native->backend;
}

/* ---- all ---- */

int backend_push(Backend *backend, const DainImage *frame)
{
    return backend->methods->push(backend, frame, NULL);
}

int backend_push_guided(Backend *backend, const DainImage *frame, const DainImage *guide)
{
    return backend->methods->push(backend, frame, guide);
}

int backend_push_ahead(Backend *backend, const DainImage *frame, const DainImage *guide,
                       double before, double after)
{
    return backend->methods->push_ahead(backend, frame, guide, before, after);
}

int backend_advance(Backend *backend)
{
    return backend->methods->advance(backend);
}

bool backend_curved(const Backend *backend)
{
    return backend->methods->curved && backend->methods->curved(backend);
}

int backend_interpolate(Backend *backend, int64_t num, int64_t den, const DainImage *out)
{
    return backend->methods->interpolate(backend, num, den, out);
}

void backend_reset(Backend *backend)
{
    backend->methods->reset(backend);
}

void backend_cancel(Backend *backend)
{
    backend->methods->cancel(backend);
}

const char *backend_last_error(const Backend *backend)
{
    return backend->methods->last_error(backend);
}

void backend_close(Backend **backend)
{
    if (backend && *backend)
        (*backend)->methods->close(*backend);
    if (backend)
        *backend = NULL;
}
