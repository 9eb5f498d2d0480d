/* safetensors from strangers: each damaged in one way, each refused with the right sentence. */
#include "test.h"

#include "base/mem.h"
#include "weights/safetensors.h"

/* A file in memory: header text, bytes of data behind it, and what the refusal must say. A length
 * of 0 stands for the true length of the header. */
typedef struct Case {
    const char *what, *header;
    size_t data;
    const char *message;
    uint64_t length;
} Case;

#define TENSOR(name, type, shape, offsets)                                                         \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":[" shape "],\"data_offsets\":[" offsets "]}"
#define ONE "{" TENSOR("w", "F32", "2", "0,8") "}"

static const Case cases[] = {
    { "empty header text", "", 8, "not a safetensors file", 0 },
    { "no object", "[1,2,3]", 8, "not a safetensors file", 0 },
    { "space before the object", " " ONE, 8, "not a safetensors file", 0 },
    { "header length beyond the file", ONE, 8, "cut short", 4096 },
    { "header length of 2^63", ONE, 8, "not a safetensors file", UINT64_C(1) << 63 },
    { "header length of 2^64-1", ONE, 8, "not a safetensors file", UINT64_MAX },
    { "header length above 100 MB", ONE, 8, "not a safetensors file", 100000001 },
    { "header length of 1", ONE, 8, "not a safetensors file", 1 },
    { "header cut inside", ONE, 8, "byte 20", 20 },
    { "object not closed", "{" TENSOR("w", "F32", "2", "0,8"), 8, "expected", 0 },
    { "comma at the end", "{" TENSOR("w", "F32", "2", "0,8") ",}", 8, "a string expected", 0 },
    { "two objects", ONE ONE, 8, "after the end", 0 },
    { "something behind the object", ONE "x", 8, "after the end", 0 },
    { "a data byte missing", ONE, 7, "outside the file", 0 },
    { "a data byte too many", ONE, 9, "belong to no tensor", 0 },
    { "no tensors but data", "{}", 4, "belong to no tensor", 0 },
    { "end before begin", "{" TENSOR("w", "F32", "2", "8,0") "}", 8, "outside the file", 0 },
    { "offsets at the end of the numbers",
      "{" TENSOR("w", "U8", "1", "9223372036854775806,9223372036854775807") "}", 8,
      "outside the file", 0 },
    { "an offset above 2^63", "{" TENSOR("w", "F32", "2", "0,18446744073709551615") "}", 8,
      "too large", 0 },
    { "a negative offset", "{" TENSOR("w", "F32", "2", "-8,0") "}", 8, "not negative", 0 },
    { "three offsets", "{" TENSOR("w", "F32", "2", "0,4,8") "}", 8, "expected", 0 },
    { "one offset", "{" TENSOR("w", "F32", "2", "0") "}", 8, "expected", 0 },
    { "a shape too small for the data", "{" TENSOR("w", "F32", "1", "0,8") "}", 8, "does not match",
      0 },
    { "a shape too large for the data", "{" TENSOR("w", "F32", "3", "0,8") "}", 8, "does not match",
      0 },
    { "a shape that overflows", "{" TENSOR("w", "F32", "4294967296,4294967296", "0,8") "}", 8,
      "too large", 0 },
    { "a shape that wraps to the right size",
      "{" TENSOR("w", "U8", "4294967297,4294967296,4294967296", "0,8") "}", 8, "too large", 0 },
    { "bytes that overflow", "{" TENSOR("w", "F64", "4611686018427387904", "0,0") "}", 0,
      "too large", 0 },
    { "a negative dimension", "{" TENSOR("w", "F32", "-2", "0,8") "}", 8, "not negative", 0 },
    { "a fraction as dimension", "{" TENSOR("w", "F32", "2.0", "0,8") "}", 8, "expected", 0 },
    { "an exponent as dimension", "{" TENSOR("w", "F32", "2e0", "0,8") "}", 8, "expected", 0 },
    { "nine dimensions", "{" TENSOR("w", "F32", "2,1,1,1,1,1,1,1,1", "0,8") "}", 8, "more than 8",
      0 },
    { "an unknown type", "{" TENSOR("w", "F8_E4M3", "8", "0,8") "}", 8, "data type", 0 },
    { "a type that is a number", "{\"w\":{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
      "a string expected", 0 },
    { "no type", "{\"w\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "missing", 0 },
    { "no shape", "{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "missing", 0 },
    { "no offsets", "{\"w\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "missing", 0 },
    { "an empty description", "{\"w\":{}}", 0, "a string expected", 0 },
    { "a type twice",
      "{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
      "twice", 0 },
    { "an unknown key",
      "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":[[[[[[[[]]]]]]]]}}", 8,
      "unknown key", 0 },
    { "a name twice", "{" TENSOR("w", "F32", "1", "0,4") "," TENSOR("w", "F32", "1", "4,8") "}", 8,
      "two tensors have this name", 0 },
    { "a name twice, once with an escape",
      "{" TENSOR("w", "F32", "1", "0,4") "," TENSOR("\\u0077", "F32", "1", "4,8") "}", 8,
      "two tensors have this name", 0 },
    { "tensors that overlap",
      "{" TENSOR("a", "F32", "1", "0,4") "," TENSOR("b", "F32", "1", "2,6") "}", 6, "overlap", 0 },
    { "tensors that share their data",
      "{" TENSOR("a", "F32", "2", "0,8") "," TENSOR("b", "F32", "2", "0,8") "}", 8, "overlap", 0 },
    { "a hole between tensors",
      "{" TENSOR("a", "F32", "1", "0,4") "," TENSOR("b", "F32", "1", "8,12") "}", 12, "hole", 0 },
    { "a hole at the beginning", "{" TENSOR("a", "F32", "1", "4,8") "}", 8, "hole", 0 },
    { "an empty tensor inside another",
      "{" TENSOR("a", "F32", "2", "0,8") "," TENSOR("b", "F32", "0", "4,4") "}", 8, "overlap", 0 },
    { "two __metadata__", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "two __metadata__", 0 },
    { "a metadata key twice", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "twice", 0 },
    { "metadata that is a number", "{\"__metadata__\":{\"a\":1}}", 0, "a string expected", 0 },
    { "metadata that is an array", "{\"__metadata__\":[\"a\"]}", 0, "'{' expected", 0 },
    { "metadata with an object inside", "{\"__metadata__\":{\"a\":{}}}", 0, "a string expected",
      0 },
    { "a name that is not UTF-8", "{" TENSOR("\xff", "F32", "2", "0,8") "}", 8, "UTF-8", 0 },
    { "a name with a zero character", "{" TENSOR("w\\u0000x", "F32", "2", "0,8") "}", 8,
      "zero character", 0 },
};

/* A block of exactly the file's size, so that a sanitizer sees a step beyond. */
static unsigned char *build(const Case *c, size_t *size)
{
    const size_t header = strlen(c->header);
    const uint64_t length = c->length ? c->length : header;
    *size = 8 + header + c->data;
    unsigned char *bytes = malloc(*size);
    if (!bytes)
        abort();
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> (8 * i));
    memcpy(bytes + 8, c->header, header);
    memset(bytes + 8 + header, 0x5a, c->data);
    return bytes;
}

