/* Test sets on disk: finds the triplets (first frame, truth, second frame) of a folder. */
#include "media/triplets.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"

/* Deep enough for every published set; ends the walk in a loop of symbolic links. */
enum { MAX_DEPTH = 8 };
/* A list file is read whole; Vimeo-90K's has 40 kB. */
enum { MAX_LIST_LINE = 4096 };

static const char *const picture_extensions[] = { "png",  "jpg", "jpeg", "bmp", "tif",
                                                  "tiff", "ppm", "webp", "tga" };

/* Names without extension, in the order of Triplet.path. */
static const char *const middlebury_stems[3] = { "frame10", "frame10i11", "frame11" };
static const char *const folder_stems[][3] = {
    { "im1", "im2", "im3" },                  /* Vimeo-90K */
    { "frame0", "frame1", "frame2" },         /* UCF101 */
    { "frame_00", "frame_01_gt", "frame_02" } /* UCF101 as first published */
};
static const char *const middlebury_inputs[] = { "input", "other-data" };
static const char *const middlebury_truths[] = { "gt", "other-gt-interp" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A formatted string of its own; NULL if there is no memory. */
__attribute__((format(printf, 1, 2))) static char *text(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *s = length < 0 ? NULL : mem_alloc((size_t)length + 1);
    if (s) {
        va_start(args, format);
        vsnprintf(s, (size_t)length + 1, format, args);
        va_end(args);
    }
    return s;
}

static int no_memory(Report *report)
{
    return report_error(report, DAIN_ENOMEM, "out of memory");
}

static int is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static int has_picture_extension(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < COUNT(picture_extensions); i++)
        if (!strcasecmp(dot + 1, picture_extensions[i]))
            return 1;
    return 0;
}

/* The names in a folder, sorted naturally; names that begin with a dot are left out. */
typedef struct Names {
    char **name;
    int count, room;
} Names;

static void names_free(Names *names)
{
    for (int i = 0; i < names->count; i++)
        mem_free(names->name[i]);
    mem_free(names->name);
    memset(names, 0, sizeof(*names));
}

