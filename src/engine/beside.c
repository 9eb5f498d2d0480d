/* Models of the build folder: see beside.h. */
#include "engine/beside.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef DAIN_SOURCE_MODEL

enum { STEPS_UP = 3 }; /* build/tests/unit/PROGRAM needs two */

static char found[1024];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The file that the code at this address was loaded from, by the system's list of mappings, which has
 * full paths for programs and libraries alike. */
static const char *file_of(uintptr_t address, char *line, int size)
{
    FILE *const maps = fopen("/proc/self/maps", "re");
    const char *path = NULL;
    while (maps && !path && fgets(line, size, maps)) {
        unsigned long long low, high;
        if (sscanf(line, "%llx-%llx", &low, &high) == 2 && low <= address && address < high)
            path = strchr(line, '/');
        if (path)
            line[strcspn(line, "\n")] = 0;
    }
    if (maps)
        fclose(maps);
    return path;
}

static void search(void)
{
    static const char model[] = "/models/edge.safetensors";
    char line[sizeof found + 128];
    const char *const path =
        file_of((uintptr_t)model_beside, line, (int)(sizeof line - sizeof model));
    size_t length = path ? strlen(path) : 0;
    for (int i = 0; length && i <= STEPS_UP; i++) {
        while (length && path[length - 1] != '/')
            length--;
        if (!length || length + sizeof model > sizeof found)
            return;
        length--; /* the model brings its slash */
        memcpy(found, path, length);
        memcpy(found + length, model, sizeof model);
        if (access(found, R_OK) == 0)
            return;
        found[0] = 0;
    }
}

const char *model_beside(void)
{
    pthread_once(&once, search);
    return found[0] ? found : NULL;
}

#else

const char *model_beside(void)
{
    return NULL;
}

#endif
