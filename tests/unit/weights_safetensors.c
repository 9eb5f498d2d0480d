/* safetensors: round trips, look-up, files from strangers, no memory at any moment. */
#include "test.h"

#include "base/mem.h"
#include "weights/safetensors.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const float weights[6] = { 0.5f, -1.5f, 0.0f, 1e-30f, 3.25f, -0.0f };
static const unsigned char flags[3] = { 1, 0, 1 };
static const int16_t scalar = -300;

static const WeightTensor sample[] = {
    { "net.weight", TYPE_F32, 4, { 3, 2, 1, 1 }, 6, weights, sizeof(weights) },
    { "a \"quoted\\\" \x01\xc3\xa4", TYPE_BOOL, 1, { 3 }, 3, flags, sizeof(flags) },
    { "scalar", TYPE_I16, 0, { 0 }, 1, &scalar, sizeof(scalar) },
    { "empty", TYPE_F64, 2, { 0, 4 }, 0, NULL, 0 },
};
enum { SAMPLE_COUNT = sizeof(sample) / sizeof(sample[0]) };
static const WeightMeta sample_meta[] = { { "format", "edge" }, { "a\nb", "\t\"" }, { "e", "" } };
enum { SAMPLE_META_COUNT = sizeof(sample_meta) / sizeof(sample_meta[0]) };

/* A folder of its own for each test. */
static char folder[64], path[96];

static int make_folder(void)
{
    strcpy(folder, "/tmp/dain-test-XXXXXX");
    if (!CHECK(mkdtemp(folder) != NULL))
        return 0;
    snprintf(path, sizeof(path), "%s/x.safetensors", folder);
    return 1;
}

/* Removes the folder and returns how many files were in it. */
static int remove_folder(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    if (!CHECK(dir != NULL))
        return -1;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        char name[400];
        snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
        CHECK_INT(unlink(name), 0);
        count++;
    }
    closedir(dir);
    CHECK_INT(rmdir(folder), 0);
    return count;
}

static void check_sample(const WeightFile *file)
{
    CHECK_INT(weights_count(file), SAMPLE_COUNT);
    CHECK_INT(weights_meta_count(file), SAMPLE_META_COUNT);
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        const WeightTensor *want = &sample[i], *got = weights_find(file, want->name);
        if (!CHECK(got != NULL))
            continue;
        CHECK_STRING(got->name, want->name);
        CHECK_INT(got->type, want->type);
        CHECK_INT(got->dims, want->dims);
        CHECK_INT(got->count, want->count);
        CHECK_INT(got->bytes, want->bytes);
        CHECK_BYTES(got->shape, want->shape, (size_t)want->dims * sizeof(want->shape[0]));
        CHECK_BYTES(got->data, want->data, want->bytes);
    }
    for (int i = 0; i + 1 < weights_count(file); i++)
        CHECK(strcmp(weights_at(file, i)->name, weights_at(file, i + 1)->name) < 0);
    for (int i = 0; i < SAMPLE_META_COUNT; i++)
        CHECK_STRING(weights_meta(file, sample_meta[i].key), sample_meta[i].value);
    CHECK(weights_find(file, "net.weigh") == NULL);
    CHECK(weights_find(file, "__metadata__") == NULL);
    CHECK(weights_meta(file, "zzz") == NULL);
}

static void round_trip(void)
{
    if (!make_folder())
        return;
    const long live = mem_live();
    Report report = { 0 };
    WeightFile *file = NULL;
    /* Twice: the second time over an existing file. */
    for (int i = 0; i < 2; i++) {
        CHECK_INT(
            safetensors_write(path, sample, SAMPLE_COUNT, sample_meta, SAMPLE_META_COUNT, &report),
            0);
        if (CHECK_INT(safetensors_open(&file, path, &report), 0))
            check_sample(file);
        weights_close(&file);
        CHECK(file == NULL);
    }
    CHECK_STRING(report.error, "");
    weights_close(&file);
    CHECK_INT(mem_live(), live);
    struct stat status;
    CHECK_INT(stat(path, &status), 0);
    const mode_t mask = umask(0);
    umask(mask);
    CHECK_INT(status.st_mode & 0777, 0666 & ~mask);
    CHECK_INT(remove_folder(), 1);
}

