/* PyTorch checkpoints: what torch.save() wrote is read whole, what strangers write is refused. The
 * files are the seeds of the fuzzer, made by PyTorch 1.13 from the values that `expected` repeats. */
#include "test.h"

#include "base/mem.h"
#include "weights/pth.h"

#include <fcntl.h>
#include <unistd.h>

static const char *corpus; /* folder */

static PthFile *open_seed(const char *seed, const char *form, Report *report)
{
    char path[4096];
    PthFile *file;
    snprintf(path, sizeof(path), "%s/%s-%s.pth", corpus, seed, form);
    pth_open(&file, path, report);
    return file;
}

static const char *const forms[] = { "legacy", "zip" };

static const WeightTensor *find(const PthFile *file, const char *name)
{
    for (int i = 0; i < pth_count(file); i++)
        if (!strcmp(pth_at(file, i)->name, name))
            return pth_at(file, i);
    return NULL;
}

static void check_tensor(const PthFile *file, const char *name, int dims, const int64_t *shape,
                         const float *values)
{
    const WeightTensor *t = find(file, name);
    if (!CHECK(t != NULL))
        return;
    CHECK_INT(t->dims, dims);
    int64_t count = 1;
    for (int i = 0; i < dims; i++) {
        CHECK_INT(t->shape[i], shape[i]);
        count *= shape[i];
    }
    CHECK_INT(t->count, count);
    for (int64_t i = 0; i < count; i++)
        CHECK(weights_value(t, i) == values[i]);
}

static void reads_plain_tensors(void)
{
    for (int i = 0; i < 2; i++) {
        Report report = { 0 };
        PthFile *f = open_seed("plain", forms[i], &report);
        CHECK_STRING(report.error, "");
        if (!CHECK(f != NULL))
            continue;
        CHECK_INT(pth_count(f), 3);
        check_tensor(f, "a.weight", 4, (int64_t[]){ 2, 3, 1, 1 },
                     (float[]){ -1, -0.75f, -0.5f, -0.25f, 0, 0.25f });
        check_tensor(f, "a.bias", 1, (int64_t[]){ 2 }, (float[]){ -1, -0.75f });
        check_tensor(f, "n", 0, NULL, (float[]){ 7 });
        CHECK_INT(find(f, "n")->type, TYPE_I64);
        pth_close(&f);
    }
}

static void resolves_strides_and_shared_storages(void)
{
    for (int i = 0; i < 2; i++) {
        Report report = { 0 };
        PthFile *f = open_seed("shared", forms[i], &report);
        CHECK_STRING(report.error, "");
        if (!CHECK(f != NULL))
            continue;
        float whole[12], turned[12];
        for (int k = 0; k < 12; k++)
            whole[k] = (float)k / 4 - 1;
        for (int y = 0; y < 3; y++)
            for (int x = 0; x < 4; x++)
                turned[y * 4 + x] = whole[x * 3 + y];
        check_tensor(f, "whole", 2, (int64_t[]){ 4, 3 }, whole);
        check_tensor(f, "t", 2, (int64_t[]){ 3, 4 }, turned);
        check_tensor(f, "row", 1, (int64_t[]){ 3 }, whole + 3);
        check_tensor(f, "column", 1, (int64_t[]){ 4 },
                     (float[]){ whole[2], whole[5], whole[8], whole[11] });
        check_tensor(f, "every_other", 2, (int64_t[]){ 2, 2 },
                     (float[]){ whole[1], whole[2], whole[7], whole[8] });
        pth_close(&f);
    }
}

static void reads_types_and_strips_the_wrapper(void)
{
    for (int i = 0; i < 2; i++) {
        Report report = { 0 };
        PthFile *f = open_seed("types", forms[i], &report);
        CHECK_STRING(report.error, "");
        if (!CHECK(f != NULL))
            continue;
        check_tensor(f, "f64", 1, (int64_t[]){ 3 }, (float[]){ -1, -0.75f, -0.5f });
        check_tensor(f, "f16", 1, (int64_t[]){ 3 }, (float[]){ -1, -0.75f, -0.5f });
        check_tensor(f, "i64", 1, (int64_t[]){ 3 }, (float[]){ 0, 1, 2 });
        check_tensor(f, "empty", 2, (int64_t[]){ 0, 3 }, NULL);
        check_tensor(f, "scalar", 0, NULL, (float[]){ 2.5f });
        pth_close(&f);
    }
}