static int names_add(Names *names, const char *name)
{
    char *copy;
    if (!mem_reserve(&names->name, names->count, &names->room, sizeof *names->name) ||
        !(copy = mem_strdup(name)))
        return -1;
    names->name[names->count++] = copy;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int names_read(Names *names, const char *folder, Report *report)
{
    memset(names, 0, sizeof(*names));
    DIR *dir = opendir(folder);
    if (!dir)
        return report_error(report, DAIN_EIO, "%s: %s", folder, strerror(errno));
    int ret = DAIN_OK;
    const struct dirent *entry;
    while (!ret && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && names_add(names, entry->d_name) < 0)
            ret = no_memory(report);
    closedir(dir);
    if (ret)
        names_free(names);
    else if (names->count)
        qsort(names->name, (size_t)names->count, sizeof(*names->name), compare_names);
    return ret;
}

/* Path of the picture folder/stem.EXT; *path is NULL if there is none. -1 without memory. */
static int find_picture(char **path, const char *folder, const char *stem)
{
    for (size_t i = 0; i < COUNT(picture_extensions); i++) {
        *path = text("%s/%s.%s", folder, stem, picture_extensions[i]);
        if (!*path)
            return -1;
        if (is_file(*path))
            return 0;
        mem_free(*path);
    }
    *path = NULL;
    return 0;
}

static void triplet_clear(Triplet *t)
{
    mem_free(t->name);
    for (int i = 0; i < 3; i++)
        mem_free(t->path[i]);
    memset(t, 0, sizeof(*t));
}

void triplets_free(TripletList *list)
{
    for (int i = 0; i < list->count; i++)
        triplet_clear(&list->item[i]);
    mem_free(list->item);
    list->item = NULL;
    list->count = list->room = 0;
}

/* Moves *t into the list; *t is empty afterwards, whatever happens. */
static int list_add(TripletList *list, Triplet *t, Report *report)
{
    if (!mem_reserve(&list->item, list->count, &list->room, sizeof(*list->item))) {
        triplet_clear(t);
        return no_memory(report);
    }
    list->item[list->count++] = *t;
    memset(t, 0, sizeof(*t));
    return DAIN_OK;
}

/* Looks for the three pictures stems[i] in folder[i]. Returns how many there are and adds the
 * triplet if all three are; a negative error otherwise, which includes one or two of them. */
static int add_triplet(TripletList *list, const char *name, const char *const folder[3],
                       const char *const stems[3], Report *report)
{
    Triplet t = { .name = mem_strdup(name) };
    int found = 0, missing = 0, ret = t.name ? 0 : -1;
    for (int i = 0; i < 3 && !ret; i++) {
        ret = find_picture(&t.path[i], folder[i], stems[i]);
        if (t.path[i])
            found++;
        else
            missing = i;
    }
    if (!ret && found == 3) {
        ret = list_add(list, &t, report);
        return ret ? ret : found;
    }
    triplet_clear(&t);
    if (ret)
        return no_memory(report);
    if (found)
        return report_error(report, DAIN_EIO, "%s: %s.png is missing%s", folder[missing],
                            stems[missing], missing == 1 ? " (the true middle frame)" : "");
    return 0;
}

/* ---- the layouts ---- */

/* One sequence of Middlebury: the inputs and the truth lie in two trees. */
static int add_middlebury(TripletList *list, const char *input, const char *truth, const char *name,
                          Report *report)
{
    char *in = text("%s/%s", input, name), *gt = text("%s/%s", truth, name);
    int ret = DAIN_OK;
    if (!in || !gt) {
        ret = no_memory(report);
    } else if (is_folder(in)) {
        const char *const folder[3] = { in, gt, in };
        ret = add_triplet(list, name, folder, middlebury_stems, report);
        if (ret >= 0)
            ret = DAIN_OK;
    }
    mem_free(in);
    mem_free(gt);
    return ret;
}

static int find_middlebury(TripletList *list, const char *input, const char *truth, Report *report)
{
    Names names;
    int ret = names_read(&names, input, report);
    if (ret)
        return ret;
    list->layout = TRIPLET_MIDDLEBURY;
    for (int i = 0; i < names.count && !ret; i++)
        ret = add_middlebury(list, input, truth, names.name[i], report);
    names_free(&names);
    return ret;
}

/* The sequences that a list file names, a line each: "00001/0266". */
static int find_listed(TripletList *list, const char *root, const char *list_path, Report *report)
{
    FILE *file = fopen(list_path, "r");
    if (!file)
        return report_error(report, DAIN_EIO, "%s: %s", list_path, strerror(errno));
    list->layout = TRIPLET_VIMEO;
    char line[MAX_LIST_LINE];
    int ret = DAIN_OK;
    while (!ret && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!line[0])
            continue;
        char *folder = text("%s/sequences/%s", root, line);
        if (!folder) {
            ret = no_memory(report);
            break;
        }
        const char *const folders[3] = { folder, folder, folder };
        const int found = add_triplet(list, line, folders, folder_stems[0], report);
        if (found < 0)
            ret = found;
        else if (found == 0)
            ret = report_error(report, DAIN_EIO, "%s: no im1, im2, im3, but %s names it", folder,
                               list_path);
        mem_free(folder);
    }
    if (!ret && ferror(file))
        ret = report_error(report, DAIN_EIO, "%s: %s", list_path, strerror(errno));
    fclose(file);
    return ret;
}

/* Adds the triplet of a folder, if it has one: returns 1, 0 or an error. */
static int add_folder(TripletList *list, const char *folder, const char *name, Report *report)
{
    const char *const folders[3] = { folder, folder, folder };
    /* frame0, frame1, frame2 and frame3: a clip, not a triplet. */
    char *fourth;
    if (find_picture(&fourth, folder, "frame3") < 0)
        return no_memory(report);
    const int is_clip = fourth != NULL;
    mem_free(fourth);
    for (size_t i = 0; i < COUNT(folder_stems) && !is_clip; i++) {
        const int found = add_triplet(list, name, folders, folder_stems[i], report);
        if (found)
            return found < 0 ? found : 1;
    }
    return 0;
}

