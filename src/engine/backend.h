/*
 * What makes the pictures, for those who do not care how: a table of functions, with our own engine
 * behind it (backend.c) or somebody else's (backend_onnxruntime.h). The functions mean what those
 * of dain/dain.h do; errors are DAIN_E... with a sentence in backend_last_error().
 *
 * A new one is a struct that begins with a Backend, a table of its own, and a function that opens
 * it.
 *
 * Thread-safety: one thread at a time, but for backend_cancel(), which any may call.
 */
#ifndef DAIN_ENGINE_BACKEND_H
#define DAIN_ENGINE_BACKEND_H

#include "dain/dain.h"

#include <stdbool.h>

typedef struct Backend Backend;

typedef struct BackendMethods {
    const char *name; /* "native", ... */
    int (*push)(Backend *backend, const DainImage *frame, const DainImage *guide);
    /* All NULL where motion is linear in any case. */
    int (*push_ahead)(Backend *backend, const DainImage *frame, const DainImage *guide,
                      double before, double after);
    int (*advance)(Backend *backend);
    bool (*curved)(const Backend *backend);
    int (*interpolate)(Backend *backend, int64_t num, int64_t den, const DainImage *out);
    void (*reset)(Backend *backend);
    void (*cancel)(Backend *backend); /* async-signal-safe */
    const char *(*last_error)(const Backend *backend);
    void (*close)(Backend *backend);
} BackendMethods;

struct Backend {
    const BackendMethods *methods;
};

/* Our own engine, which the backend takes over, also when it fails. NULL if there is no memory. */
Backend *backend_native(DainContext *context);

/* The engine behind it if it is our own, else NULL. */
DainContext *backend_context(Backend *backend);

/* As dain_push(), dain_push_guided(), dain_push_ahead(), dain_advance(), dain_interpolate(),
 * dain_reset(), dain_cancel(), dain_last_error(). */
int backend_push(Backend *backend, const DainImage *frame);
int backend_push_guided(Backend *backend, const DainImage *frame, const DainImage *guide);
int backend_push_ahead(Backend *backend, const DainImage *frame, const DainImage *guide,
                       double before, double after);
int backend_advance(Backend *backend);
int backend_interpolate(Backend *backend, int64_t num, int64_t den, const DainImage *out);
void backend_reset(Backend *backend);
void backend_cancel(Backend *backend);
const char *backend_last_error(const Backend *backend);

/* Whether frames shown ahead count: not always as the settings ask, where memory is short. */
bool backend_curved(const Backend *backend);

/* Frees everything, sets *backend to NULL. NULL and *backend == NULL are allowed. */
void backend_close(Backend **backend);

#endif
