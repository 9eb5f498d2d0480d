/* Models by name: the folders, the search. */
#include "engine/models.h"

#include "engine/beside.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ending[] = ".safetensors";

/* The folder of rank i (0, 1, ...) in buf; NULL after the last. */
static const char *folder(int i, char *buf, size_t size)
{
    const char *path = getenv("DAIN_MODEL_PATH");
    for (; path && *path; path += *path == ':') {
        const int length = (int)strcspn(path, ":");
        if (length > 0 && i-- == 0) {
            snprintf(buf, size, "%.*s", length, path);
            return buf;
        }
        path += length;
    }
    const char *const data = getenv("XDG_DATA_HOME"), *const home = getenv("HOME");
    if (((data && *data) || (home && *home)) && i-- == 0) {
        snprintf(buf, size, "%s%s/dain", data && *data ? data : home,
                 data && *data ? "" : "/.local/share");
        return buf;
    }
    const char *const model = i == 0 ? DAIN_MODEL_INSTALLED : i == 1 ? model_beside() : NULL;
    if (!model)
        return NULL;
    const char *const slash = strrchr(model, '/');
    snprintf(buf, size, "%.*s", (int)(slash ? slash - model : 0), model);
    return buf;
}

const char *models_find(const char *name, char *buf, size_t size)
{
    char dir[1024];
    struct stat st;
    /* A folder that happens to have the name of a model does not hide the model. */
    if (strchr(name, '/') || (stat(name, &st) == 0 && !S_ISDIR(st.st_mode)))
        return name;
    for (int i = 0; folder(i, dir, sizeof dir); i++) {
        const int length = snprintf(buf, size, "%s/%s%s", dir, name, ending);
        if (length > 0 && (size_t)length < size && access(buf, R_OK) == 0)
            return buf;
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const ModelPlace *)a)->name, ((const ModelPlace *)b)->name);
}

static int list_folder(const char *dir, ModelPlace *list, int count)
{
    const int before = count;
    DIR *const d = opendir(dir);
    for (const struct dirent *e; d && count < MODELS_MOST && (e = readdir(d));) {
        ModelPlace *const m = &list[count];
        const size_t length = strlen(e->d_name), end = sizeof ending - 1;
        if (length <= end || length - end >= sizeof m->name ||
            strcmp(e->d_name + length - end, ending) || e->d_name[0] == '.')
            continue;
        snprintf(m->name, sizeof m->name, "%.*s", (int)(length - end), e->d_name);
        const int size = snprintf(m->path, sizeof m->path, "%s/%s", dir, e->d_name);
        bool known = size < 0 || (size_t)size >= sizeof m->path;
        for (int i = 0; i < before; i++)
            known |= !strcmp(list[i].name, m->name); /* hidden by an earlier folder */
        count += !known;
    }
    if (d)
        closedir(d);
    qsort(list + before, (size_t)(count - before), sizeof *list, compare);
    return count;
}

int models_list(ModelPlace *list)
{
    char dir[1024];
    int count = 0;
    for (int i = 0; folder(i, dir, sizeof dir); i++)
        count = list_folder(dir, list, count);
    return count;
}
