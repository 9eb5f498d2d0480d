/* The restricted pickle machine. Every table is bounded, nothing recurses, nothing is called. */
#include "weights/pickle_machine.h"

#include "base/mem.h"

/* ---- tables ---- */

int pickle_bad(Pickle *p, const char *problem)
{
    return report_error(p->report, DAIN_EFORMAT, "%s: byte %zu of the pickle: %s", p->name, p->at,
                        problem);
}

/* Makes room for one more element and returns its index, or a negative error. */
int pickle_table_add(Pickle *p, Table *t, size_t element, int limit)
{
    if (t->count == limit)
        return pickle_bad(p, "too many values");
    if (!mem_reserve(&t->data, t->count, &t->capacity, element))
        return report_error(p->report, DAIN_ENOMEM, "%s: no memory for its description", p->name);
    return t->count++;
}

int pickle_push(Pickle *p, PickleValue v)
{
    const int i = pickle_table_add(p, &p->stack, sizeof(PickleValue), MAX_STACK);
    if (i < 0)
        return i;
    *stack_at(p, i) = v;
    return DAIN_OK;
}

static int push_number(Pickle *p, PickleKind kind, int64_t number)
{
    return pickle_push(p, (PickleValue){ .kind = kind, .number = number });
}

/* The topmost value, which must not be a mark. */
int pickle_pop(Pickle *p, PickleValue *v)
{
    if (p->stack.count == 0 || stack_at(p, p->stack.count - 1)->kind == PICKLE_MARK)
        return pickle_bad(p, "an instruction without its operand");
    *v = *stack_at(p, --p->stack.count);
    return DAIN_OK;
}

/* Index of the value above the topmost mark. */
static int find_mark(Pickle *p, int *first)
{
    for (int i = p->stack.count - 1; i >= 0; i--) {
        if (stack_at(p, i)->kind == PICKLE_MARK) {
            *first = i + 1;
            return DAIN_OK;
        }
    }
    return pickle_bad(p, "a mark is missing");
}

int pickle_new_object(Pickle *p, PickleKind kind, PickleValue *v)
{
    const int i = pickle_table_add(p, &p->objects, sizeof(Object), MAX_OBJECTS);
    if (i < 0)
        return i;
    *object_at(p, i) = (Object){ .first = -1, .last = -1, .at = -1 };
    *v = (PickleValue){ .kind = kind, .index = i };
    return DAIN_OK;
}

int pickle_append(Pickle *p, PickleValue object, const PickleValue *key, PickleValue value)
{
    const int i = pickle_table_add(p, &p->cells, sizeof(Cell), MAX_CELLS);
    if (i < 0)
        return i;
    Cell *cell = cell_at(p, i);
    Object *o = object_at(p, object.index);
    cell->value = value;
    cell->key = key ? *key : (PickleValue){ .kind = PICKLE_NONE };
    cell->next = -1;
    if (o->last >= 0)
        cell_at(p, o->last)->next = i;
    else
        o->first = i;
    o->last = i;
    o->count++;
    return DAIN_OK;
}

/* ---- bytes ---- */

static int take(Pickle *p, size_t count, const unsigned char **bytes)
{
    if (count > p->size - p->at)
        return pickle_bad(p, "the pickle ends inside an instruction");
    *bytes = p->bytes + p->at;
    p->at += count;
    return DAIN_OK;
}

static int take_number(Pickle *p, int count, uint32_t *number)
{
    const unsigned char *b = NULL;
    const int error = take(p, (size_t)count, &b);
    if (error || !b)
        return error;
    *number = 0;
    for (int i = 0; i < count; i++)
        *number |= (uint32_t)b[i] << (8 * i);
    return DAIN_OK;
}

int pickle_take_line(Pickle *p, PickleText *line)
{
    const unsigned char *start = p->bytes + p->at;
    const unsigned char *end = memchr(start, '\n', p->size - p->at);
    if (!end || end - start > 255)
        return pickle_bad(p, "a class name without an end");
    line->text = (const char *)start;
    line->size = (uint32_t)(end - start);
    p->at += line->size + 1;
    return DAIN_OK;
}

