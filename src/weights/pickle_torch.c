/* What PyTorch means by the classes and calls in its pickles: storages and tensors. */
#include "weights/pickle_machine.h"

/* Classes that a pickle may name. They are only compared, never called. */
typedef enum GlobalClass {
    GLOBAL_ORDERED_DICT,
    GLOBAL_REBUILD_TENSOR,
    GLOBAL_REBUILD_PARAMETER,
    GLOBAL_FLOAT_STORAGE,
    GLOBAL_DOUBLE_STORAGE,
    GLOBAL_HALF_STORAGE,
    GLOBAL_LONG_STORAGE
} GlobalClass;

static const struct {
    const char *module, *name;
    GlobalClass class;
} globals[] = {
    { "collections", "OrderedDict", GLOBAL_ORDERED_DICT },
    { "torch._utils", "_rebuild_tensor_v2", GLOBAL_REBUILD_TENSOR },
    { "torch._utils", "_rebuild_parameter", GLOBAL_REBUILD_PARAMETER },
    { "torch", "FloatStorage", GLOBAL_FLOAT_STORAGE },
    { "torch", "DoubleStorage", GLOBAL_DOUBLE_STORAGE },
    { "torch", "HalfStorage", GLOBAL_HALF_STORAGE },
    { "torch", "LongStorage", GLOBAL_LONG_STORAGE },
    { "torch.cuda", "FloatStorage", GLOBAL_FLOAT_STORAGE },
    { "torch.cuda", "DoubleStorage", GLOBAL_DOUBLE_STORAGE },
    { "torch.cuda", "HalfStorage", GLOBAL_HALF_STORAGE },
    { "torch.cuda", "LongStorage", GLOBAL_LONG_STORAGE },
};

int pickle_op_global(Pickle *p)
{
    PickleText module = { 0 }, name = { 0 };
    int error = pickle_take_line(p, &module);
    if (!error)
        error = pickle_take_line(p, &name);
    if (error)
        return error;
    for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
        if (text_is(module, globals[i].module) && text_is(name, globals[i].name))
            return pickle_push(p,
                               (PickleValue){ .kind = PICKLE_GLOBAL, .index = globals[i].class });
    char full[128];
    size_t length = 0;
    for (uint32_t i = 0; i <= module.size + name.size && length + 1 < sizeof(full); i++) {
        const char c = i < module.size    ? module.text[i]
                       : i == module.size ? '.'
                                          : name.text[i - module.size - 1];
        full[length++] = c > ' ' && c < 127 ? c : '?'; /* it goes to a terminal */
    }
    full[length] = 0;
    return report_error(p->report, DAIN_EUNSUPPORTED,
                        "%s: the pickle names '%s', which has no place among weights", p->name,
                        full);
}

static int storage_type(int class, DataType *type)
{
    switch (class) {
    case GLOBAL_FLOAT_STORAGE:
        *type = TYPE_F32;
        return 1;
    case GLOBAL_DOUBLE_STORAGE:
        *type = TYPE_F64;
        return 1;
    case GLOBAL_HALF_STORAGE:
        *type = TYPE_F16;
        return 1;
    case GLOBAL_LONG_STORAGE:
        *type = TYPE_I64;
        return 1;
    default:
        return 0;
    }
}

/* BINPERSID: ('storage', class, key, location, count [, None]) */
int pickle_op_persistent(Pickle *p)
{
    PickleValue id = { 0 }, item[6] = { 0 };
    int error = pickle_pop(p, &id);
    if (error)
        return error;
    const int count = id.kind == PICKLE_TUPLE ? pickle_count(p, id) : 0;
    if (count != 5 && count != 6)
        return pickle_bad(p, "a reference that is not to a storage");
    for (int i = 0; i < count; i++)
        item[i] = pickle_at(p, id, i, NULL);
    Storage s = { .key = item[2].text, .count = item[4].number };
    if (!pickle_text_is(item[0], "storage") || item[1].kind != PICKLE_GLOBAL ||
        !storage_type(item[1].index, &s.type) || item[2].kind != PICKLE_TEXT ||
        item[4].kind != PICKLE_INT || s.count < 0)
        return pickle_bad(p, "a reference that is not to a storage");
    if (count == 6 && item[5].kind != PICKLE_NONE)
        return report_error(p->report, DAIN_EUNSUPPORTED,
                            "%s: a storage is a view of another one, which is not supported",
                            p->name);
    const int i = pickle_table_add(p, &p->storages, sizeof(Storage), MAX_OBJECTS);
    if (i < 0)
        return i;
    ((Storage *)p->storages.data)[i] = s;
    return pickle_push(p, (PickleValue){ .kind = PICKLE_STORAGE, .index = i });
}