static void reads_parameters_and_nested_dictionaries(void)
{
    for (int i = 0; i < 2; i++) {
        Report report = { 0 };
        PthFile *f = open_seed("parameter", forms[i], &report);
        if (CHECK(f != NULL))
            check_tensor(f, "p", 2, (int64_t[]){ 2, 2 }, (float[]){ -1, -0.75f, -0.5f, -0.25f });
        pth_close(&f);
        f = open_seed("nested", forms[i], &report);
        if (CHECK(f != NULL))
            check_tensor(f, "w", 1, (int64_t[]){ 3 }, (float[]){ -1, -0.75f, -0.5f });
        pth_close(&f);
        CHECK_STRING(report.error, "");
    }
}

static void refuses_what_is_no_dictionary(void)
{
    for (int i = 0; i < 2; i++) {
        Report report = { 0 };
        PthFile *f = open_seed("list", forms[i], &report);
        CHECK(!f);
        CHECK_CONTAINS(report.error, "does not hold a dictionary of tensors");
        f = open_seed("tensor", forms[i], &report);
        CHECK(!f);
        CHECK_CONTAINS(report.error, "does not hold a dictionary of tensors");
    }
}

static void reads_back_what_it_writes(void)
{
    const float w[6] = { 1, 2, 3, 4, 5, 6 };
    const int64_t n = 1000;
    const WeightTensor tensors[] = {
        { "w", TYPE_F32, 2, { 2, 3 }, 6, w, sizeof(w) },
        { "bn.num_batches_tracked", TYPE_I64, 0, { 0 }, 1, &n, sizeof(n) },
        { "none", TYPE_F32, 2, { 0, 4 }, 0, w, 0 },
    };
    char path[] = "/tmp/dain-pth-XXXXXX";
    Report report = { 0 };
    PthFile *f;
    const int fd = mkstemp(path);
    if (!CHECK(fd >= 0))
        return;
    close(fd);
    CHECK_INT(pth_write(path, tensors, 3, &report), 0);
    CHECK_INT(pth_open(&f, path, &report), 0);
    CHECK_STRING(report.error, "");
    if (f) {
        CHECK_INT(pth_count(f), 3);
        check_tensor(f, "w", 2, (int64_t[]){ 2, 3 }, w);
        check_tensor(f, "none", 2, (int64_t[]){ 0, 4 }, NULL);
        check_tensor(f, "bn.num_batches_tracked", 0, NULL, (float[]){ 1000 });
    }
    pth_close(&f);
    unlink(path);
    /* A run that died, whose process had the same number, left its file behind. */
    char stale[80];
    snprintf(stale, sizeof stale, "%s.%ld-0.part", path, (long)getpid());
    CHECK_INT(close(open(stale, O_WRONLY | O_CREAT, 0666)), 0);
    CHECK_INT(pth_write(path, tensors, 3, &report), 0);
    CHECK_INT(unlink(path), 0);
    CHECK_INT(unlink(stale), 0);
    const WeightTensor odd = { "b", TYPE_BOOL, 0, { 0 }, 1, w, 1 };
    CHECK_INT(pth_write(path, &odd, 1, &report), DAIN_EINVAL);
    CHECK_INT(pth_write("/nonexistent/x.pth", tensors, 3, &report), DAIN_EIO);
}

/* ---- from strangers ---- */

#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define VERSION "\x80\x02M\xe9\x03."
#define LITTLE "\x80\x02}X\x0d\0\0\0little_endian\x88s."
#define BIG "\x80\x02}X\x0d\0\0\0little_endian\x89s."
#define STORAGE(class, count)                                                                      \
    "(X\x07\0\0\0storage" class "X\x01\0\0\0"                                                      \
                                "0X\x03\0\0\0"                                                     \
                                "cpuJ" count "tQ"
#define FLOATS "ctorch\nFloatStorage\n"
#define DICT "ccollections\nOrderedDict\n)R"
#define TENSOR(storage, offset, sizes, strides)                                                    \
    "X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(" storage "K" offset "(" sizes "t(" strides   \
    "t\x89" DICT "tR"
#define KEYS                                                                                       \
    "\x80\x02]X\x01\0\0\0"                                                                         \
    "0a."
#define TWO                                                                                        \
    "\x02\0\0\0\0\0\0\0"                                                                           \
    "\0\0\x80\x3f\0\0\0\x40"
