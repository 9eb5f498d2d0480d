/* Test sets are recognised by their layout, in natural order; half a triplet is an error. */
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "media/triplets.h"
#include "test.h"

static char root[64];

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "not so: " #condition ": " __VA_ARGS__);                 \
    } while (0)

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

/* Ends a test: nothing stays in memory or on the disk. */
static void finish(void)
{
    nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    EXPECT(mem_live() == 0, "%ld blocks not freed", mem_live());
}

/* An empty root for the next case. */
static void start(void)
{
    if (!root[0]) {
        snprintf(root, sizeof(root), "/tmp/dain-triplets-XXXXXX");
        if (!mkdtemp(root))
            abort();
    }
    nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    if (mkdir(root, 0700) < 0)
        abort();
}

/* Writes a file below the root, its folders too. */
static void put(const char *path, const char *content)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(full, 0700);
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    if (!f)
        abort();
    fputs(content, f);
    fclose(f);
}

/* Does the path of part k of item i end like this, below the root? */
static int is_path(const TripletList *list, int i, int k, const char *path)
{
    const size_t n = strlen(root);
    return i < list->count && !strncmp(list->item[i].path[k], root, n) &&
           !strcmp(list->item[i].path[k] + n + 1, path);
}

static int find(TripletList *list, Report *report)
{
    memset(report, 0, sizeof(*report));
    return triplets_find(list, root, report);
}

static void middlebury_is_recognised(void)
{
    TripletList list;
    Report report;
    start();
    const char *const sequences[] = { "Walking", "Beanbags" };
    for (int i = 0; i < 2; i++) {
        char path[256];
        static const char *const part[] = { "input/%s/frame10.png", "input/%s/frame11.png",
                                            "gt/%s/frame10i11.png" };
        for (int k = 0; k < 3; k++) {
            snprintf(path, sizeof(path), part[k], sequences[i]);
            put(path, "");
        }
    }
    EXPECT(find(&list, &report) == 0 && list.count == 2, "%d %s", list.count, report.error);
    EXPECT(list.layout == TRIPLET_MIDDLEBURY, "layout %d", list.layout);
    EXPECT(is_path(&list, 0, 0, "input/Beanbags/frame10.png"), "first");
    EXPECT(is_path(&list, 0, 1, "gt/Beanbags/frame10i11.png"), "truth");
    EXPECT(is_path(&list, 1, 2, "input/Walking/frame11.png"), "second");
    triplets_free(&list);

    put("input/Urban/frame10.png", "");
    put("input/Urban/frame11.png", "");
    EXPECT(find(&list, &report) == DAIN_EIO && strstr(report.error, "gt/Urban: frame10i11.png"),
           "missing truth: %s", report.error);
    finish();
}

static void ucf101_is_sorted_by_number(void)
{
    TripletList list;
    Report report;
    start();
    for (int i = 1; i <= 130; i++)
        for (int k = 0; k < 3; k++) {
            char path[64];
            snprintf(path, sizeof(path), "%d/frame%d.png", i, k);
            put(path, "");
        }
    put("README.txt", "");
    EXPECT(find(&list, &report) == 0 && list.count == 130, "%d %s", list.count, report.error);
    EXPECT(list.layout == TRIPLET_FOLDERS, "layout %d", list.layout);
    for (int i = 0; i < list.count; i++)
        EXPECT(atoi(list.item[i].name) == i + 1, "item %d is %s", i, list.item[i].name);
    EXPECT(is_path(&list, 9, 1, "10/frame1.png"), "truth of 10");
    triplets_free(&list);
    finish();
}