/* ---- instructions ---- */

static int op_text(Pickle *p, int length_bytes)
{
    uint32_t length = 0;
    const unsigned char *b = NULL;
    int error = take_number(p, length_bytes, &length);
    if (!error)
        error = take(p, length, &b);
    if (error)
        return error;
    return pickle_push(p,
                       (PickleValue){ .kind = PICKLE_TEXT, .text = { (const char *)b, length } });
}

static int op_int(Pickle *p, int bytes)
{
    uint32_t number = 0;
    const int error = take_number(p, bytes, &number);
    if (error)
        return error;
    return push_number(p, PICKLE_INT, bytes == 4 ? (int32_t)number : (int64_t)number);
}

/* LONG1 and LONG4: two's complement of any length. */
static int op_long(Pickle *p, int length_bytes)
{
    uint32_t length = 0;
    const unsigned char *b = NULL;
    int error = take_number(p, length_bytes, &length);
    if (!error)
        error = take(p, length, &b);
    if (error)
        return error;
    if (length > 8)
        return pickle_push(
            p, (PickleValue){ .kind = PICKLE_BIG, .text = { (const char *)b, length } });
    uint64_t number = length && b[length - 1] & 0x80 ? ~(uint64_t)0 : 0;
    for (uint32_t i = length; i-- > 0;)
        number = number << 8 | b[i];
    return push_number(p, PICKLE_INT, (int64_t)number);
}

static int op_put(Pickle *p, int bytes)
{
    uint32_t i = 0;
    const int error = take_number(p, bytes, &i);
    if (error)
        return error;
    if (p->stack.count == 0 || stack_at(p, p->stack.count - 1)->kind == PICKLE_MARK)
        return pickle_bad(p, "nothing to remember");
    if (i >= MAX_MEMO)
        return pickle_bad(p, "too many values");
    /* Numbers may be left out (some picklers count from 1); such places hold None. */
    while ((uint32_t)p->memo.count <= i) {
        const int added = pickle_table_add(p, &p->memo, sizeof(PickleValue), MAX_MEMO);
        if (added < 0)
            return added;
    }
    ((PickleValue *)p->memo.data)[i] = *stack_at(p, p->stack.count - 1);
    return DAIN_OK;
}

static int op_get(Pickle *p, int bytes)
{
    uint32_t i = 0;
    const int error = take_number(p, bytes, &i);
    if (error)
        return error;
    if (i >= (uint32_t)p->memo.count)
        return pickle_bad(p, "recalls what was not remembered");
    return pickle_push(p, ((PickleValue *)p->memo.data)[i]);
}

/* Moves everything from stack index first to a new tuple or onto a list. */
static int gather(Pickle *p, PickleValue object, int first)
{
    for (int i = first; i < p->stack.count; i++) {
        const int error = pickle_append(p, object, NULL, *stack_at(p, i));
        if (error)
            return error;
    }
    return DAIN_OK;
}

/* count values, or all above the mark if count is negative. */
static int op_tuple(Pickle *p, int count)
{
    PickleValue tuple;
    int first = p->stack.count - count, bottom = first;
    if (count < 0) {
        const int error = find_mark(p, &first);
        if (error)
            return error;
        bottom = first - 1;
    } else {
        if (first < 0)
            return pickle_bad(p, "an instruction without its operand");
        for (int i = first; i < p->stack.count; i++)
            if (stack_at(p, i)->kind == PICKLE_MARK)
                return pickle_bad(p, "an instruction without its operand");
    }
    int error = pickle_new_object(p, PICKLE_TUPLE, &tuple);
    if (!error)
        error = gather(p, tuple, first);
    if (error)
        return error;
    p->stack.count = bottom;
    return pickle_push(p, tuple);
}

