/* Data types of weight files: names, sizes, conversion to float. */
#include "weights/types.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[TYPE_COUNT] = {
    [TYPE_F32] = { "F32", 4 },   [TYPE_F16] = { "F16", 2 }, [TYPE_BF16] = { "BF16", 2 },
    [TYPE_F64] = { "F64", 8 },   [TYPE_I64] = { "I64", 8 }, [TYPE_I32] = { "I32", 4 },
    [TYPE_I16] = { "I16", 2 },   [TYPE_I8] = { "I8", 1 },   [TYPE_U8] = { "U8", 1 },
    [TYPE_BOOL] = { "BOOL", 1 },
};

const char *type_name(DataType type)
{
    return types[type].name;
}

size_t type_size(DataType type)
{
    return types[type].size;
}

int type_from_name(const char *name, DataType *type)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (!strcmp(name, types[i].name)) {
            *type = (DataType)i;
            return 1;
        }
    return 0;
}

int shape_size(const int64_t *shape, int dims, DataType type, int64_t *count, size_t *bytes)
{
    int64_t elements = 1;
    for (int i = 0; i < dims; i++)
        if (shape[i] < 0 || __builtin_mul_overflow(elements, shape[i], &elements))
            return -1;
    int64_t total;
    if (__builtin_mul_overflow(elements, (int64_t)type_size(type), &total) ||
        (uint64_t)total > SIZE_MAX)
        return -1;
    *count = elements;
    *bytes = (size_t)total;
    return 0;
}

/* size bytes, little endian, as an unsigned number. The address may be odd. */
static uint64_t load(const unsigned char *p, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static float float_from_half(uint32_t half)
{
    const uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 1023;
    if (exponent == 0) { /* zero or subnormal: mantissa * 2^-24, exact in a float */
        const float magnitude = (float)mantissa * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31) /* infinity or not a number; the payload is kept */
        return float_from_bits(sign | 0x7f800000 | mantissa << 13);
    return float_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

static float float_from_double_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return (float)value;
}

float weights_value(const WeightTensor *tensor, int64_t index)
{
    const size_t size = type_size(tensor->type);
    const uint64_t bits = load((const unsigned char *)tensor->data + (size_t)index * size, size);
    switch (tensor->type) {
    case TYPE_F32:
        return float_from_bits((uint32_t)bits);
    case TYPE_F16:
        return float_from_half((uint32_t)bits);
    case TYPE_BF16:
        return float_from_bits((uint32_t)bits << 16);
    case TYPE_F64:
        return float_from_double_bits(bits);
    case TYPE_I64:
        return (float)(int64_t)bits;
    case TYPE_I32:
        return (float)(int32_t)bits;
    case TYPE_I16:
        return (float)(int16_t)bits;
    case TYPE_I8:
        return (float)(int8_t)bits;
    case TYPE_U8:
        return (float)bits;
    case TYPE_BOOL:
        return bits ? 1.0f : 0.0f;
    }
    return NAN;
}

void weights_to_f32(const WeightTensor *tensor, float *out)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (tensor->type == TYPE_F32) {
        if (tensor->bytes > 0)
            memcpy(out, tensor->data, tensor->bytes);
        return;
    }
#endif
    for (int64_t i = 0; i < tensor->count; i++)
        out[i] = weights_value(tensor, i);
}