/* Walks a tree; a folder with a triplet is not searched further. name: of the folder below the
 * root, "" for the root. */
static int walk(TripletList *list, const char *folder, const char *name, int depth, Report *report)
{
    const char *last = strrchr(folder, '/');
    int ret = add_folder(list, folder, *name ? name : last && last[1] ? last + 1 : folder, report);
    if (ret)
        return ret < 0 ? ret : DAIN_OK;
    if (depth == MAX_DEPTH)
        return DAIN_OK;
    Names names;
    ret = names_read(&names, folder, report);
    for (int i = 0; !ret && i < names.count; i++) {
        char *below = text("%s/%s", folder, names.name[i]);
        char *title = text("%s%s%s", name, *name ? "/" : "", names.name[i]);
        if (!below || !title)
            ret = no_memory(report);
        else if (is_folder(below))
            ret = walk(list, below, title, depth + 1, report);
        mem_free(below);
        mem_free(title);
    }
    names_free(&names);
    return ret;
}

/* The first of the folders root/name[i] that exists; *path is NULL if none does. */
static int first_folder(char **path, const char *root, const char *const *name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *path = text("%s/%s", root, name[i]);
        if (!*path)
            return -1;
        if (is_folder(*path))
            return 0;
        mem_free(*path);
    }
    *path = NULL;
    return 0;
}

int triplets_find(TripletList *list, const char *root, Report *report)
{
    memset(list, 0, sizeof(*list));
    char *input = NULL, *truth = NULL, *list_path = text("%s/tri_testlist.txt", root);
    int ret;
    if (!list_path || first_folder(&input, root, middlebury_inputs, COUNT(middlebury_inputs)) < 0 ||
        first_folder(&truth, root, middlebury_truths, COUNT(middlebury_truths)) < 0) {
        ret = no_memory(report);
    } else if (input && truth) {
        ret = find_middlebury(list, input, truth, report);
    } else if (is_file(list_path)) {
        ret = find_listed(list, root, list_path, report);
    } else {
        list->layout = TRIPLET_FOLDERS;
        ret = walk(list, root, "", 0, report);
    }
    if (!ret && !list->count)
        ret = report_error(report, DAIN_EFORMAT,
                           "%s: no test set found here (input/ and gt/, im1 im2 im3, or frame0 "
                           "frame1 frame2); the frames of a clip need --drop-odd",
                           root);
    mem_free(input);
    mem_free(truth);
    mem_free(list_path);
    if (ret)
        triplets_free(list);
    return ret;
}

int triplets_find_frames(TripletList *list, const char *folder, Report *report)
{
    memset(list, 0, sizeof(*list));
    list->layout = TRIPLET_FRAMES;
    Names names, frames = { 0 };
    int ret = names_read(&names, folder, report);
    for (int i = 0; !ret && i < names.count; i++)
        if (has_picture_extension(names.name[i]) && names_add(&frames, names.name[i]) < 0)
            ret = no_memory(report);
    if (!ret && frames.count < 3)
        ret = report_error(report, DAIN_EFORMAT, "%s: has %d pictures, at least 3 are needed",
                           folder, frames.count);
    for (int i = 1; !ret && i + 1 < frames.count; i += 2) {
        Triplet t = { .name = mem_strdup(frames.name[i]) };
        int complete = t.name != NULL;
        for (int k = 0; k < 3; k++) {
            t.path[k] = text("%s/%s", folder, frames.name[i + k - 1]);
            complete = complete && t.path[k];
        }
        if (!complete) {
            triplet_clear(&t);
            ret = no_memory(report);
        } else {
            ret = list_add(list, &t, report);
        }
    }
    names_free(&names);
    names_free(&frames);
    if (ret)
        triplets_free(list);
    return ret;
}

const char *triplets_layout_name(TripletLayout layout)
{
    static const char *const name[] = { "middlebury", "vimeo", "triplets", "frames" };
    return name[layout];
}