#define STATE(items) "\x80\x02" DICT "(" items "u."
#define PREAMBLE MAGIC VERSION LITTLE
#define GOOD STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\0", "K\x02", "K\x01"))

typedef struct Case {
    const char *what, *bytes;
    size_t size;
    const char *message; /* NULL: accepted */
} Case;

#define CASE(what, bytes, message)                                                                 \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, message                                                    \
    }

static const Case cases[] = {
    CASE("two floats", PREAMBLE GOOD KEYS TWO, NULL),
    CASE("nothing", "", "not a PyTorch checkpoint"),
    CASE("another file", "RIFF....AVI LIST", "not a PyTorch checkpoint"),
    CASE("only the magic number", MAGIC, "ends inside an instruction"),
    CASE("another version", MAGIC "\x80\x02M\xea\x03." LITTLE GOOD KEYS TWO, "unknown version"),
    CASE("big-endian", MAGIC VERSION BIG GOOD KEYS TWO, "big-endian"),
    CASE("no byte order", MAGIC VERSION "\x80\x02}." GOOD KEYS TWO, "byte order"),
    CASE("a call of os.system",
         PREAMBLE "\x80\x02"
                  "cos\nsystem\nX\x02\0\0\0id\x85R.",
         "'os.system', which has no place"),
    CASE("a class with escapes in its name",
         PREAMBLE "\x80\x02"
                  "cos\n\x1b[2J\n.",
         "'os.?[2J'"),
    CASE("an instruction of other pickles", PREAMBLE "\x80\x02i.", "instruction 0x69"),
    CASE("protocol 9", PREAMBLE "\x80\x09N.", "unknown pickle protocol"),
    CASE("a text longer than the file",
         PREAMBLE "\x80\x02X\xff\xff\xff\xff"
                  "abc",
         "ends inside"),
    CASE("a recall of nothing", PREAMBLE "\x80\x02h\x05.", "recalls what was not remembered"),
    CASE("a far memory", PREAMBLE "\x80\x02Nr\xff\xff\xff\x7f.", "too many values"),
    CASE("an empty stack", PREAMBLE "\x80\x02.", "without its operand"),
    CASE("a mark as result", PREAMBLE "\x80\x02(.", "without its operand"),
    CASE("a list that holds itself", PREAMBLE "\x80\x02]q\0h\0a.", "dictionary of tensors"),
    CASE("a dictionary that holds itself", PREAMBLE "\x80\x02}q\0X\x01\0\0\0wh\0s." KEYS TWO,
         "a storage that no tensor uses"),
    CASE("a number as entry",
         PREAMBLE "\x80\x02}X\x01\0\0\0wK\x05s."
                  "\x80\x02].",
         "tensor 'w': it is not a tensor"),
    CASE("a number as name",
         PREAMBLE "\x80\x02}K\x01K\x05s."
                  "\x80\x02].",
         "without a proper name"),
    CASE("a call of a storage", PREAMBLE "\x80\x02" FLOATS ")R.", "calls what cannot be called"),
    CASE("a reference that is a number", PREAMBLE "\x80\x02K\x01Q.", "not to a storage"),
    CASE("a tensor without strides",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\0", "K\x02", "")) KEYS TWO,
         "more sizes than strides"),
    CASE("a negative size",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\0", "J\xff\xff\xff\xff", "K\x01"))
             KEYS TWO,
         "negative size"),
    CASE("a negative storage",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\xff\xff\xff\xff"), "\0", "K\x02", "K\x01"))
             KEYS TWO,
         "not to a storage"),
    CASE("a tensor beyond its storage",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\1", "K\x02", "K\x01")) KEYS TWO,
         "tensor 'w': it reaches outside its storage"),
    CASE("a stride beyond the storage",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\0", "K\x02", "K\x09")) KEYS TWO,
         "tensor 'w': it reaches outside its storage"),
    CASE("a stride whose reach overflows",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\0", "K\x03",
                               "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f")) KEYS TWO,
         "tensor 'w': it reaches outside its storage"),
    CASE("a stride of nothing, at the end of what is counted",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\1", "K\x02K\x01",
                               "K\0\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f")) KEYS TWO,
         NULL), /* sanitizers look */
    CASE("a shape whose product overflows",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\0",
                               "J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f", "K\0K\0K\0"))
             KEYS TWO,
         "tensor 'w': its shape is too large"),
    CASE("a tensor that repeats two floats for ever",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x02\0\0\0"), "\0", "J\0\0\0\x40", "K\0")) KEYS TWO,
         "tensor 'w': it has more elements than its storage"),
    CASE("a storage of another size",
         PREAMBLE STATE(TENSOR(STORAGE(FLOATS, "\x03\0\0\0"), "\0", "K\x02", "K\x01")) KEYS TWO,
         "not as many elements"),
    CASE("a storage cut short",
         PREAMBLE GOOD KEYS "\x02\0\0\0\0\0\0\0"
                            "\0\0\x80\x3f\0\0\0",
         "ends early"),
    CASE("a storage without its count", PREAMBLE GOOD KEYS "\x02\0\0", "a storage is missing"),
    CASE("a storage that is not listed", PREAMBLE GOOD "\x80\x02].",
         "tensor 'w': its storage is missing"),
    CASE("no list of storages", PREAMBLE GOOD, "ends inside"),
    CASE("an unknown kind of storage",
         PREAMBLE STATE(TENSOR(STORAGE("ctorch\nQInt8Storage\n", "\x02\0\0\0"), "\0", "K\x02",
                               "K\x01")) KEYS TWO,
         "'torch.QInt8Storage'"),
    CASE("an archive without a directory", "PK\x03\x04 and no more of it", "no directory"),
};