static void header_is_aligned(void)
{
    if (!make_folder())
        return;
    char name[12] = "";
    for (int i = 0; i < 9; i++) {
        name[i] = 'n';
        const WeightTensor tensor = { name, TYPE_F32, 1, { 6 }, 6, weights, sizeof(weights) };
        CHECK_INT(safetensors_write(path, &tensor, 1, NULL, 0, NULL), 0);
        unsigned char prefix[9];
        FILE *f = fopen(path, "rb");
        if (!CHECK(f != NULL))
            break;
        CHECK_INT(fread(prefix, 1, 9, f), 9);
        fclose(f);
        CHECK_INT(prefix[0] % 8, 0);
        CHECK_INT(prefix[8], '{');
    }
    CHECK_INT(remove_folder(), 1);
}

static void nothing_to_write(void)
{
    if (!make_folder())
        return;
    WeightFile *file;
    CHECK_INT(safetensors_write(path, NULL, 0, NULL, 0, NULL), 0);
    if (CHECK_INT(safetensors_open(&file, path, NULL), 0)) {
        CHECK_INT(weights_count(file), 0);
        CHECK_INT(weights_meta_count(file), 0);
        CHECK(weights_find(file, "x") == NULL);
        CHECK(weights_meta(file, "x") == NULL);
    }
    weights_close(&file);
    CHECK_INT(safetensors_write(path, NULL, 0, sample_meta, 1, NULL), 0);
    if (CHECK_INT(safetensors_open(&file, path, NULL), 0))
        CHECK_STRING(weights_meta(file, "format"), "edge");
    weights_close(&file);
    CHECK_INT(remove_folder(), 1);
}

static void refuse_write(const WeightTensor *tensors, int count, const WeightMeta *meta,
                         int meta_count, const char *why)
{
    Report report = { 0 };
    CHECK_INT(safetensors_write(path, tensors, count, meta, meta_count, &report), DAIN_EINVAL);
    CHECK_CONTAINS(report.error, why);
}

static void bad_arguments(void)
{
    if (!make_folder())
        return;
    WeightTensor two[2] = { sample[0], sample[0] };
    refuse_write(two, 2, NULL, 0, "twice");
    two[0].bytes--;
    refuse_write(two, 1, NULL, 0, "shape");
    two[0] = sample[0];
    two[0].shape[0] = -3;
    refuse_write(two, 1, NULL, 0, "shape");
    two[0].shape[0] = INT64_MAX;
    refuse_write(two, 1, NULL, 0, "shape");
    two[0] = sample[0];
    two[0].dims = WEIGHTS_MAX_DIMS + 1;
    refuse_write(two, 1, NULL, 0, "shape");
    two[0] = sample[0];
    two[0].name = "__metadata__";
    refuse_write(two, 1, NULL, 0, "__metadata__");
    two[0].name = "\xff";
    refuse_write(two, 1, NULL, 0, "UTF-8");
    const WeightMeta meta[2] = { { "k", "a" }, { "k", "b" } };
    refuse_write(NULL, 0, meta, 2, "twice");
    const WeightMeta broken[1] = { { "k", "\xc3" } };
    refuse_write(NULL, 0, broken, 1, "UTF-8");
    CHECK_INT(remove_folder(), 0); /* none of these left a file */
}

static void unwritable(void)
{
    if (!make_folder())
        return;
    Report report = { 0 };
    char other[128];
    snprintf(other, sizeof(other), "%s/missing/x", folder);
    CHECK_INT(safetensors_write(other, sample, 1, NULL, 0, &report), DAIN_EIO);
    CHECK_CONTAINS(report.error, strerror(ENOENT));
    /* The target is a folder: the file is complete when renaming fails, and must go again. */
    CHECK_INT(mkdir(path, 0777), 0);
    CHECK_INT(safetensors_write(path, sample, 1, NULL, 0, &report), DAIN_EIO);
    CHECK_CONTAINS(report.error, path);
    CHECK_INT(rmdir(path), 0);
    CHECK_INT(remove_folder(), 0);
}