/* A tuple of whole numbers >= 0 */
static int take_sizes(Pickle *p, PickleValue tuple, int64_t *sizes, int *count)
{
    if (tuple.kind != PICKLE_TUPLE || pickle_count(p, tuple) > WEIGHTS_MAX_DIMS)
        return pickle_bad(p, "a tensor without a shape, or of more than 8 dimensions");
    *count = pickle_count(p, tuple);
    for (int i = 0; i < *count; i++) {
        const PickleValue v = pickle_at(p, tuple, i, NULL);
        if (v.kind != PICKLE_INT || v.number < 0)
            return pickle_bad(p, "a tensor with a negative size or stride");
        sizes[i] = v.number;
    }
    return DAIN_OK;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks [, metadata]) */
static int rebuild_tensor(Pickle *p, PickleValue args)
{
    const int count = pickle_count(p, args);
    if (count < 4 || count > 7)
        return pickle_bad(p, "a tensor with the wrong number of arguments");
    const PickleValue storage = pickle_at(p, args, 0, NULL), offset = pickle_at(p, args, 1, NULL);
    if (storage.kind != PICKLE_STORAGE || offset.kind != PICKLE_INT || offset.number < 0)
        return pickle_bad(p, "a tensor without a storage");
    const Storage *s = (Storage *)p->storages.data + storage.index;
    PickleTensor t = {
        .key = s->key, .type = s->type, .storage_count = s->count, .offset = offset.number
    };
    int strides = 0;
    int error = take_sizes(p, pickle_at(p, args, 2, NULL), t.shape, &t.dims);
    if (!error)
        error = take_sizes(p, pickle_at(p, args, 3, NULL), t.stride, &strides);
    if (error)
        return error;
    if (strides != t.dims)
        return pickle_bad(p, "a tensor with more sizes than strides");
    const int i = pickle_table_add(p, &p->tensors, sizeof(PickleTensor), MAX_OBJECTS);
    if (i < 0)
        return i;
    ((PickleTensor *)p->tensors.data)[i] = t;
    return pickle_push(p, (PickleValue){ .kind = PICKLE_TENSOR, .index = i });
}

/* OrderedDict() or OrderedDict([[key, value], ...]) */
static int rebuild_dict(Pickle *p, PickleValue args)
{
    PickleValue dict;
    int error = pickle_new_object(p, PICKLE_DICT, &dict);
    if (error)
        return error;
    if (pickle_count(p, args) > 1)
        return pickle_bad(p, "a dictionary made of more than one list");
    if (pickle_count(p, args) == 1) {
        const PickleValue list = pickle_at(p, args, 0, NULL);
        if (list.kind != PICKLE_LIST)
            return pickle_bad(p, "a dictionary that is not made of a list");
        for (int i = 0; i < pickle_count(p, list); i++) {
            const PickleValue pair = pickle_at(p, list, i, NULL);
            if ((pair.kind != PICKLE_LIST && pair.kind != PICKLE_TUPLE) ||
                pickle_count(p, pair) != 2)
                return pickle_bad(p, "a dictionary that is not made of pairs");
            const PickleValue key = pickle_at(p, pair, 0, NULL);
            error = pickle_append(p, dict, &key, pickle_at(p, pair, 1, NULL));
            if (error)
                return error;
        }
    }
    return pickle_push(p, dict);
}

int pickle_op_reduce(Pickle *p)
{
    PickleValue args = { 0 }, function = { 0 };
    int error = pickle_pop(p, &args);
    if (!error)
        error = pickle_pop(p, &function);
    if (error)
        return error;
    if (function.kind != PICKLE_GLOBAL || args.kind != PICKLE_TUPLE)
        return pickle_bad(p, "calls what cannot be called");
    switch (function.index) {
    case GLOBAL_ORDERED_DICT:
        return rebuild_dict(p, args);
    case GLOBAL_REBUILD_TENSOR:
        return rebuild_tensor(p, args);
    case GLOBAL_REBUILD_PARAMETER:
        if (pickle_count(p, args) < 1 || pickle_at(p, args, 0, NULL).kind != PICKLE_TENSOR)
            return pickle_bad(p, "a parameter that is not a tensor");
        return pickle_push(p, pickle_at(p, args, 0, NULL));
    default:
        return pickle_bad(p, "calls what cannot be called");
    }
}