static int op_empty(Pickle *p, PickleKind kind)
{
    PickleValue v;
    const int error = pickle_new_object(p, kind, &v);
    return error ? error : pickle_push(p, v);
}

static int op_append(Pickle *p, int many)
{
    int first = p->stack.count - 1;
    if (many) {
        const int error = find_mark(p, &first);
        if (error)
            return error;
    }
    const int target = first - (many ? 2 : 1);
    if (target < 0 || stack_at(p, target)->kind != PICKLE_LIST)
        return pickle_bad(p, "appends to what is not a list");
    if (!many && stack_at(p, first)->kind == PICKLE_MARK)
        return pickle_bad(p, "an instruction without its operand");
    const int error = gather(p, *stack_at(p, target), first);
    p->stack.count = target + 1;
    return error;
}

static int op_setitems(Pickle *p, int many)
{
    int first = p->stack.count - 2;
    if (many) {
        const int error = find_mark(p, &first);
        if (error)
            return error;
    }
    const int target = first - (many ? 2 : 1);
    if (target < 0 || stack_at(p, target)->kind != PICKLE_DICT)
        return pickle_bad(p, "sets items of what is not a dictionary");
    if ((p->stack.count - first) % 2)
        return pickle_bad(p, "a key without a value");
    for (int i = first; i < p->stack.count; i += 2) {
        if (stack_at(p, i)->kind == PICKLE_MARK || stack_at(p, i + 1)->kind == PICKLE_MARK)
            return pickle_bad(p, "an instruction without its operand");
        const PickleValue key = *stack_at(p, i);
        const int error = pickle_append(p, *stack_at(p, target), &key, *stack_at(p, i + 1));
        if (error)
            return error;
    }
    p->stack.count = target + 1;
    return DAIN_OK;
}

/* BUILD hangs attributes on a dictionary; no weight needs them. */
static int op_build(Pickle *p)
{
    PickleValue state;
    const int error = pickle_pop(p, &state);
    if (error)
        return error;
    if (p->stack.count == 0 || stack_at(p, p->stack.count - 1)->kind != PICKLE_DICT)
        return pickle_bad(p, "builds what is not a dictionary");
    return DAIN_OK;
}

static int op_proto(Pickle *p)
{
    uint32_t version = 0;
    const int error = take_number(p, 1, &version);
    if (error)
        return error;
    return version >= 2 && version <= 5 ? DAIN_OK : pickle_bad(p, "an unknown pickle protocol");
}

/* One instruction other than STOP. Letters and names as in Python's pickletools. */
static int step(Pickle *p, int opcode)
{
    switch (opcode) {
    case 0x80: /* PROTO */
        return op_proto(p);
    case 'c': /* GLOBAL */
        return pickle_op_global(p);
    case 'q': /* BINPUT */
        return op_put(p, 1);
    case 'r': /* LONG_BINPUT */
        return op_put(p, 4);
    case 'h': /* BINGET */
        return op_get(p, 1);
    case 'j': /* LONG_BINGET */
        return op_get(p, 4);
    case ')': /* EMPTY_TUPLE */
        return op_tuple(p, 0);
    case 't': /* TUPLE */
        return op_tuple(p, -1);
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
        return op_tuple(p, opcode - 0x84);
    case '(': /* MARK */
        return push_number(p, PICKLE_MARK, 0);
    case 'R': /* REDUCE */
        return pickle_op_reduce(p);
    case 'X': /* BINUNICODE */
    case 'T': /* BINSTRING */
        return op_text(p, 4);
    case 'U': /* SHORT_BINSTRING */
        return op_text(p, 1);
    case 'J': /* BININT */
        return op_int(p, 4);
    case 'K': /* BININT1 */
        return op_int(p, 1);
    case 'M': /* BININT2 */
        return op_int(p, 2);
    case 0x8a: /* LONG1 */
        return op_long(p, 1);
    case 0x8b: /* LONG4 */
        return op_long(p, 4);
    case 'Q': /* BINPERSID */
        return pickle_op_persistent(p);
    case 'N': /* NONE */
        return push_number(p, PICKLE_NONE, 0);
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return push_number(p, PICKLE_BOOL, opcode == 0x88);
    case '}': /* EMPTY_DICT */
        return op_empty(p, PICKLE_DICT);
    case ']': /* EMPTY_LIST */
        return op_empty(p, PICKLE_LIST);
    case 'a': /* APPEND */
        return op_append(p, 0);
    case 'e': /* APPENDS */
        return op_append(p, 1);
    case 's': /* SETITEM */
        return op_setitems(p, 0);
    case 'u': /* SETITEMS */
        return op_setitems(p, 1);
    case 'b': /* BUILD */
        return op_build(p);
    default:
        return report_error(p->report, DAIN_EUNSUPPORTED,
                            "%s: byte %zu of the pickle: instruction 0x%02x has no place among "
                            "weights",
                            p->name, p->at - 1, (unsigned)opcode);
    }
}