static void each_is_refused(void)
{
    const long live = mem_live();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size;
        unsigned char *bytes = build(&cases[i], &size);
        Report report = { 0 };
        WeightFile *file;
        const int error = safetensors_parse(&file, bytes, size, "file", &report);
        if (error != DAIN_EFORMAT || file || !strstr(report.error, cases[i].message))
            test_fail(__FILE__, __LINE__, "%s: error %d, \"%s\"", cases[i].what, error,
                      report.error);
        weights_close(&file);
        CHECK_INT(mem_live(), live);
        free(bytes);
    }
}

static void the_sound_one_is_read(void)
{
    const Case sound[] = {
        { "one tensor", ONE, 8, "", 0 },
        { "spaces behind", ONE "      ", 8, "", 0 },
        { "keys in another order",
          "{\"w\":{\"data_offsets\":[0,8],\"dtype\":\"F32\",\"shape\":[2]}}", 8, "", 0 },
        { "tensors not in the order of their data",
          "{" TENSOR("b", "F32", "1", "4,8") ", " TENSOR("a", "F32", "1", "0,4") "}", 8, "", 0 },
        { "empty tensors between others",
          "{" TENSOR("a", "U8", "4", "0,4") "," TENSOR("e", "F32", "0", "4,4") "," TENSOR(
              "f", "F32", "7,0,9", "4,4") "," TENSOR("b", "U8", "4", "4,8") "}",
          8, "", 0 },
    };
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        size_t size;
        unsigned char *bytes = build(&sound[i], &size);
        Report report = { 0 };
        WeightFile *file;
        if (safetensors_parse(&file, bytes, size, "file", &report) != 0)
            test_fail(__FILE__, __LINE__, "%s: \"%s\"", sound[i].what, report.error);
        weights_close(&file);
        free(bytes);
    }
}

/* Every prefix of a sound file, and every single byte of its header changed to every value: never a
 * crash, never a tensor outside the data. What a changed byte means is not judged here. */
static void cuts_and_flips(void)
{
    const Case sound = { "",
                         "{\"__metadata__\":{\"k\":\"v\\n\"}," TENSOR(
                             "a", "F16", "2,1", "0,4") "," TENSOR("b", "U8", "4", "4,8") "}",
                         8, "", 0 };
    const long live = mem_live();
    size_t size;
    unsigned char *bytes = build(&sound, &size);
    WeightFile *file;
    for (size_t n = 0; n < size; n++) {
        unsigned char *cut = malloc(n ? n : 1);
        if (!cut)
            abort();
        memcpy(cut, bytes, n);
        CHECK_INT(safetensors_parse(&file, cut, n, "file", NULL), DAIN_EFORMAT);
        free(cut);
    }
    for (size_t i = 0; i < size - sound.data; i++) {
        const unsigned char kept = bytes[i];
        for (int value = 0; value < 256; value++) {
            bytes[i] = (unsigned char)value;
            if (safetensors_parse(&file, bytes, size, "file", NULL) == 0)
                for (int k = 0; k < weights_count(file); k++) {
                    const WeightTensor *tensor = weights_at(file, k);
                    const unsigned char *data = tensor->data;
                    CHECK(data >= bytes && data + tensor->bytes <= bytes + size);
                }
            weights_close(&file);
        }
        bytes[i] = kept;
    }
    CHECK_INT(mem_live(), live);
    free(bytes);
}

static const Test tests[] = {
    { "unusual but sound files are read", the_sound_one_is_read },
    { "each damaged file is refused with the sentence that names the damage", each_is_refused },
    { "no cut and no changed byte of a header leads outside the file", cuts_and_flips },
};
TEST_MAIN(tests)