static void vimeo_lists_and_trees_are_read(void)
{
    TripletList list;
    Report report;
    start();
    for (int i = 1; i <= 3; i++)
        for (int k = 1; k <= 3; k++) {
            char path[64];
            snprintf(path, sizeof(path), "sequences/00001/000%d/im%d.png", i, k);
            put(path, "");
        }
    EXPECT(find(&list, &report) == 0 && list.count == 3, "tree: %d %s", list.count, report.error);
    EXPECT(list.layout == TRIPLET_FOLDERS && !strcmp(list.item[0].name, "sequences/00001/0001"),
           "tree: %s", list.item[0].name);
    triplets_free(&list);

    put("tri_testlist.txt", "00001/0003\r\n\n00001/0001\n");
    EXPECT(find(&list, &report) == 0 && list.count == 2, "list: %d %s", list.count, report.error);
    EXPECT(list.layout == TRIPLET_VIMEO && !strcmp(list.item[0].name, "00001/0003"), "list");
    EXPECT(is_path(&list, 1, 1, "sequences/00001/0001/im2.png"), "list: truth");
    triplets_free(&list);

    put("tri_testlist.txt", "00001/0009\n");
    EXPECT(find(&list, &report) == DAIN_EIO && strstr(report.error, "00001/0009"), "%s",
           report.error);
    start();
    put("a/im1.png", "");
    put("a/im3.jpg", "");
    EXPECT(find(&list, &report) == DAIN_EIO && strstr(report.error, "a: im2.png is missing"), "%s",
           report.error);
    put("a/im2.bmp", "");
    EXPECT(find(&list, &report) == 0 && is_path(&list, 0, 1, "a/im2.bmp"), "%s", report.error);
    triplets_free(&list);
    finish();
}

static void the_frames_of_a_clip_need_to_be_asked_for(void)
{
    TripletList list;
    Report report;
    start();
    put("notes.txt", "");
    for (int i = 0; i < 12; i++) {
        char path[64];
        snprintf(path, sizeof(path), "frame%d.PNG", i);
        put(path, "");
        snprintf(path, sizeof(path), "frame%d.png", i);
        if (i < 4)
            put(path, "");
    }
    EXPECT(find(&list, &report) == DAIN_EFORMAT && strstr(report.error, "--drop-odd"), "%s",
           report.error);
    start();
    for (int i = 1; i <= 12; i++) {
        char path[64];
        snprintf(path, sizeof(path), "%d.png", i);
        put(path, "");
        memset(&report, 0, sizeof(report));
        const int ret = triplets_find_frames(&list, root, &report);
        EXPECT(i < 3 ? ret == DAIN_EFORMAT : ret == 0, "%d frames: %d %s", i, ret, report.error);
        EXPECT(list.count == (i < 3 ? 0 : (i - 1) / 2), "%d frames: %d triplets", i, list.count);
        if (i == 12)
            EXPECT(is_path(&list, 4, 1, "10.png") && !strcmp(list.item[4].name, "10.png"), "order");
        triplets_free(&list);
    }
    finish();
}

static void nothing_there_is_one_clear_line(void)
{
    TripletList list;
    Report report;
    start();
    EXPECT(find(&list, &report) == DAIN_EFORMAT && strstr(report.error, "no test set"), "%s",
           report.error);
    rmdir(root);
    EXPECT(find(&list, &report) == DAIN_EIO && strstr(report.error, "No such file"), "%s",
           report.error);
    finish();
}

static void any_allocation_may_fail(void)
{
    start();
    for (int k = 1; k <= 3; k++) {
        char path[64];
        snprintf(path, sizeof(path), "deep/er/im%d.png", k);
        put(path, "");
    }
    for (int clip = 0; clip < 2; clip++) {
        int ret = DAIN_ENOMEM;
        char folder[128];
        snprintf(folder, sizeof(folder), "%s/deep/er", root);
        for (long n = 1; ret == DAIN_ENOMEM && n < 1000; n++) {
            TripletList list;
            mem_fail_at(n);
            ret =
                clip ? triplets_find_frames(&list, folder, NULL) : triplets_find(&list, root, NULL);
            mem_fail_at(0);
            EXPECT(ret == 0 || mem_live() == 0, "allocation %ld failed: %ld leaked", n, mem_live());
            triplets_free(&list);
        }
        EXPECT(ret == 0, "ends with %d", ret);
    }
    finish();
}

static const Test tests[] = {
    { "Middlebury is recognised, a missing truth reported", middlebury_is_recognised },
    { "UCF101 comes in the order of its numbers", ucf101_is_sorted_by_number },
    { "Vimeo-90K is read by its list, other triplets by their tree",
      vimeo_lists_and_trees_are_read },
    { "the frames of a clip have to be asked for", the_frames_of_a_clip_need_to_be_asked_for },
    { "an empty or missing folder is one clear line", nothing_there_is_one_clear_line },
    { "any allocation may fail", any_allocation_may_fail },
};

TEST_MAIN(tests)