static void refuses_each_with_a_sentence(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const Case *c = &cases[i];
        Report report = { 0 };
        PthFile *f;
        unsigned char *exact = malloc(c->size ? c->size : 1); /* for sanitizers */
        if (!CHECK(exact != NULL))
            return;
        memcpy(exact, c->bytes, c->size);
        const int error = pth_parse(&f, exact, c->size, "file", &report);
        if (c->message ? error == 0 || !strstr(report.error, c->message) : error != 0)
            test_fail(__FILE__, __LINE__, "%s: error %d, \"%s\"", c->what, error, report.error);
        pth_close(&f);
        free(exact);
    }
}

/* Every byte of an archive changed, one after the other: an answer, and never more bytes than there
 * are. */
static void survives_changed_bytes(void)
{
    static unsigned char good[4096];
    char path[4096];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/plain-%s.pth", corpus, forms[i]);
        FILE *f = fopen(path, "rb");
        if (!CHECK(f != NULL))
            return;
        const size_t size = fread(good, 1, sizeof(good), f);
        fclose(f);
        for (size_t at = 0; at < size; at++) {
            for (int change = 0; change < 3; change++) {
                const unsigned char was = good[at];
                good[at] = change == 0 ? 0 : change == 1 ? 0xff : (unsigned char)(was ^ 0x10);
                PthFile *file;
                pth_parse(&file, good, size, "file", NULL);
                pth_close(&file);
                good[at] = was;
            }
            PthFile *file;
            CHECK(pth_parse(&file, good, at, "file", NULL) != 0);
        }
    }
    CHECK_INT(mem_live(), 0);
}

static void stays_whole_without_memory(void)
{
    for (int i = 0; i < 2; i++)
        for (long n = 1; n < 40; n++) {
            Report report = { 0 };
            char path[4096];
            PthFile *f;
            snprintf(path, sizeof(path), "%s/shared-%s.pth", corpus, forms[i]);
            mem_fail_at(n);
            const int error = pth_open(&f, path, &report);
            mem_fail_at(0);
            CHECK(error == 0 || error == DAIN_ENOMEM);
            pth_close(&f);
            CHECK_INT(mem_live(), 0);
        }
}

static const Test tests[] = {
    { "plain tensors are read in both forms", reads_plain_tensors },
    { "strides and shared storages are resolved", resolves_strides_and_shared_storages },
    { "types are kept and the wrapper's prefix goes", reads_types_and_strips_the_wrapper },
    { "parameters and nested dictionaries are read", reads_parameters_and_nested_dictionaries },
    { "what is no dictionary of tensors is refused", refuses_what_is_no_dictionary },
    { "what is written is read back", reads_back_what_it_writes },
    { "each damage has its sentence", refuses_each_with_a_sentence },
    { "changed bytes are survived", survives_changed_bytes },
    { "without memory nothing leaks", stays_whole_without_memory },
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s folder-of-checkpoints [test...]\n", argv[0]);
        return 2;
    }
    corpus = argv[1];
    return test_main(tests, (int)(sizeof(tests) / sizeof(tests[0])), argc - 1, argv + 1);
}
