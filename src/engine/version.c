/* Version, error texts, and where the default model lies. */
#include "dain/dain.h"
#include "engine/beside.h"
#include "engine/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT(x) #x
#define VERSION(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *dain_version(void)
{
    return VERSION(DAIN_VERSION_MAJOR, DAIN_VERSION_MINOR, DAIN_VERSION_PATCH);
}

const char *dain_strerror(int error)
{
    switch (error) {
    case DAIN_OK:
        return "success";
    case DAIN_EINVAL:
        return "invalid argument";
    case DAIN_ENOMEM:
        return "out of memory";
    case DAIN_EIO:
        return "input/output error";
    case DAIN_EFORMAT:
        return "damaged or unexpected data";
    case DAIN_EUNSUPPORTED:
        return "not supported";
    case DAIN_ESTATE:
        return "call out of order";
    case DAIN_ECANCELED:
        return "cancelled";
    case DAIN_ESYSTEM:
        return "the operating system refused a resource";
    default:
        return "unknown error";
    }
}

const char *dain_default_model(void)
{
    const char *named = getenv("DAIN_MODEL");
    if (named && *named) {
        static _Thread_local char kept[4096]; /* the environment may change */
        char found[sizeof kept];
        const char *const path = models_find(named, found, sizeof found);
        snprintf(kept, sizeof kept, "%s", path ? path : named);
        return kept;
    }
    /* Installed first, so that an installed library never depends on what lies around it. */
    return access(DAIN_MODEL_INSTALLED, R_OK) == 0 ? DAIN_MODEL_INSTALLED : model_beside();
}