/* A limit on the size of files stands for a full disk: the write fails in the middle. */
static void full_disk(void)
{
    if (!make_folder())
        return;
    static const float large[10000];
    const WeightTensor tensor = { "w", TYPE_F32, 1, { 10000 }, 10000, large, sizeof(large) };
    Report report = { 0 };
    struct rlimit limit;
    CHECK_INT(safetensors_write(path, sample, SAMPLE_COUNT, NULL, 0, &report), 0);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const struct rlimit small = { 10000, limit.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    CHECK_INT(safetensors_write(path, &tensor, 1, NULL, 0, &report), DAIN_EIO);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    CHECK_CONTAINS(report.error, strerror(EFBIG));
    /* What was there before is still there and whole. */
    WeightFile *file;
    if (CHECK_INT(safetensors_open(&file, path, &report), 0))
        CHECK_INT(weights_count(file), SAMPLE_COUNT);
    weights_close(&file);
    CHECK_INT(remove_folder(), 1);
}

static void unreadable(void)
{
    if (!make_folder())
        return;
    Report report = { 0 };
    WeightFile *file = (WeightFile *)&report;
    CHECK_INT(safetensors_open(&file, path, &report), DAIN_EIO);
    CHECK(file == NULL);
    CHECK_CONTAINS(report.error, strerror(ENOENT));
    CHECK_INT(safetensors_open(&file, folder, &report), DAIN_EIO);
    CHECK_CONTAINS(report.error, "not a regular file");
    CHECK_INT(mkfifo(path, 0600), 0); /* opening it must not wait for a writer */
    CHECK_INT(safetensors_open(&file, path, &report), DAIN_EIO);
    CHECK_CONTAINS(report.error, "not a regular file");
    CHECK_INT(remove_folder(), 1);
}

/* Opening and writing with the n-th allocation failing, for every n. */
static void no_memory(void)
{
    if (!make_folder())
        return;
    const long live = mem_live();
    int failed = 1;
    CHECK_INT(safetensors_write(path, sample, SAMPLE_COUNT, sample_meta, SAMPLE_META_COUNT, NULL),
              0);
    for (long n = 1; failed && n < 100; n++) {
        WeightFile *file;
        Report report = { 0 };
        mem_fail_at(n);
        const int error = safetensors_open(&file, path, &report);
        mem_fail_at(0);
        failed = error != 0;
        if (failed) {
            CHECK_INT(error, DAIN_ENOMEM);
            CHECK(file == NULL);
            CHECK_CONTAINS(report.error, "no memory");
        } else {
            CHECK(n > 4); /* file, handle, strings, tensors, metadata */
        }
        weights_close(&file);
        CHECK_INT(mem_live(), live);
    }
    CHECK(!failed);
    CHECK_INT(unlink(path), 0);

    for (long n = 1, go_on = 1; go_on; n++) {
        mem_fail_at(n);
        const int error =
            safetensors_write(path, sample, SAMPLE_COUNT, sample_meta, SAMPLE_META_COUNT, NULL);
        mem_fail_at(0);
        CHECK_INT(error, access(path, F_OK) == 0 ? 0 : DAIN_ENOMEM);
        CHECK_INT(mem_live(), live);
        go_on = error && n < 100;
    }
    CHECK_INT(remove_folder(), 1);
}

/* Growth of the tables: more tensors than the first capacity, and a failure at each growth. */
static void many_tensors(void)
{
    enum { MANY = 1000 };
    if (!make_folder())
        return;
    static WeightTensor many[MANY];
    static char names[MANY][16];
    static int32_t values[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "t%d", (i * 7919) % MANY);
        values[i] = i;
        many[i] = (WeightTensor){ names[i], TYPE_I32, 1, { 1 }, 1, &values[i], 4 };
    }
    WeightFile *file;
    CHECK_INT(safetensors_write(path, many, MANY, NULL, 0, NULL), 0);
    if (CHECK_INT(safetensors_open(&file, path, NULL), 0)) {
        CHECK_INT(weights_count(file), MANY);
        for (int i = 0; i < MANY; i++) {
            const WeightTensor *tensor = weights_find(file, names[i]);
            if (!CHECK(tensor != NULL))
                break;
            CHECK(weights_value(tensor, 0) == (float)i);
        }
    }
    weights_close(&file);
    const long live = mem_live();
    int failures = 0;
    for (long n = 1; n < 100; n++) {
        mem_fail_at(n);
        const int error = safetensors_open(&file, path, NULL);
        mem_fail_at(0);
        weights_close(&file);
        CHECK_INT(mem_live(), live);
        if (!error)
            break;
        CHECK_INT(error, DAIN_ENOMEM);
        failures++;
    }
    CHECK(failures > 5);
    CHECK_INT(remove_folder(), 1);
}

static const Test tests[] = {
    { "what is written is read back, bit for bit", round_trip },
    { "the header is padded to a multiple of 8", header_is_aligned },
    { "a file may hold no tensors", nothing_to_write },
    { "arguments that cannot be written are refused and leave no file", bad_arguments },
    { "an unwritable target is an error and leaves no file", unwritable },
    { "a full disk is an error, and the file that was there stays", full_disk },
    { "missing files, folders and pipes are refused at once", unreadable },
    { "without memory reading and writing fail cleanly at every allocation", no_memory },
    { "a thousand tensors are found by name", many_tensors },
};
TEST_MAIN(tests)
