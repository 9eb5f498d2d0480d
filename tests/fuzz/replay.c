/* Runs a fuzz target over kept files: replay FOLDER... Any crash is a failure, and so is a folder
 * without files. The same sources build with libFuzzer, see meson.build. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block of exactly the file's size, so that a sanitizer or valgrind sees a step beyond. */
static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    unsigned char *data = NULL;
    long size = -1;
    if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0)
        data = malloc(size ? (size_t)size : 1);
    const int ok = data && fread(data, 1, (size_t)size, f) == (size_t)size;
    fclose(f);
    if (ok)
        LLVMFuzzerTestOneInput(data, (size_t)size);
    else
        fprintf(stderr, "%s: cannot be read\n", path);
    free(data);
    return ok ? 0 : -1;
}

static int replay_folder(const char *folder)
{
    int files = 0, failed = 0;
    DIR *dir = opendir(folder);
    if (!dir) {
        perror(folder);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        failed |= replay_file(path);
        files++;
    }
    closedir(dir);
    failed |= files == 0;
    printf("%s %d files of %s are taken without a fault\n", failed ? "not ok" : "ok", files,
           strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder);
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= replay_folder(argv[i]) < 0;
    return failed ? 1 : 0;
}