int pickle_run(Pickle **pickle, const void *data, size_t size, size_t *used, const char *name,
               Report *report)
{
    *pickle = NULL;
    Pickle *p = mem_calloc(1, sizeof(*p));
    if (!p)
        return report_error(report, DAIN_ENOMEM, "%s: no memory for its description", name);
    p->bytes = data;
    p->size = size;
    p->name = name;
    p->report = report;
    int error = DAIN_OK, stopped = 0;
    while (!error && !stopped) {
        const unsigned char *opcode = NULL;
        error = take(p, 1, &opcode);
        if (!error && opcode && *opcode == '.')
            stopped = 1;
        else if (!error && opcode)
            error = step(p, *opcode);
    }
    if (!error)
        error = pickle_pop(p, &p->result);
    if (error) {
        pickle_free(&p);
        return error;
    }
    *used = p->at;
    *pickle = p;
    return DAIN_OK;
}

void pickle_free(Pickle **pickle)
{
    Pickle *p = *pickle;
    if (!p)
        return;
    mem_free(p->stack.data);
    mem_free(p->memo.data);
    mem_free(p->cells.data);
    mem_free(p->objects.data);
    mem_free(p->storages.data);
    mem_free(p->tensors.data);
    mem_free(p);
    *pickle = NULL;
}

/* ---- the result ---- */

PickleValue pickle_result(const Pickle *pickle)
{
    return pickle->result;
}

static int is_composite(PickleValue v)
{
    return v.kind == PICKLE_TUPLE || v.kind == PICKLE_LIST || v.kind == PICKLE_DICT;
}

int pickle_count(const Pickle *pickle, PickleValue value)
{
    return is_composite(value) ? object_at(pickle, value.index)->count : 0;
}

PickleValue pickle_at(Pickle *pickle, PickleValue value, int i, PickleValue *key)
{
    Object *o = object_at(pickle, value.index);
    if (o->at < 0 || i < o->at_index) {
        o->at = o->first;
        o->at_index = 0;
    }
    while (o->at_index < i) {
        o->at = cell_at(pickle, o->at)->next;
        o->at_index++;
    }
    const Cell *cell = cell_at(pickle, o->at);
    if (key)
        *key = cell->key;
    return cell->value;
}

PickleValue pickle_get(Pickle *pickle, PickleValue dict, const char *key)
{
    PickleValue found = { .kind = PICKLE_NONE };
    for (int i = 0; dict.kind == PICKLE_DICT && i < pickle_count(pickle, dict); i++) {
        PickleValue k;
        const PickleValue v = pickle_at(pickle, dict, i, &k);
        if (pickle_text_is(k, key))
            found = v;
    }
    return found;
}

const PickleTensor *pickle_tensor(const Pickle *pickle, PickleValue value)
{
    return (PickleTensor *)pickle->tensors.data + value.index;
}

int pickle_text_is(PickleValue value, const char *text)
{
    return value.kind == PICKLE_TEXT && text_is(value.text, text);
}
