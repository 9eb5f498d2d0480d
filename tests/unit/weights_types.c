/* Weight data types: every conversion to float, at odd addresses too. */
#include "test.h"

#include "weights/types.h"

#include <math.h>

static float one(DataType type, const void *bytes)
{
    unsigned char odd[9];
    memcpy(odd + 1, bytes, type_size(type));
    const WeightTensor tensor = { .name = "x", .type = type, .count = 1, .data = odd + 1 };
    const float value = weights_value(&tensor, 0);
    float all[2] = { 0, 12345 };
    WeightTensor whole = tensor;
    whole.bytes = type_size(type);
    weights_to_f32(&whole, all);
    CHECK_BYTES(&all[0], &value, sizeof(value));
    CHECK(all[1] == 12345);
    return value;
}

static uint32_t bits(float value)
{
    uint32_t b;
    memcpy(&b, &value, sizeof(b));
    return b;
}

#define LITTLE(...)                                                                                \
    (const unsigned char[])                                                                        \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void integers(void)
{
    CHECK(one(TYPE_I8, LITTLE(0x80)) == -128);
    CHECK(one(TYPE_U8, LITTLE(0xff)) == 255);
    CHECK(one(TYPE_I16, LITTLE(0xfe, 0xff)) == -2);
    CHECK(one(TYPE_I16, LITTLE(0x00, 0x01)) == 256);
    CHECK(one(TYPE_I32, LITTLE(0x00, 0x00, 0x00, 0x80)) == -2147483648.0f);
    CHECK(one(TYPE_I64, LITTLE(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)) == -1);
    CHECK(one(TYPE_I64, LITTLE(0, 0, 0, 0, 0, 1, 0, 0)) == 0x1p40f);
    CHECK(one(TYPE_BOOL, LITTLE(0)) == 0);
    CHECK(one(TYPE_BOOL, LITTLE(1)) == 1);
}

static void floats(void)
{
    CHECK(one(TYPE_F32, LITTLE(0x00, 0x00, 0xc0, 0xbf)) == -1.5f);
    CHECK(one(TYPE_BF16, LITTLE(0xc0, 0xbf)) == -1.5f);
    CHECK(one(TYPE_F64, LITTLE(0, 0, 0, 0, 0, 0, 0xf8, 0xbf)) == -1.5f);
    CHECK(isinf(one(TYPE_F64, LITTLE(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0x7f))));
    CHECK_INT(bits(one(TYPE_F32, LITTLE(0, 0, 0, 0x80))), 0x80000000u);
}

/* All 65,536 half floats, against their definition in exact arithmetic. */
static void halves(void)
{
    for (unsigned h = 0; h < 0x10000; h++) {
        const int exponent = (int)(h >> 10 & 31), mantissa = (int)(h & 1023);
        const float got = one(TYPE_F16, LITTLE(h & 0xff, h >> 8));
        if (exponent == 31 && mantissa) {
            if (!CHECK(isnan(got)))
                return;
            continue;
        }
        double want = exponent == 31  ? (double)INFINITY
                      : exponent == 0 ? ldexp(mantissa, -24)
                                      : ldexp(1024 + mantissa, exponent - 25);
        if (h & 0x8000)
            want = -want;
        if ((double)got != want || !signbit(got) != !(h & 0x8000)) {
            test_fail(__FILE__, __LINE__, "half %#x is %g, not %g", h, (double)got, want);
            return;
        }
    }
}

static void sizes(void)
{
    int64_t count;
    size_t bytes;
    const int64_t shape[3] = { 2, 3, 5 };
    CHECK_INT(shape_size(shape, 3, TYPE_F16, &count, &bytes), 0);
    CHECK_INT(count, 30);
    CHECK_INT(bytes, 60);
    CHECK_INT(shape_size(shape, 0, TYPE_F64, &count, &bytes), 0);
    CHECK_INT(count, 1);
    CHECK_INT(bytes, 8);
    const int64_t empty[2] = { 0, 7 };
    CHECK_INT(shape_size(empty, 2, TYPE_F32, &count, &bytes), 0);
    CHECK_INT(bytes, 0);
    const int64_t negative[2] = { -1, -1 };
    CHECK_INT(shape_size(negative, 2, TYPE_F32, &count, &bytes), -1);
    const int64_t large[2] = { INT64_MAX / 2, 3 };
    CHECK_INT(shape_size(large, 2, TYPE_U8, &count, &bytes), -1);
    CHECK_INT(shape_size(large, 1, TYPE_F32, &count, &bytes), -1);
}

static void names(void)
{
    for (int i = 0; i < TYPE_COUNT; i++) {
        DataType type;
        CHECK_INT(type_from_name(type_name((DataType)i), &type), 1);
        CHECK_INT(type, i);
    }
    DataType type;
    CHECK_INT(type_from_name("f32", &type), 0);
    CHECK_INT(type_from_name("F8_E4M3", &type), 0);
    CHECK_INT(type_from_name("", &type), 0);
}

static const Test tests[] = {
    { "integers of every width become floats", integers },
    { "floats of every width become floats", floats },
    { "all 65536 half floats have their value and sign", halves },
    { "sizes of shapes are exact and overflow is seen", sizes },
    { "type names are understood both ways", names },
};
TEST_MAIN(tests)
