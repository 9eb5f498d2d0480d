/* Writing ONNX models: see onnx_write.h. */
#include "weights/onnx_write.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- protocol buffers ---- */

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static void put_varint(Bytes *b, uint64_t v)
{
    unsigned char bytes[10];
    int n = 0;
    do {
        bytes[n] = (unsigned char)(v & 0x7f);
        v >>= 7;
        bytes[n++] |= v ? 0x80 : 0;
    } while (v);
    bytes_put(b, bytes, n);
}

static void put_int(Bytes *b, int field, int64_t v)
{
    put_varint(b, (uint64_t)field << 3 | WIRE_VARINT);
    put_varint(b, (uint64_t)v);
}

static void put_bytes(Bytes *b, int field, const void *bytes, size_t size)
{
    put_varint(b, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(b, size);
    bytes_put(b, bytes, size);
}

static void put_text(Bytes *b, int field, const char *text)
{
    put_bytes(b, field, text, strlen(text));
}

static void put_float(Bytes *b, int field, float v)
{
    union {
        float f;
        uint32_t u;
    } bits = { v };
    put_varint(b, (uint64_t)field << 3 | WIRE_FIXED32);
    bytes_put_number(b, bits.u, 4);
}

/* Moves a finished message into its parent, as a field. */
static void put_message(Bytes *b, int field, Bytes *message)
{
    if (message->no_memory)
        b->no_memory = 1;
    put_bytes(b, field, message->data, message->size);
    bytes_free(message);
}

/* ---- nodes ---- */

OnnxAttr onnx_attr_int(const char *name, int64_t value)
{
    return (OnnxAttr){ .name = name, .count = -1, .i = { value } };
}

OnnxAttr onnx_attr_ints(const char *name, int count, const int64_t *values)
{
    OnnxAttr a = { .name = name, .count = count < ONNX_MAX_DIMS ? count : ONNX_MAX_DIMS };
    memcpy(a.i, values, a.count * sizeof *values);
    return a;
}

OnnxAttr onnx_attr_float(const char *name, float value)
{
    return (OnnxAttr){ .name = name, .f = value, .is_float = 1 };
}

OnnxAttr onnx_attr_text(const char *name, const char *value)
{
    return (OnnxAttr){ .name = name, .text = value };
}

/* AttributeProto: name = 1, f = 2, i = 3, s = 4, ints = 8, type = 20. */
static void put_attr(Bytes *node, const OnnxAttr *a)
{
    enum { TYPE_FIELD = 20, TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
    Bytes b = { 0 };
    put_text(&b, 1, a->name);
    if (a->text) {
        put_text(&b, 4, a->text);
        put_int(&b, TYPE_FIELD, TYPE_STRING);
    } else if (a->is_float) {
        put_float(&b, 2, a->f);
        put_int(&b, TYPE_FIELD, TYPE_FLOAT);
    } else if (a->count < 0) {
        put_int(&b, 3, a->i[0]);
        put_int(&b, TYPE_FIELD, TYPE_INT);
    } else {
        for (int i = 0; i < a->count; i++)
            put_int(&b, 8, a->i[i]);
        put_int(&b, TYPE_FIELD, TYPE_INTS);
    }
    put_message(node, 5, &b);
}

/* NodeProto: input = 1, output = 2, name = 3, op_type = 4, attribute = 5. */
static void put_node(OnnxWriter *w, const char *op, const char *name, const OnnxValue *in,
                     int inputs, const OnnxAttr *attr, int attrs)
{
    Bytes b = { 0 };
    for (int i = 0; i < inputs; i++)
        put_text(&b, 1, in[i].name);
    put_text(&b, 2, name);
    put_text(&b, 3, name);
    put_text(&b, 4, op);
    for (int i = 0; i < attrs; i++)
        put_attr(&b, &attr[i]);
    put_message(&w->node, 1, &b);
    w->nodes++;
}

OnnxValue onnx_node(OnnxWriter *w, const char *op, const OnnxValue *in, int inputs,
                    const OnnxAttr *attr, int attrs)
{
    OnnxValue out = { .type = inputs ? in[0].type : ONNX_FLOAT };
    snprintf(out.name, sizeof out.name, "%s/%s.%d", w->scope, op, w->nodes);
    put_node(w, op, out.name, in, inputs, attr, attrs);
    return out;
}

void onnx_rename(OnnxWriter *w, OnnxValue value, const char *name)
{
    put_node(w, "Identity", name, &value, 1, NULL, 0);
}

/* ---- constants ---- */

/* 1 if there is a constant of that name; remembers it else. */
static int known(OnnxWriter *w, const char *name)
{
    for (int i = 0; i < w->constants; i++)
        if (!strcmp(w->constant[i], name))
            return 1;
    if (!mem_reserve(&w->constant, w->constants, &w->constant_capacity, sizeof *w->constant)) {
        w->initializer.no_memory = 1;
        return 1;
    }
    snprintf(w->constant[w->constants++], ONNX_NAME_LENGTH, "%s", name);
    return 0;
}

/* The nearest half-precision number; beyond its range, infinity. */
static uint16_t onnx_half(float value)
{
    union {
        float f;
        uint32_t u;
    } bits = { fabsf(value) };
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    if (isnan(value))
        return sign | 0x7e00;
    if (bits.f >= 65520) /* half way between the largest and what would be the next */
        return sign | 0x7c00;
    if (bits.f < 0x1p-14f) /* multiples of 2^-24; the largest rounds up to the smallest normal */
        return sign | (uint16_t)rintf(bits.f * 0x1p24f);
    const uint32_t odd = bits.u >> 13 & 1;
    return sign | (uint16_t)((bits.u + 0xfff + odd - (112u << 23)) >> 13);
}

/* The beginning of a TensorProto: dims = 1, data_type = 2, name = 8. */
static Bytes tensor_head(const char *name, OnnxType type, int dims, const int64_t *shape)
{
    Bytes b = { 0 };
    for (int i = 0; i < dims; i++)
        put_int(&b, 1, shape[i]);
    put_int(&b, 2, type);
    put_text(&b, 8, name);
    return b;
}

static uint64_t float_bits(float value, OnnxType type)
{
    union {
        float f;
        uint32_t u;
    } bits = { value };
    return type == ONNX_HALF ? onnx_half(value) : bits.u;
}

/* raw_data = 9, little endian: so many elements of so many bytes follow. */
static void raw_head(Bytes *tensor, int64_t count, int bytes_each)
{
    put_varint(tensor, 9 << 3 | WIRE_BYTES);
    put_varint(tensor, (uint64_t)count * bytes_each);
}

/* A constant of that name and type, unless there is one; of floats, or else of integers. */
static OnnxValue constant(OnnxWriter *w, const char *name, OnnxType type, int dims,
                          const int64_t *shape, const float *floats, const int32_t *integers)
{
    OnnxValue v = { .type = type };
    const int bytes = type == ONNX_HALF ? 2 : type == ONNX_FLOAT || type == ONNX_INT32 ? 4 : 1;
    int64_t count = 1;
    for (int i = 0; i < dims; i++)
        count *= shape[i];
    snprintf(v.name, sizeof v.name, "%s", name);
    if (known(w, v.name))
        return v;
    Bytes b = tensor_head(v.name, type, dims, shape);
    raw_head(&b, count, bytes);
    for (int64_t i = 0; i < count; i++)
        bytes_put_number(&b, floats ? float_bits(floats[i], type) : (uint64_t)integers[i], bytes);
    put_message(&w->initializer, 5, &b);
    return v;
}

OnnxValue onnx_tensor(OnnxWriter *w, const char *name, OnnxType type, int dims,
                      const int64_t *shape, const float *values)
{
    return constant(w, name, type, dims, shape, values, NULL);
}

OnnxValue onnx_integers(OnnxWriter *w, const char *name, OnnxType type, int dims,
                        const int64_t *shape, const int32_t *values)
{
    return constant(w, name, type, dims, shape, NULL, values);
}

OnnxValue onnx_scalar(OnnxWriter *w, float value)
{
    char name[ONNX_NAME_LENGTH];
    snprintf(name, sizeof name, "const/%.9g", value);
    return onnx_tensor(w, name, ONNX_FLOAT, 0, NULL, &value);
}

OnnxValue onnx_ints(OnnxWriter *w, int count, const int64_t *values)
{
    OnnxValue v = { .type = ONNX_INT64 };
    int used = snprintf(v.name, sizeof v.name, "ints");
    for (int i = 0; i < count && i < ONNX_MAX_DIMS; i++) {
        const size_t left = sizeof v.name - used;
        const int n = values[i] == INT64_MAX
                          ? snprintf(v.name + used, left, "/end")
                          : snprintf(v.name + used, left, "/%lld", (long long)values[i]);
        used += n < (int)left ? n : (int)left - 1;
    }
    if (known(w, v.name))
        return v;
    const int64_t n = count < ONNX_MAX_DIMS ? count : ONNX_MAX_DIMS;
    Bytes b = tensor_head(v.name, ONNX_INT64, 1, &n);
    raw_head(&b, n, 8);
    for (int i = 0; i < n; i++)
        bytes_put_number(&b, (uint64_t)values[i], 8);
    put_message(&w->initializer, 5, &b);
    return v;
}

/* ---- the model ---- */

/* ValueInfoProto: name = 1, type = 2; TypeProto: tensor_type = 1; its elem_type = 1, shape = 2. */
static void put_info(Bytes *parent, int field, const char *name, OnnxType type, int dims,
                     const OnnxDim *dim)
{
    Bytes shape = { 0 }, tensor = { 0 }, kind = { 0 }, info = { 0 };
    for (int i = 0; i < dims; i++) {
        Bytes d = { 0 };
        if (dim[i].name)
            put_text(&d, 2, dim[i].name);
        else
            put_int(&d, 1, dim[i].size);
        put_message(&shape, 1, &d);
    }
    put_int(&tensor, 1, type);
    put_message(&tensor, 2, &shape);
    put_message(&kind, 1, &tensor);
    put_text(&info, 1, name);
    put_message(&info, 2, &kind);
    put_message(parent, field, &info);
}

OnnxValue onnx_input(OnnxWriter *w, const char *name, OnnxType type, int dims, const OnnxDim *dim)
{
    OnnxValue v = { .type = type };
    snprintf(v.name, sizeof v.name, "%s", name);
    put_info(&w->input, 11, name, type, dims, dim);
    return v;
}

void onnx_output(OnnxWriter *w, const char *name, OnnxType type, int dims, const OnnxDim *dim)
{
    put_info(&w->output, 12, name, type, dims, dim);
}

void onnx_metadata(OnnxWriter *w, const char *key, const char *value)
{
    Bytes b = { 0 };
    put_text(&b, 1, key);
    put_text(&b, 2, value);
    put_message(&w->meta, 14, &b);
}

/* ModelProto: ir_version = 1, producer_name = 2, producer_version = 3, model_version = 5, doc_string = 6,
 * graph = 7, opset_import = 8, metadata_props = 14. GraphProto: node = 1, name = 2, initializer = 5,
 * input = 11, output = 12. */
int onnx_finish(const OnnxWriter *w, const char *graph_name, const char *doc, Bytes *file,
                Report *report)
{
    const Bytes *const part[] = { &w->node, &w->initializer, &w->input, &w->output };
    Bytes graph = { 0 }, opset = { 0 };
    char version[32];
    *file = (Bytes){ 0 };
    put_text(&graph, 2, graph_name);
    for (int i = 0; i < 4; i++) {
        graph.no_memory |= part[i]->no_memory;
        bytes_put(&graph, part[i]->data, part[i]->size);
    }
    snprintf(version, sizeof version, "%d.%d.%d", DAIN_VERSION_MAJOR, DAIN_VERSION_MINOR,
             DAIN_VERSION_PATCH);
    put_int(file, 1, ONNX_IR_VERSION);
    put_text(file, 2, "dain");
    put_text(file, 3, version);
    put_int(file, 5, 1);
    put_text(file, 6, doc);
    put_message(file, 7, &graph);
    put_text(&opset, 1, "");
    put_int(&opset, 2, ONNX_OPSET);
    put_message(file, 8, &opset);
    bytes_put(file, w->meta.data, w->meta.size);
    if (!file->no_memory && !w->meta.no_memory)
        return DAIN_OK;
    bytes_free(file);
    return report_error(report, DAIN_ENOMEM, "out of memory for the ONNX model");
}

void onnx_free(OnnxWriter *w)
{
    bytes_free(&w->node);
    bytes_free(&w->initializer);
    bytes_free(&w->input);
    bytes_free(&w->output);
    bytes_free(&w->meta);
    mem_free(w->constant);
    memset(w, 0, sizeof *w);
}
