/* The compiled core of extreg: reads pickle bytes as extreg/pickles/walking does, and says the same.
 *
 * It reads, and does nothing else: no pickle is executed, and nothing that one names is imported.
 *
 * One table says how opcodes are laid out (a test holds it to extreg/pickles/walking/opcodes.py), one function reads
 * an opcode (`step`), and one loop goes from opcode to opcode and stops at what a pickle refers to (`advance`).  Around
 * it are those who call it: `walk` makes events of that, `scan`, `count` and `Cells` add up, `check` and `proves` compare
 * with what is permitted.
 *
 * Every read is bounded by the size of the data.  Memory is asked for by what has been read, never by what a length or
 * a slot number says.  There is no recursion.
 *
 * What is rare is asked of Python (`extreg.pickles.walking.asked`): what is wrong with an opcode that cannot be read,
 * what an odd number or escape means.  So an error has the same words with and without the core.
 *
 * Built with -DEXTREG_VERSION='"..."', the version of the package it belongs to (extreg/compiled.py refuses others).
 */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000 /* PyObject_GetBuffer is in the limited API from 3.11 on */
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef unsigned char byte;

/* From this size on a payload is stepped over unread, and a text not checked for being UTF-8 (UNREAD there). */
#define UNREAD (1 << 16)
/* Below these sizes a short string can be a name in front of a STACK_GLOBAL, and is known when it is fetched. */
#define NAME_SIZE 128
#define FETCHED_SIZE 64
/* Events that are handed on at a time, and opcodes between two looks at whether somebody pressed Ctrl-C. */
#define BATCH 1024
#define ROUND (1 << 20)
/* Up to this size the core looks whether there is anything packed in a cell of a census. */
#define PACKED_MOST (1 << 20)

/* ---- The table ---------------------------------------------------------------------------------------------- */

/* How an argument is laid out: so many bytes, a payload after its length, a line, or two. */
enum layout { FIXED, COUNTED, LINE, LINES };
/* What it means, where that can be wrong. */
enum holds { ANYTHING, SIGNED_LENGTH, INTEGER, LONG_INTEGER, FLOATING, QUOTED, ESCAPED, NAME, TEXT };

#define TO_MARK (-1)

/* The value and name of an opcode, its layout and the width of its argument or length, what that holds, and what the
 * opcode takes from the stack and gives to it. */
#define OPCODES(X)                                                                                                     \
    X(0x49, INT, LINE, 0, INTEGER, 0, 1) X(0x4a, BININT, FIXED, 4, ANYTHING, 0, 1)                                     \
    X(0x4b, BININT1, FIXED, 1, ANYTHING, 0, 1) X(0x4d, BININT2, FIXED, 2, ANYTHING, 0, 1)                              \
    X(0x4c, LONG, LINE, 0, LONG_INTEGER, 0, 1) X(0x8a, LONG1, COUNTED, 1, ANYTHING, 0, 1)                              \
    X(0x8b, LONG4, COUNTED, 4, SIGNED_LENGTH, 0, 1) X(0x46, FLOAT, LINE, 0, FLOATING, 0, 1)                            \
    X(0x47, BINFLOAT, FIXED, 8, ANYTHING, 0, 1) X(0x4e, NONE, FIXED, 0, ANYTHING, 0, 1)                                \
    X(0x88, NEWTRUE, FIXED, 0, ANYTHING, 0, 1) X(0x89, NEWFALSE, FIXED, 0, ANYTHING, 0, 1)                             \
    X(0x42, BINBYTES, COUNTED, 4, ANYTHING, 0, 1) X(0x43, SHORT_BINBYTES, COUNTED, 1, ANYTHING, 0, 1)                  \
    X(0x8e, BINBYTES8, COUNTED, 8, ANYTHING, 0, 1) X(0x96, BYTEARRAY8, COUNTED, 8, ANYTHING, 0, 1)                     \
    X(0x97, NEXT_BUFFER, FIXED, 0, ANYTHING, 0, 1) X(0x98, READONLY_BUFFER, FIXED, 0, ANYTHING, 1, 1)                  \
    X(0x53, STRING, LINE, 0, QUOTED, 0, 1) X(0x54, BINSTRING, COUNTED, 4, SIGNED_LENGTH, 0, 1)                         \
    X(0x55, SHORT_BINSTRING, COUNTED, 1, ANYTHING, 0, 1) X(0x56, UNICODE, LINE, 0, ESCAPED, 0, 1)                      \
    X(0x58, BINUNICODE, COUNTED, 4, TEXT, 0, 1) X(0x8c, SHORT_BINUNICODE, COUNTED, 1, TEXT, 0, 1)                      \
    X(0x8d, BINUNICODE8, COUNTED, 8, TEXT, 0, 1) X(0x5d, EMPTY_LIST, FIXED, 0, ANYTHING, 0, 1)                         \
    X(0x61, APPEND, FIXED, 0, ANYTHING, 1, 0) X(0x65, APPENDS, FIXED, 0, ANYTHING, TO_MARK, 0)                         \
    X(0x6c, LIST, FIXED, 0, ANYTHING, TO_MARK, 1) X(0x29, EMPTY_TUPLE, FIXED, 0, ANYTHING, 0, 1)                       \
    X(0x74, TUPLE, FIXED, 0, ANYTHING, TO_MARK, 1) X(0x85, TUPLE1, FIXED, 0, ANYTHING, 1, 1)                           \
    X(0x86, TUPLE2, FIXED, 0, ANYTHING, 2, 1) X(0x87, TUPLE3, FIXED, 0, ANYTHING, 3, 1)                                \
    X(0x7d, EMPTY_DICT, FIXED, 0, ANYTHING, 0, 1) X(0x64, DICT, FIXED, 0, ANYTHING, TO_MARK, 1)                        \
    X(0x73, SETITEM, FIXED, 0, ANYTHING, 2, 0) X(0x75, SETITEMS, FIXED, 0, ANYTHING, TO_MARK, 0)                       \
    X(0x8f, EMPTY_SET, FIXED, 0, ANYTHING, 0, 1) X(0x90, ADDITEMS, FIXED, 0, ANYTHING, TO_MARK, 0)                     \
    X(0x91, FROZENSET, FIXED, 0, ANYTHING, TO_MARK, 1) X(0x28, MARK, FIXED, 0, ANYTHING, 0, 1)                         \
    X(0x30, POP, FIXED, 0, ANYTHING, 1, 0) X(0x31, POP_MARK, FIXED, 0, ANYTHING, TO_MARK, 0)                           \
    X(0x32, DUP, FIXED, 0, ANYTHING, 0, 1) X(0x67, GET, LINE, 0, INTEGER, 0, 1)                                        \
    X(0x68, BINGET, FIXED, 1, ANYTHING, 0, 1) X(0x6a, LONG_BINGET, FIXED, 4, ANYTHING, 0, 1)                           \
    X(0x70, PUT, LINE, 0, INTEGER, 0, 0) X(0x71, BINPUT, FIXED, 1, ANYTHING, 0, 0)                                     \
    X(0x72, LONG_BINPUT, FIXED, 4, ANYTHING, 0, 0) X(0x94, MEMOIZE, FIXED, 0, ANYTHING, 0, 0)                          \
    X(0x63, GLOBAL, LINES, 0, NAME, 0, 1) X(0x69, INST, LINES, 0, NAME, TO_MARK, 1)                                    \
    X(0x93, STACK_GLOBAL, FIXED, 0, ANYTHING, 2, 1) X(0x82, EXT1, FIXED, 1, ANYTHING, 0, 1)                            \
    X(0x83, EXT2, FIXED, 2, ANYTHING, 0, 1) X(0x84, EXT4, FIXED, 4, ANYTHING, 0, 1)                                    \
    X(0x52, REDUCE, FIXED, 0, ANYTHING, 2, 1) X(0x62, BUILD, FIXED, 0, ANYTHING, 1, 0)                                 \
    X(0x6f, OBJ, FIXED, 0, ANYTHING, TO_MARK, 1) X(0x81, NEWOBJ, FIXED, 0, ANYTHING, 2, 1)                             \
    X(0x92, NEWOBJ_EX, FIXED, 0, ANYTHING, 3, 1) X(0x50, PERSID, LINE, 0, NAME, 0, 1)                                  \
    X(0x51, BINPERSID, FIXED, 0, ANYTHING, 1, 1) X(0x80, PROTO, FIXED, 1, ANYTHING, 0, 0)                              \
    X(0x95, FRAME, FIXED, 8, ANYTHING, 0, 0) X(0x2e, STOP, FIXED, 0, ANYTHING, 1, 0)

#define ENUMERATED(value, name, layout, width, holds, takes, gives) OP_##name = value,
enum opcode { OPCODES(ENUMERATED) };

typedef struct {
    const char *name; /* NULL: no opcode has this value */
    byte layout, width, holds;
    signed char takes, gives;
} Opcode;

#define ROW(value, name, layout, width, holds, takes, gives) [value] = {#name, layout, width, holds, takes, gives},
static const Opcode TABLE[256] = {OPCODES(ROW)};

/* What only the symbolic machine looks at: how far it is to the next opcode; 0 for all others. */
#define IS_LOOKED_AT(op)                                                                                               \
    ((op) == OP_MEMOIZE || (op) == OP_BINGET || (op) == OP_LONG_BINGET || (op) == OP_BINPUT || (op) == OP_LONG_BINPUT || \
     (op) == OP_STACK_GLOBAL || (op) == OP_EXT1 || (op) == OP_EXT2 || (op) == OP_EXT4 || (op) == OP_PROTO ||           \
     (op) == OP_FRAME || (op) == OP_STOP)
#define PASSED(value, name, layout, width, holds, takes, gives)                                                        \
    [value] = (layout) == FIXED && !IS_LOOKED_AT(value) ? 1 + (width) : 0,
static const byte PASSED_BY[256] = {OPCODES(PASSED)};
#define MOST_PASSED 9

/* ---- Reading an opcode -------------------------------------------------------------------------------------- */

typedef struct {
    PyObject *source; /* whose bytes these are, for what is asked of Python */
    const byte *data;
    Py_ssize_t size;
} Bytes;

/* One opcode where it stands; its argument, without length and newline, is data[start:stop]. */
typedef struct {
    Py_ssize_t offset, start, stop, end;
    byte op;
} Step;

/* Call a function of extreg.pickles.walking.asked for the opcode at `offset`; NULL with an exception if it fails. */
static PyObject *
ask(const char *function, const Bytes *bytes, Py_ssize_t offset)
{
    PyObject *module = PyImport_ImportModule("extreg.pickles.walking.asked");
    if (module == NULL) {
        return NULL;
    }
    PyObject *answer = PyObject_CallMethod(module, function, "On", bytes->source, offset);
    Py_DECREF(module);
    return answer;
}

/* Ask whether the opcode at `offset` can be read: 1, 0, or -1 with an exception. */
static int
ask_whether_readable(const Bytes *bytes, Py_ssize_t offset)
{
    PyObject *answer = ask("readable", bytes, offset);
    int readable = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return readable;
}

static uint64_t
little(const byte *data, int width)
{
    uint64_t number = 0;
    for (int i = width - 1; i >= 0; i--) {
        number = number << 8 | data[i];
    }
    return number;
}

/* Whether this is UTF-8; with `surrogates` also where a lone one is written as three bytes ("surrogatepass"). */
static int
is_utf8(const byte *at, const byte *end, int surrogates)
{
    while (at < end) {
        uint64_t eight;
        while (end - at >= 8 && (memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) {
            at += 8;
        }
        if (at == end) {
            break;
        }
        byte first = *at++;
        if (first < 0x80) {
            continue;
        }
        int more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        if (first < 0xc2 || first > 0xf4 || end - at < more) {
            return 0;
        }
        byte least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        byte most = first == 0xed && !surrogates ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (*at < least || *at > most) {
            return 0;
        }
        for (int i = 1; i < more; i++) {
            if ((at[i] & 0xc0) != 0x80) {
                return 0;
            }
        }
        at += more;
    }
    return 1;
}

static int
is_space(byte one)
{
    return one == ' ' || (one >= '\t' && one <= '\r');
}

/* What int() takes from bytes: white space, a sign, digits with single underscores between them. */
static int
is_integer(const byte *at, const byte *end)
{
    while (at < end && is_space(*at)) {
        at++;
    }
    while (at < end && is_space(end[-1])) {
        end--;
    }
    at += at < end && (*at == '+' || *at == '-');
    int digit = 0;
    for (; at < end; at++) {
        if (*at == '_' ? !digit : *at < '0' || *at > '9') {
            return 0;
        }
        digit = *at != '_';
    }
    return digit;
}

static int
is_hexadecimal(byte one)
{
    return (one >= '0' && one <= '9') || (one >= 'a' && one <= 'f') || (one >= 'A' && one <= 'F');
}

/* Whether there are so many hexadecimal digits. */
static int
are_hexadecimal(const byte *at, const byte *end, int count)
{
    if (end - at < count) {
        return 0;
    }
    while (count > 0 && is_hexadecimal(at[count - 1])) {
        count--;
    }
    return count == 0;
}

/* What repr() makes of a float: a sign, digits with one point, an exponent.  float() takes more: Python says what. */
static int
is_plain_float(const byte *at, const byte *end)
{
    int digits = 0, points = 0;
    for (at += at < end && *at == '-'; at < end && *at != 'e'; at++) {
        points += *at == '.';
        digits += *at != '.';
        if (points > 1 || (*at != '.' && (*at < '0' || *at > '9'))) {
            return 0;
        }
        digits = digits > 0; /* there may be more than an int counts */
    }
    if (digits && at < end) {
        digits = 0;
        at++;
        for (at += at < end && (*at == '-' || *at == '+'); at < end; at++, digits = 1) {
            if (*at < '0' || *at > '9') {
                return 0;
            }
        }
    }
    return digits;
}

/* Whether no escape in the body of a Python 2 string is broken: one at its end, or \x without two digits. */
static int
is_escaped(const byte *at, const byte *end)
{
    while (at < end && (at = memchr(at, '\\', end - at)) != NULL) {
        if (++at == end || (*at == 'x' && !are_hexadecimal(at + 1, end, 2))) {
            return 0;
        }
        at++;
    }
    return 1;
}

/* The same of raw-unicode-escape: \u takes four digits and \U eight, for one of the characters there are. */
static int
is_raw_escaped(const byte *at, const byte *end)
{
    while (at < end && (at = memchr(at, '\\', end - at)) != NULL) {
        if (++at == end) {
            return 1; /* a backslash at the end is one */
        }
        int wide = *at == 'U';
        if (wide || *at == 'u') {
            if (!are_hexadecimal(at + 1, end, wide ? 8 : 4)) {
                return 0;
            }
            /* Up to 0010ffff. */
            if (wide && (at[1] != '0' || at[2] != '0' || at[3] > '1' || (at[3] == '1' && at[4] != '0'))) {
                return 0;
            }
        }
        at++;
    }
    return 1;
}

/* Whether the argument of an opcode means something: 1, 0, or -1 with an exception. */
static int
is_meaningful(const Bytes *bytes, const Step *found)
{
    const byte *at = bytes->data + found->start, *end = bytes->data + found->stop;
    switch (TABLE[found->op].holds) {
    case TEXT:
        return end - at >= UNREAD || is_utf8(at, end, 1);
    case NAME:
        return is_utf8(at, end, 0);
    case LONG_INTEGER:
        return is_integer(at, end - (at < end && end[-1] == 'L'));
    case INTEGER:
        return is_integer(at, end);
    case FLOATING:
        return is_plain_float(at, end) ? 1 : ask_whether_readable(bytes, found->offset);
    case QUOTED:
        if (at == end || (*at != '\'' && *at != '"') || end[-1] != *at) {
            return 0;
        }
        return end - at < 2 || is_escaped(at + 1, end - 1);
    case ESCAPED:
        return is_raw_escaped(at, end);
    default:
        return 1;
    }
}

/* Find where the opcode at `offset` ends: 1, or 0 where there is none, or not all of it. */
static inline int
reach(const Bytes *bytes, Py_ssize_t offset, Step *found)
{
    if (offset >= bytes->size) {
        return 0;
    }
    byte op = bytes->data[offset];
    const Opcode *row = &TABLE[op];
    Py_ssize_t left = bytes->size - offset - 1; /* behind the opcode */
    found->op = op;
    found->offset = offset;
    found->start = offset + 1;
    if (row->layout == FIXED) {
        found->stop = found->end = offset + 1 + row->width;
        return row->width <= left && row->name != NULL;
    }
    if (row->layout == COUNTED) {
        if (left < row->width) {
            return 0;
        }
        uint64_t length = little(bytes->data + offset + 1, row->width);
        left -= row->width;
        found->start += row->width;
        /* A length with a sign that is negative is larger than any there can be, too. */
        if (length > (uint64_t)left || (row->holds == SIGNED_LENGTH && length > INT32_MAX)) {
            return 0;
        }
        found->stop = found->end = found->start + (Py_ssize_t)length;
        return 1;
    }
    const byte *at = bytes->data + offset + 1, *end = bytes->data + bytes->size;
    for (int lines = row->layout == LINES ? 2 : 1; lines > 0; lines--) {
        at = at == end ? NULL : memchr(at, '\n', end - at);
        if (at++ == NULL) {
            return 0;
        }
    }
    found->end = at - bytes->data;
    found->stop = found->end - 1;
    return 1;
}

/* Read an opcode whose argument has a meaning, but for texts and the names of a GLOBAL, which may be anything: 1, 0,
 * or -1 with an exception. */
static int
reach_checked(const Bytes *bytes, Py_ssize_t offset, Step *found)
{
    if (!reach(bytes, offset, found)) {
        return 0;
    }
    byte holds = TABLE[found->op].holds;
    return holds <= SIGNED_LENGTH || holds == TEXT || found->op == OP_GLOBAL ? 1 : is_meaningful(bytes, found);
}

/* ---- The memo ----------------------------------------------------------------------------------------------- */

/* What a symbol is: where the string stands that was pushed (0 or more), or one of these. */
#define NOTHING (-1)
#define A_MARK (-2)

typedef struct {
    Py_ssize_t *items, count, capacity;
} Row;

static int
row_push(Row *row, Py_ssize_t item)
{
    if (row->count == row->capacity) {
        Py_ssize_t capacity = row->capacity ? 2 * row->capacity : 64;
        if (capacity > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(Py_ssize_t)) {
            PyErr_NoMemory();
            return -1;
        }
        Py_ssize_t *items = PyMem_Realloc(row->items, capacity * sizeof(Py_ssize_t));
        if (items == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        row->items = items;
        row->capacity = capacity;
    }
    row->items[row->count++] = item;
    return 0;
}

static void
row_free(Row *row)
{
    PyMem_Free(row->items);
    memset(row, 0, sizeof(*row));
}

/* What is in each slot: those filled one after the other as a row, and from the first that was not, in a dictionary.
 * `counted` is how far it has been followed, where it is only followed as far as somebody asks. */
typedef struct {
    Row filled;
    PyObject *others;
    Py_ssize_t counted;
} Memo;

static void
memo_clear(Memo *memo, Py_ssize_t counted)
{
    memo->filled.count = 0;
    memo->counted = counted;
    Py_CLEAR(memo->others);
}

static int
memo_put(Memo *memo, PyObject *slot, Py_ssize_t symbol)
{
    Py_ssize_t number = PyLong_Check(slot) ? PyLong_AsSsize_t(slot) : -1;
    if (number == -1 && PyErr_Occurred()) {
        PyErr_Clear(); /* too large: not one of the row */
    }
    if (number >= 0 && number < memo->filled.count) {
        memo->filled.items[number] = symbol;
        return 0;
    }
    if (memo->others == NULL && number == memo->filled.count) {
        return row_push(&memo->filled, symbol);
    }
    if (memo->others == NULL && (memo->others = PyDict_New()) == NULL) {
        return -1;
    }
    PyObject *value = PyLong_FromSsize_t(symbol);
    int done = value == NULL ? -1 : PyDict_SetItem(memo->others, slot, value);
    Py_XDECREF(value);
    return done;
}

static int
memo_memoize(Memo *memo, Py_ssize_t symbol)
{
    if (memo->others == NULL) {
        return row_push(&memo->filled, symbol);
    }
    PyObject *slot = PyLong_FromSsize_t(memo->filled.count + PyDict_Size(memo->others));
    int done = slot == NULL ? -1 : memo_put(memo, slot, symbol);
    Py_XDECREF(slot);
    return done;
}

/* Look up a slot: 1 and its symbol, 0 if nothing is there, -1 with an exception. */
static int
memo_get(const Memo *memo, PyObject *slot, Py_ssize_t *symbol)
{
    Py_ssize_t number = PyLong_Check(slot) ? PyLong_AsSsize_t(slot) : -1;
    if (number == -1 && PyErr_Occurred()) {
        PyErr_Clear();
    }
    if (number >= 0 && number < memo->filled.count) {
        *symbol = memo->filled.items[number];
        return 1;
    }
    PyObject *value = memo->others == NULL ? NULL : PyDict_GetItemWithError(memo->others, slot);
    if (value == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    *symbol = PyLong_AsSsize_t(value);
    return 1;
}

/* The slot that a PUT or GET names. */
static PyObject *
slot_of(const Bytes *bytes, const Step *found)
{
    if (TABLE[found->op].layout == FIXED) {
        return PyLong_FromUnsignedLongLong(little(bytes->data + found->start, TABLE[found->op].width));
    }
    Py_ssize_t length = found->stop - found->start;
    uint64_t number = 0;
    for (Py_ssize_t i = 0; i < length; i++) {
        byte digit = bytes->data[found->start + i];
        if (length > 18 || digit < '0' || digit > '9') {
            return ask("slot", bytes, found->offset);
        }
        number = 10 * number + (digit - '0');
    }
    return PyLong_FromUnsignedLongLong(number);
}

static int
is_put(byte op)
{
    return op == OP_PUT || op == OP_BINPUT || op == OP_LONG_BINPUT;
}

static int
is_get(byte op)
{
    return op == OP_GET || op == OP_BINGET || op == OP_LONG_BINGET;
}

/* Follow a memo that MEMOIZEs alone fill, up to a GET, until `slot` is filled: return where the short string stands
 * that is in it, NOTHING if that is not known, or -2 with an exception. */
static Py_ssize_t
memo_fetch(Memo *memo, const Bytes *bytes, uint64_t slot, Py_ssize_t get)
{
    Step found;
    Py_ssize_t string = NOTHING;
    while ((uint64_t)memo->filled.count <= slot && memo->counted < get && reach(bytes, memo->counted, &found)) {
        if (found.op == OP_MEMOIZE && row_push(&memo->filled, string) < 0) {
            return -2;
        }
        int known = found.op == OP_SHORT_BINUNICODE && found.stop - found.start < FETCHED_SIZE;
        string = known ? found.offset : NOTHING;
        memo->counted = found.end;
    }
    return slot < (uint64_t)memo->filled.count ? memo->filled.items[slot] : NOTHING;
}

/* ---- Rows of pickles that may share a memo (see carried.py and doubt.py for why) ---------------------------- */

/* Whether a whole pickle in the row fetches what it has not memoized itself: 1, 0, or -1 with an exception. */
static int
is_carried(const Bytes *bytes)
{
    Memo memo = {{0}};
    Step found;
    Py_ssize_t position = 0, symbol;
    int carried = 0, read = 1;
    while (read > 0 && position < bytes->size && (read = reach_checked(bytes, position, &found)) > 0) {
        if (found.op == OP_MEMOIZE) {
            read = memo_memoize(&memo, NOTHING) < 0 ? -1 : 1;
        }
        else if (is_put(found.op) || is_get(found.op)) {
            PyObject *slot = slot_of(bytes, &found);
            if (slot == NULL) {
                read = -1;
            }
            else if (is_put(found.op)) {
                read = memo_put(&memo, slot, NOTHING) < 0 ? -1 : 1;
            }
            else {
                int known = memo_get(&memo, slot, &symbol);
                read = known < 0 ? -1 : 1;
                carried = carried || known == 0;
            }
            Py_XDECREF(slot);
        }
        else if (found.op == OP_STOP) {
            if (carried) {
                break;
            }
            memo_clear(&memo, 0);
        }
        position = found.end;
    }
    row_free(&memo.filled);
    Py_CLEAR(memo.others);
    /* Of a pickle that has no STOP nothing is said. */
    return read < 0 ? -1 : read > 0 && position < bytes->size && carried;
}

/* What stands in front of a STACK_GLOBAL: two short strings, or fetches, with a MEMOIZE after each at the most. */
typedef struct {
    Py_ssize_t start, end; /* none: end is -1 */
    int memoized;
} Operand;

typedef struct {
    Operand module, name;
} Operands;

static const Operands NO_OPERANDS = {{0, -1, 0}, {0, -1, 0}};

static inline void
operands_pushed(Operands *operands, Py_ssize_t start, Py_ssize_t end)
{
    operands->module = operands->name;
    operands->name.start = start;
    operands->name.end = end;
    operands->name.memoized = 0;
}

static inline void
operands_memoized(Operands *operands, Py_ssize_t offset)
{
    if (operands->name.end == offset && !operands->name.memoized) {
        operands->name.end++;
        operands->name.memoized = 1;
    }
}

/* Whether they stand right in front of the STACK_GLOBAL at `offset`. */
static inline int
operands_stand(const Operands *operands, Py_ssize_t offset)
{
    return operands->name.end == offset && operands->module.end == operands->name.start;
}

static int
protocol_at(const Bytes *bytes, Py_ssize_t begin)
{
    return bytes->size > begin + 1 && bytes->data[begin] == OP_PROTO ? bytes->data[begin + 1] : 0;
}

/* Note a global that a pickle names in full: 1 if another has named it so, 0, or -1 with an exception. */
static int
is_named_again(PyObject *named, const Bytes *bytes, const Operands *at, Py_ssize_t begin)
{
    /* Both strings with their lengths, so that no two globals have the same. */
    const char *module = (const char *)bytes->data + at->module.start, *name = (const char *)bytes->data + at->name.start;
    PyObject *key = PyBytes_FromStringAndSize(module, 2 + (byte)module[1]), *first;
    PyBytes_ConcatAndDel(&key, PyBytes_FromStringAndSize(name, 2 + (byte)name[1]));
    if (key == NULL) {
        return -1;
    }
    int again = 0;
    if ((first = PyDict_GetItemWithError(named, key)) != NULL) {
        again = PyLong_AsSsize_t(first) != begin;
    }
    else if (PyErr_Occurred() || (first = PyLong_FromSsize_t(begin)) == NULL) {
        again = -1;
    }
    else {
        again = PyDict_SetItem(named, key, first);
        Py_DECREF(first);
    }
    Py_DECREF(key);
    return again;
}

/* Whether it shows that no single Pickler wrote the row and kept its memo: 1, 0, or -1 with an exception. */
static int
is_apart(const Bytes *bytes)
{
    Operands operands = NO_OPERANDS;
    Step found;
    Py_ssize_t position = 0, begin = 0;
    int apart = 0, read = 1, protocol = protocol_at(bytes, 0);
    PyObject *named = PyDict_New();
    if (named == NULL) {
        return -1;
    }
    while (apart == 0 && position < bytes->size && (read = reach_checked(bytes, position, &found)) > 0) {
        position = found.end;
        if (found.op == OP_STOP) {
            begin = position;
            apart = begin < bytes->size && protocol_at(bytes, begin) != protocol;
        }
        else if ((found.op == OP_SHORT_BINUNICODE && found.stop - found.start < NAME_SIZE) || found.op == OP_BINGET ||
                 found.op == OP_LONG_BINGET) {
            operands_pushed(&operands, found.offset, found.end);
        }
        else if (found.op == OP_MEMOIZE) {
            operands_memoized(&operands, found.offset);
        }
        else if (found.op == OP_STACK_GLOBAL && operands_stand(&operands, found.offset)) {
            int in_full = bytes->data[operands.module.start] == OP_SHORT_BINUNICODE &&
                          bytes->data[operands.name.start] == OP_SHORT_BINUNICODE;
            if (in_full && position < bytes->size && bytes->data[position] == OP_MEMOIZE) {
                apart = is_named_again(named, bytes, &operands, begin);
            }
        }
    }
    Py_DECREF(named);
    return read < 0 ? -1 : apart;
}

/* ---- The walk ----------------------------------------------------------------------------------------------- */

enum kind { A_GLOBAL, A_CODE, UNRESOLVED, A_PROTO, A_FRAME, A_STOP };

/* A name as UTF-8, lone surrogates passed, mostly where it stands in the data. */
typedef struct {
    const char *text;
    Py_ssize_t length;
} Text;

/* What a walk tells; see extreg.pickles.walking.events.  `begin` is -1 for none. */
typedef struct {
    enum kind kind;
    byte op;
    Py_ssize_t offset, begin;
    Text module, name;
    int64_t number;
} Event;

typedef struct {
    Bytes bytes;
    /* What is asked for: `extreg.pickles.walking.walker.batches` says what these mean. */
    int framing, first, alone, decoded;
    Py_ssize_t begin, position; /* of this pickle; where to go on */
    /* Of this pickle: whether its memo is filled by MEMOIZE alone, and what was last pushed. */
    int modern;
    Operands operands;
    Memo memo; /* followed as far as somebody asked, or, if `symbolic`, all that is in it */
    /* The plain symbolic machine (see machine.py): goes through a pickle again from its beginning as soon as it names
     * something by other operands than right in front, and tells what is from `told` on. */
    int symbolic, unknown; /* `unknown`: what is fetched may be another pickle's */
    Py_ssize_t told;
    Row stack;
    /* Of the row: whether it was looked at, what was seen, and the memo if one goes through all of it. */
    int looked, carried, doubtful;
    Memo going_on;
    /* Where the walk failed: an opcode that cannot be read, or names something that is not UTF-8. */
    Py_ssize_t fault;
    int unnamed;
    PyObject *names[2]; /* of the event told last, where they do not stand in the data as UTF-8 */
} Walk;

/* What `advance` returns. */
enum { FAILED = -2, FAULT = -1, ENDED = 0, TOLD = 1 };

static void
walk_free(Walk *walk)
{
    row_free(&walk->memo.filled);
    row_free(&walk->going_on.filled);
    row_free(&walk->stack);
    Py_CLEAR(walk->memo.others);
    Py_CLEAR(walk->going_on.others);
    Py_CLEAR(walk->names[0]);
    Py_CLEAR(walk->names[1]);
}

static void
walk_begin(Walk *walk, Py_ssize_t begin)
{
    walk->begin = walk->position = begin;
    walk->modern = protocol_at(&walk->bytes, begin) >= 4;
    walk->operands = NO_OPERANDS;
    walk->symbolic = 0;
    walk->told = 0;
    walk->stack.count = 0;
    memo_clear(&walk->memo, begin);
}

static int
walk_fault(Walk *walk, Py_ssize_t offset, int unnamed)
{
    walk->fault = offset;
    walk->unnamed = unnamed;
    return FAULT;
}

/* Let the symbolic machine go through this pickle, and tell what is from `told` on. */
static void
walk_again(Walk *walk, Py_ssize_t told)
{
    memo_clear(&walk->memo, 0);
    walk->symbolic = 1;
    walk->unknown = walk->looked && (walk->carried || walk->doubtful);
    walk->told = told;
    walk->position = walk->begin;
}

/* Look at the row, if something is fetched behind another pickle: 0, or -1 with an exception. */
static int
walk_look(Walk *walk)
{
    if (walk->looked || walk->begin == 0 || walk->alone) {
        return 0;
    }
    int carried = is_carried(&walk->bytes), apart = carried == 0 ? is_apart(&walk->bytes) : 0;
    walk->looked = 1;
    walk->carried = carried == 1;
    walk->doubtful = carried == 0 && apart == 0;
    return carried < 0 || apart < 0 ? -1 : 0;
}

/* Find the short string that an operand is or fetches from `memo`: its place, NOTHING, or -2 with an exception. */
static Py_ssize_t
operand_string(const Walk *walk, Memo *memo, const Operand *operand)
{
    const byte *at = walk->bytes.data + operand->start;
    if (*at == OP_SHORT_BINUNICODE) {
        return operand->start;
    }
    return memo_fetch(memo, &walk->bytes, little(at + 1, TABLE[*at].width), operand->start);
}

static int
same_string(const Bytes *bytes, Py_ssize_t one, Py_ssize_t other)
{
    const byte *a = bytes->data + one, *b = bytes->data + other;
    return a[1] == b[1] && memcmp(a + 2, b + 2, a[1]) == 0;
}

/* Whether a memo that goes on through the row would have given another global: 1, 0, or -1 with an exception. */
static int
walk_differs(Walk *walk, Py_ssize_t module, Py_ssize_t name)
{
    Py_ssize_t other = operand_string(walk, &walk->going_on, &walk->operands.module), second = NOTHING;
    if (other >= 0) {
        second = operand_string(walk, &walk->going_on, &walk->operands.name);
    }
    if (other == -2 || second == -2) {
        return -1;
    }
    if (other == NOTHING || second == NOTHING) {
        walk->doubtful = 0;
        return 0;
    }
    return !same_string(&walk->bytes, module, other) || !same_string(&walk->bytes, name, second);
}

/* Take the short string at `offset` for a name: 1, or 0 if it is not UTF-8. */
static int
short_text(const Bytes *bytes, Py_ssize_t offset, Text *text)
{
    const byte *at = bytes->data + offset;
    text->text = (const char *)at + 2;
    text->length = at[1];
    return is_utf8(at + 2, at + 2 + at[1], 1);
}

/* A STACK_GLOBAL at its operands, or where they stand right in front of it; otherwise the machine has to tell. */
static int
stack_global(Walk *walk, const Step *found, Event *event)
{
    const Bytes *bytes = &walk->bytes;
    Py_ssize_t begin = walk->operands.module.start, module = begin, name = walk->operands.name.start;
    if (!operands_stand(&walk->operands, found->offset)) {
        if (walk_look(walk) < 0) {
            return FAILED;
        }
        walk_again(walk, found->offset);
        return ENDED;
    }
    event->begin = begin;
    if (bytes->data[module] != OP_SHORT_BINUNICODE || bytes->data[name] != OP_SHORT_BINUNICODE) {
        if (walk_look(walk) < 0) {
            return FAILED;
        }
        module = name = NOTHING;
        if (walk->modern && !(walk->looked && walk->carried)) {
            module = operand_string(walk, &walk->memo, &walk->operands.module);
            name = module < 0 ? module : operand_string(walk, &walk->memo, &walk->operands.name);
        }
        if (module == -2 || name == -2) {
            return FAILED;
        }
        if (module == NOTHING || name == NOTHING) {
            walk_again(walk, begin);
            return ENDED;
        }
        int differs = walk->looked && walk->doubtful ? walk_differs(walk, module, name) : 0;
        if (differs < 0) {
            return FAILED;
        }
        if (differs) {
            event->kind = UNRESOLVED;
            event->begin = -1;
            return TOLD;
        }
    }
    event->kind = A_GLOBAL;
    int module_sound = short_text(bytes, module, &event->module);
    int name_sound = short_text(bytes, name, &event->name);
    if (module_sound && name_sound) {
        return TOLD;
    }
    if (!module_sound && module == begin) {
        return walk_fault(walk, module, 0);
    }
    if (!name_sound && name == walk->operands.name.start) {
        return walk_fault(walk, name, 0);
    }
    return walk_fault(walk, found->offset, 1); /* a text that was passed unread, and is fetched from the memo */
}

/* A GLOBAL or INST: 1, or 0 where its names are not UTF-8. */
static int
line_names(const Bytes *bytes, const Step *found, Event *event)
{
    const char *module = (const char *)bytes->data + found->start, *end = (const char *)bytes->data + found->stop;
    const char *newline = memchr(module, '\n', end - module);
    event->kind = A_GLOBAL;
    event->module = (Text){module, newline - module};
    event->name = (Text){newline + 1, end - newline - 1};
    return is_utf8((const byte *)module, (const byte *)end, 0);
}

/* ---- The symbolic machine ----------------------------------------------------------------------------------- */

/* The text of a symbol: 1, 0 if it has none that is known, -1 with an exception. */
static int
symbol_text(Walk *walk, Py_ssize_t symbol, Text *text, PyObject **made)
{
    Step found;
    if (symbol < 0 || !reach(&walk->bytes, symbol, &found)) {
        return 0;
    }
    if (TABLE[found.op].holds == TEXT) {
        text->text = (const char *)walk->bytes.data + found.start;
        text->length = found.stop - found.start;
            return is_utf8(walk->bytes.data + found.start, walk->bytes.data + found.stop, 1);
    }
    PyObject *answer = ask("text", &walk->bytes, symbol); /* as UTF-8 */
    if (answer == NULL || answer == Py_None) {
        Py_XDECREF(answer);
        return answer == NULL ? -1 : 0;
    }
    Py_XDECREF(*made);
    *made = answer;
    return PyBytes_AsStringAndSize(answer, (char **)&text->text, &text->length) < 0 ? -1 : 1;
}

/* What a STACK_GLOBAL takes from the stack of the machine. */
static int
symbolic_global(Walk *walk, Event *event)
{
    Row *stack = &walk->stack;
    int module = 0, name = 0;
    if (stack->count >= 2) {
        module = symbol_text(walk, stack->items[stack->count - 2], &event->module, &walk->names[0]);
        name = module < 0 ? -1 : symbol_text(walk, stack->items[stack->count - 1], &event->name, &walk->names[1]);
    }
    event->kind = module > 0 && name > 0 ? A_GLOBAL : UNRESOLVED;
    return name < 0 ? FAILED : TOLD;
}

/* Take from the stack as an unpickler would, no further down than what is there. */
static void
stack_take(Row *stack, int count)
{
    while (count && stack->count && (count == TO_MARK || stack->items[stack->count - 1] != A_MARK)) {
        if (stack->items[--stack->count] == A_MARK) {
            return;
        }
        count -= count != TO_MARK;
    }
}

static int
is_string(byte op)
{
    return op == OP_STRING || op == OP_BINSTRING || op == OP_SHORT_BINSTRING || op == OP_UNICODE ||
           op == OP_BINUNICODE || op == OP_SHORT_BINUNICODE || op == OP_BINUNICODE8;
}

/* Do to stack and memo what an opcode does: 0, or -1 with an exception. */
static int
perform(Walk *walk, const Step *found)
{
    Row *stack = &walk->stack;
    Py_ssize_t top = stack->count ? stack->items[stack->count - 1] : NOTHING, symbol = NOTHING;
    top = top == A_MARK ? NOTHING : top;
    if (found->op == OP_POP) {
        stack->count -= stack->count > 0;
        return 0;
    }
    if (found->op == OP_MEMOIZE) {
        return memo_memoize(&walk->memo, top);
    }
    if (is_put(found->op) || is_get(found->op)) {
        PyObject *slot = slot_of(&walk->bytes, found);
        int done = -1;
        if (slot != NULL) {
            done = is_put(found->op) ? memo_put(&walk->memo, slot, top) : memo_get(&walk->memo, slot, &symbol);
            Py_DECREF(slot);
        }
        if (done < 0 || is_put(found->op)) {
            return done;
        }
        return row_push(stack, walk->unknown ? NOTHING : symbol);
    }
    stack_take(stack, TABLE[found->op].takes);
    if (!TABLE[found->op].gives) {
        return 0;
    }
    symbol = found->op == OP_MARK ? A_MARK : found->op == OP_DUP ? top : is_string(found->op) ? found->offset : NOTHING;
    return row_push(stack, symbol);
}

/* ---- The loop ----------------------------------------------------------------------------------------------- */

/* Note what an opcode that refers to something tells: TOLD, ENDED if it tells nothing, or what is wrong. */
static int
refer(Walk *walk, const Step *found, Event *event)
{
    const Bytes *bytes = &walk->bytes;
    event->op = found->op;
    event->offset = found->offset;
    event->begin = -1;
    event->number = 0;
    switch (found->op) {
    case OP_STACK_GLOBAL:
        return walk->symbolic ? symbolic_global(walk, event) : stack_global(walk, found, event);
    case OP_GLOBAL:
    case OP_INST:
        return line_names(bytes, found, event) ? TOLD : walk_fault(walk, found->offset, 0);
    case OP_EXT1:
    case OP_EXT2:
    case OP_EXT4:
        event->kind = A_CODE;
        event->number = (int64_t)little(bytes->data + found->start, TABLE[found->op].width);
        if (found->op == OP_EXT4 && event->number > INT32_MAX) {
            event->number -= (int64_t)1 << 32;
        }
        return TOLD;
    case OP_PROTO:
    case OP_FRAME:
        event->kind = found->op == OP_PROTO ? A_PROTO : A_FRAME;
        event->number = (int64_t)little(bytes->data + found->start, TABLE[found->op].width);
        return walk->framing ? TOLD : ENDED;
    default:
        event->kind = A_STOP;
        return TOLD;
    }
}

/* Pass the opcodes that refer to nothing, as far as they can be passed at a glance. */
static inline void
pass_by(Walk *walk)
{
    const byte *data = walk->bytes.data, *end = data + walk->bytes.size, *at = data + walk->position, *next;
    Operands operands = walk->operands;
    while (end - at >= MOST_PASSED) {
        byte op = *at;
        if (PASSED_BY[op] != 0) {
            at += PASSED_BY[op];
        }
        else if (op == OP_MEMOIZE) {
            operands_memoized(&operands, at++ - data);
        }
        else if (op == OP_BINGET) {
            operands_pushed(&operands, at - data, at + 2 - data);
            at += 2;
        }
        else if (op == OP_SHORT_BINUNICODE && end - at - 2 >= at[1] &&
                 (walk->decoded || is_utf8(at + 2, at + 2 + at[1], 1))) {
            next = at + 2 + at[1];
            if (at[1] < NAME_SIZE) {
                operands_pushed(&operands, at - data, next - data);
            }
            at = next;
        }
        else {
            break;
        }
    }
    walk->operands = operands;
    walk->position = at - data;
}

/* Go on to what the pickles refer to next: TOLD and the event; ENDED behind the last; FAULT where something cannot be
 * read; FAILED with an exception. */
static int
advance(Walk *walk, Event *event)
{
    const Bytes *bytes = &walk->bytes;
    Step found;
    for (Py_ssize_t round = 1; walk->position < bytes->size || walk->position != walk->begin || !bytes->size; round++) {
        if (round % ROUND == 0 && PyErr_CheckSignals() < 0) {
            return FAILED;
        }
        if (!walk->symbolic) {
            pass_by(walk);
        }
        if (!reach(bytes, walk->position, &found)) {
            return walk_fault(walk, walk->position, 0);
        }
        byte holds = TABLE[found.op].holds;
        if (holds > SIGNED_LENGTH && (holds != TEXT || !walk->decoded || walk->symbolic)) {
            int meaningful = is_meaningful(bytes, &found);
            if (meaningful <= 0) {
                return meaningful < 0 ? FAILED : walk_fault(walk, found.offset, 0);
            }
        }
        walk->position = found.end;
        int told = ENDED;
        switch (found.op) {
        case OP_SHORT_BINUNICODE:
        case OP_BINGET:
        case OP_LONG_BINGET:
            if (found.stop - found.start < NAME_SIZE) {
                operands_pushed(&walk->operands, found.offset, found.end);
            }
            break;
        case OP_MEMOIZE:
            operands_memoized(&walk->operands, found.offset);
            break;
        case OP_PUT:
        case OP_BINPUT:
        case OP_LONG_BINPUT:
            walk->modern = 0;
            break;
        case OP_STACK_GLOBAL:
        case OP_GLOBAL:
        case OP_INST:
        case OP_EXT1:
        case OP_EXT2:
        case OP_EXT4:
        case OP_PROTO:
        case OP_FRAME:
        case OP_STOP:
            told = refer(walk, &found, event);
            if (told < 0) {
                return told;
            }
            if (walk->position != found.end) {
                continue; /* the machine goes through this pickle */
            }
            break;
        default:
            break;
        }
        if (walk->symbolic && perform(walk, &found) < 0) {
            return FAILED;
        }
        told = told == TOLD && found.offset >= walk->told;
        if (found.op == OP_STOP) {
            walk_begin(walk, walk->first ? bytes->size : found.end);
        }
        if (told) {
            return TOLD;
        }
    }
    return ENDED;
}

/* ---- What is handed to Python ------------------------------------------------------------------------------- */

static void
walk_start(Walk *walk, PyObject *source)
{
    memset(walk, 0, sizeof(*walk));
    walk->bytes.source = source;
}

static void
walk_see(Walk *walk, const Py_buffer *view)
{
    walk->bytes.data = view->buf;
    walk->bytes.size = view->len;
}

/* What the walk failed with, as an exception; NULL with another one if that fails. */
static PyObject *
fault_of(const Walk *walk)
{
    return ask(walk->unnamed ? "unnamed" : "fault", &walk->bytes, walk->fault);
}

static void
raise_fault(const Walk *walk)
{
    PyObject *error = fault_of(walk);
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
}

static PyObject *
decoded(const Text *text)
{
    return PyUnicode_DecodeUTF8(text->text, text->length, "surrogatepass");
}

/* An event as a plain tuple, in the order of `Event`. */
static PyObject *
event_tuple(const Event *event)
{
    static const char *const kinds[] = {"global", "code", "unresolved", "proto", "frame", "stop"};
    PyObject *fields[7] = {PyUnicode_InternFromString(kinds[event->kind]), PyLong_FromSsize_t(event->offset),
                           PyUnicode_InternFromString(TABLE[event->op].name)};
    int named = event->kind == A_GLOBAL;
    fields[3] = named ? decoded(&event->module) : Py_NewRef(Py_None);
    fields[4] = named ? decoded(&event->name) : Py_NewRef(Py_None);
    if (event->kind == A_FRAME) {
        fields[5] = PyLong_FromUnsignedLongLong((uint64_t)event->number);
    }
    else {
        int numbered = event->kind == A_CODE || event->kind == A_PROTO;
        fields[5] = numbered ? PyLong_FromLongLong(event->number) : Py_NewRef(Py_None);
    }
    fields[6] = event->begin >= 0 ? PyLong_FromSsize_t(event->begin) : Py_NewRef(Py_None);
    PyObject *tuple = PyTuple_New(7);
    for (int i = 0; i < 7; i++) {
        if (tuple == NULL || fields[i] == NULL) {
            Py_XDECREF(fields[i]);
            Py_CLEAR(tuple);
        }
        else {
            PyTuple_SetItem(tuple, i, fields[i]);
        }
    }
    return tuple;
}

/* The iterator that `walk` returns: it yields lists of events. */
typedef struct {
    PyObject_HEAD
    Walk walk;
    int seen, failed, ended;
} Walker;

static PyObject *
walker_batch(Walker *self)
{
    Walk *walk = &self->walk;
    Event event;
    PyObject *batch = PyList_New(0);
    int told = TOLD;
    while (batch != NULL && PyList_Size(batch) < BATCH && (told = advance(walk, &event)) == TOLD) {
        PyObject *tuple = event_tuple(&event);
        if (tuple == NULL || PyList_Append(batch, tuple) < 0) {
            Py_CLEAR(batch);
        }
        Py_XDECREF(tuple);
    }
    self->ended = told == ENDED;
    self->failed = told == FAULT;
    if (told == FAILED) {
        Py_CLEAR(batch);
    }
    return batch;
}

static PyObject *
walker_next(PyObject *object)
{
    Walker *self = (Walker *)object;
    PyObject *batch = NULL;
    Py_buffer view;
    if (self->ended) {
        return NULL;
    }
    if (self->failed) {
        self->ended = 1;
        raise_fault(&self->walk);
        return NULL;
    }
    /* Held for a batch only, so that a bytearray can be resized and an mmap closed in between. */
    if (PyObject_GetBuffer(self->walk.bytes.source, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    Py_ssize_t before = self->walk.bytes.size;
    walk_see(&self->walk, &view);
    if (!self->seen) {
        self->seen = 1;
        walk_begin(&self->walk, 0);
    }
    else if (before != view.len) {
        self->ended = 1;
        PyErr_SetString(PyExc_RuntimeError, "the bytes changed their size while they were walked");
    }
    if (!self->ended) {
        batch = walker_batch(self);
        self->ended = self->ended || batch == NULL;
    }
    PyBuffer_Release(&view);
    return batch;
}

static void
walker_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    Walker *self = (Walker *)object;
    walk_free(&self->walk);
    Py_CLEAR(self->walk.bytes.source);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyType_Slot walker_slots[] = {
    {Py_tp_dealloc, walker_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, walker_next},
    {0, NULL},
};

static PyType_Spec walker_spec = {
    .name = "extreg._core.Walker",
    .basicsize = sizeof(Walker),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = walker_slots,
};

static PyObject *
core_walk(PyObject *module, PyObject *args)
{
    PyObject *data, *type = PyObject_GetAttrString(module, "Walker");
    int framing, first, alone, plain;
    if (type == NULL || !PyArg_ParseTuple(args, "Opppp:walk", &data, &framing, &first, &alone, &plain)) {
        Py_XDECREF(type);
        return NULL;
    }
    Walker *self = (Walker *)PyType_GenericAlloc((PyTypeObject *)type, 0);
    Py_DECREF(type);
    if (self != NULL) {
        walk_start(&self->walk, Py_NewRef(data));
        self->walk.framing = framing;
        self->walk.first = first;
        self->walk.alone = alone;
        self->walk.decoded = plain;
    }
    return (PyObject *)self;
}

/* ---- Adding up ---------------------------------------------------------------------------------------------- */

/* The first so many of what is counted are found by looking at each; the others in a dictionary. */
#define FEW 8

/* What refers to one global or code: in how many pickles, the last of them, how many opcodes, how many bytes.
 * `key` tells it from others: for a global the length of its module, module, colon and name; for a code the number. */
typedef struct {
    PyObject *key;
    Text module, name; /* within `key` */
    int64_t number;
    Py_ssize_t pickles, last, references, size;
    Py_ssize_t cells, last_cell; /* of a census */
} Use;

typedef struct {
    Use *items;
    Py_ssize_t count, capacity;
    PyObject *index; /* key: place; of those behind the first `FEW` */
} Uses;

static void
uses_free(Uses *uses)
{
    for (Py_ssize_t i = 0; i < uses->count; i++) {
        Py_DECREF(uses->items[i].key);
    }
    PyMem_Free(uses->items);
    Py_XDECREF(uses->index);
}

/* The key of a global: no two have the same, whatever is in their names. */
static PyObject *
global_key(const Text *module, const Text *name)
{
    Py_ssize_t size = sizeof(Py_ssize_t) + module->length + 1 + name->length;
    PyObject *key = PyBytes_FromStringAndSize(NULL, size);
    if (key != NULL) {
        char *at = PyBytes_AsString(key);
        memcpy(at, &module->length, sizeof(Py_ssize_t));
        memcpy(at += sizeof(Py_ssize_t), module->text, module->length);
        at[module->length] = ':';
        memcpy(at + module->length + 1, name->text, name->length);
    }
    return key;
}

static int
same_text(const Text *one, const Text *other)
{
    return one->length == other->length && memcmp(one->text, other->text, one->length) == 0;
}

static int
is_of(const Use *use, const Event *event)
{
    if (event->kind == A_CODE) {
        return use->number == event->number;
    }
    return same_text(&use->module, &event->module) && same_text(&use->name, &event->name);
}

/* Add what an event refers to behind the others. */
static Use *
uses_add(Uses *uses, const Event *event, PyObject *key)
{
    if (uses->count == uses->capacity) {
        Py_ssize_t capacity = uses->capacity ? 2 * uses->capacity : FEW;
        Use *items = PyMem_Realloc(uses->items, capacity * sizeof(Use));
        if (items == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        uses->items = items;
        uses->capacity = capacity;
    }
    Use *use = &uses->items[uses->count++];
    memset(use, 0, sizeof(*use));
    use->key = Py_NewRef(key);
    use->last = use->last_cell = -1;
    use->number = event->number;
    if (event->kind == A_GLOBAL) {
        use->module = (Text){PyBytes_AsString(key) + sizeof(Py_ssize_t), event->module.length};
        use->name = (Text){use->module.text + event->module.length + 1, event->name.length};
    }
    return use;
}

/* Find what is counted for an event; NULL with an exception. */
static Use *
uses_find(Uses *uses, const Event *event)
{
    for (Py_ssize_t i = 0; i < uses->count && i < FEW; i++) {
        if (is_of(&uses->items[i], event)) {
            return &uses->items[i];
        }
    }
    Use *use = NULL;
    PyObject *place, *key = event->kind == A_CODE ? PyLong_FromLongLong(event->number)
                                                  : global_key(&event->module, &event->name);
    if (key == NULL || (uses->count >= FEW && uses->index == NULL && (uses->index = PyDict_New()) == NULL)) {
        Py_XDECREF(key);
        return NULL;
    }
    if (uses->index != NULL && (place = PyDict_GetItemWithError(uses->index, key)) != NULL) {
        use = &uses->items[PyLong_AsSsize_t(place)];
    }
    else if (!PyErr_Occurred() && (use = uses_add(uses, event, key)) != NULL && uses->index != NULL) {
        place = PyLong_FromSsize_t(uses->count - 1);
        use = place == NULL || PyDict_SetItem(uses->index, key, place) < 0 ? NULL : use;
        Py_XDECREF(place);
    }
    Py_DECREF(key);
    return use;
}

/* What the pickles in some data refer to. */
typedef struct {
    Uses globals, codes;
    Row unresolved;
    Py_ssize_t pickles, whole, marked, cell;
} Counts;

static void
counts_free(Counts *counts)
{
    uses_free(&counts->globals);
    uses_free(&counts->codes);
    row_free(&counts->unresolved);
}

/* The bytes that a reference takes. */
static Py_ssize_t
reference_size(const Event *event)
{
    if (event->kind == A_CODE) {
        return 1 + TABLE[event->op].width;
    }
    if (event->op == OP_STACK_GLOBAL) {
        return event->begin < 0 ? 1 : event->offset + 1 - event->begin;
    }
    return 3 + event->module.length + event->name.length;
}

/* Count one event: 0, or -1 with an exception. */
static int
counts_note(Counts *counts, const byte *data, const Event *event)
{
    if (event->kind == A_STOP) {
        const byte *head = data + counts->whole;
        counts->marked += head[0] == OP_PROTO && 2 <= head[1] && head[1] <= 5;
        counts->pickles++;
        counts->whole = event->offset + 1;
        return 0;
    }
    if (event->kind == UNRESOLVED) {
        return row_push(&counts->unresolved, event->offset);
    }
    Use *use = uses_find(event->kind == A_CODE ? &counts->codes : &counts->globals, event);
    if (use == NULL) {
        return -1;
    }
    use->references++;
    use->size += reference_size(event);
    use->pickles += use->last != counts->pickles;
    use->last = counts->pickles;
    use->cells += use->last_cell != counts->cell;
    use->last_cell = counts->cell;
    return 0;
}

/* Count all that is in the data: what `advance` returned last. */
static int
counts_all(Counts *counts, Walk *walk, PyObject *data)
{
    Py_buffer view;
    Event event;
    int told;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return FAILED;
    }
    walk_see(walk, &view);
    walk_begin(walk, 0);
    while ((told = advance(walk, &event)) == TOLD) {
        if (counts_note(counts, walk->bytes.data, &event) < 0) {
            told = FAILED;
            break;
        }
    }
    walk_free(walk);
    PyBuffer_Release(&view);
    return told;
}

/* Put `key: value` into a dictionary and give both away: 0, or -1 with an exception. */
static int
dict_give(PyObject *dict, PyObject *key, PyObject *value)
{
    int done = key == NULL || value == NULL ? -1 : PyDict_SetItem(dict, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return done;
}

static int
holds_colon(const Text *text)
{
    return text->length > 0 && memchr(text->text, ':', text->length) != NULL;
}

/* The pair of module and name. */
static PyObject *
pair(const Use *use)
{
    PyObject *module = decoded(&use->module), *name = decoded(&use->name);
    PyObject *made = module == NULL || name == NULL ? NULL : PyTuple_Pack(2, module, name);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return made;
}

/* The fields of a `Scan`. */
static PyObject *
scanned(const Counts *counts)
{
    PyObject *targets = PyDict_New(), *codes = PyDict_New(), *odd = PyDict_New();
    PyObject *unresolved = PyTuple_New(counts->unresolved.count), *result = NULL;
    int done = targets == NULL || codes == NULL || odd == NULL || unresolved == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; done == 0 && i < counts->globals.count; i++) {
        const Use *use = &counts->globals.items[i];
        int is_odd = holds_colon(&use->module) || holds_colon(&use->name);
        Text target = {use->module.text, use->module.length + 1 + use->name.length};
        PyObject *key = is_odd ? pair(use) : decoded(&target);
        done = dict_give(is_odd ? odd : targets, key, PyLong_FromSsize_t(use->references));
    }
    for (Py_ssize_t i = 0; done == 0 && i < counts->codes.count; i++) {
        const Use *use = &counts->codes.items[i];
        done = dict_give(codes, Py_NewRef(use->key), PyLong_FromSsize_t(use->references));
    }
    for (Py_ssize_t i = 0; done == 0 && i < counts->unresolved.count; i++) {
        PyObject *offset = PyLong_FromSsize_t(counts->unresolved.items[i]);
        done = offset == NULL ? -1 : PyTuple_SetItem(unresolved, i, offset);
    }
    if (done == 0) {
        result = Py_BuildValue("(OOOnO)", targets, codes, unresolved, counts->pickles, odd);
    }
    Py_XDECREF(targets);
    Py_XDECREF(codes);
    Py_XDECREF(odd);
    Py_XDECREF(unresolved);
    return result;
}

static PyObject *
core_scan(PyObject *module, PyObject *data)
{
    Walk walk;
    Counts counts = {0};
    PyObject *result = NULL;
    walk_start(&walk, data);
    walk.decoded = 1;
    int told = counts_all(&counts, &walk, data);
    if (told == ENDED) {
        result = scanned(&counts);
    }
    else if (told == FAULT) {
        raise_fault(&walk);
    }
    counts_free(&counts);
    return result;
}

/* A dictionary of what is counted, each value made of its three numbers by `make`. */
static PyObject *
counted(const Uses *uses, PyObject *make, int named)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i < uses->count; i++) {
        const Use *use = &uses->items[i];
        PyObject *key = named ? pair(use) : Py_NewRef(use->key);
        PyObject *numbers = Py_BuildValue("(nnn)", use->pickles, use->references, use->size);
        PyObject *value = numbers == NULL ? NULL : PyObject_CallFunctionObjArgs(make, numbers, NULL);
        Py_XDECREF(numbers);
        if (dict_give(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *
core_count(PyObject *module, PyObject *args)
{
    PyObject *data, *make, *globals = NULL, *codes = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "OO:count", &data, &make)) {
        return NULL;
    }
    Walk walk;
    Counts counts = {0};
    walk_start(&walk, data);
    int told = counts_all(&counts, &walk, data);
    if (told == FAULT) {
        result = Py_BuildValue("(nN)", counts.whole, fault_of(&walk));
    }
    else if (told == ENDED && (globals = counted(&counts.globals, make, 1)) != NULL &&
             (codes = counted(&counts.codes, make, 0)) != NULL) {
        result = Py_BuildValue("(OOnnnOn)", globals, codes, counts.unresolved.count, counts.pickles, counts.whole,
                               Py_None, counts.marked);
    }
    Py_XDECREF(globals);
    Py_XDECREF(codes);
    counts_free(&counts);
    return result;
}

/* ---- What is permitted -------------------------------------------------------------------------------------- */

static PyObject *
core_key(PyObject *module, PyObject *args)
{
    Text path, name;
    if (!PyArg_ParseTuple(args, "y#y#:key", &path.text, &path.length, &name.text, &name.length)) {
        return NULL;
    }
    return global_key(&path, &name);
}

/* Look up what an event refers to among `names`, a set, or `codes`, a dictionary whose value is lent to `spelled`: 1, 0
 * if it is not there, or -1 with an exception. */
static int
is_permitted(const Event *event, PyObject *names, PyObject *codes, PyObject **spelled)
{
    int held = 0;
    PyObject *key = event->kind == A_CODE ? PyLong_FromLongLong(event->number)
                                          : global_key(&event->module, &event->name);
    if (key == NULL) {
        return -1;
    }
    if (event->kind == A_CODE) {
        *spelled = PyDict_GetItemWithError(codes, key);
        held = *spelled != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
    }
    else {
        held = PySet_Contains(names, key);
    }
    Py_DECREF(key);
    return held;
}

/* A walk over the first pickle in bytes. */
static void
walk_first(Walk *walk, PyObject *data, int framing, int plain)
{
    walk_start(walk, data);
    walk->first = 1;
    walk->framing = framing;
    walk->decoded = plain;
    walk->bytes.data = (const byte *)PyBytes_AsString(data);
    walk->bytes.size = PyBytes_Size(data);
    walk_begin(walk, 0);
}

/* Append what there is to append, and give it away: 1, or -1 with an exception. */
static int
list_give(PyObject *list, PyObject *item)
{
    int done = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return done < 0 ? -1 : 1;
}

static PyObject *
core_check(PyObject *module, PyObject *args)
{
    PyObject *data, *names, *codes, *spelled = NULL, *result = NULL;
    int framing, spelling, plain, told = FAILED, permitted = 1;
    if (!PyArg_ParseTuple(args, "SO!O!ppp:check", &data, &PyFrozenSet_Type, &names, &PyDict_Type, &codes, &framing,
                          &spelling, &plain)) {
        return NULL;
    }
    Walk walk;
    Event event;
    PyObject *places = PyList_New(0), *frames = PyList_New(0);
    walk_first(&walk, data, framing, plain);
    while (places != NULL && frames != NULL && permitted > 0 && (told = advance(&walk, &event)) == TOLD) {
        if (event.kind == A_GLOBAL || event.kind == A_CODE) {
            permitted = is_permitted(&event, names, codes, &spelled);
            if (permitted > 0 && event.kind == A_CODE && spelling) {
                permitted = list_give(places, Py_BuildValue("(niO)", event.offset, 1 + TABLE[event.op].width, spelled));
            }
        }
        else if (event.kind == A_FRAME) {
            permitted = list_give(frames, Py_BuildValue("(nK)", event.offset, (unsigned long long)event.number));
        }
        else {
            permitted = event.kind != UNRESOLVED;
        }
    }
    walk_free(&walk);
    if (permitted > 0 && told == ENDED) {
        result = Py_BuildValue("(nOO)", event.offset + 1, places, frames);
    }
    else if (permitted == 0 || told == FAULT) {
        result = Py_NewRef(Py_None);
    }
    Py_XDECREF(places);
    Py_XDECREF(frames);
    return result;
}

/* PROTO and FRAME stand at the beginning, where picklers put them. */
static int
stands_well(const Event *event)
{
    return event->kind == A_PROTO ? event->offset == 0 && 2 <= event->number && event->number <= 5 : event->offset == 2;
}

/* Whether each global still is what it was: `watched` as in `extreg.scoped.quick`, of dictionaries: 1, 0, or -1 with an
 * exception. */
static int
is_current(PyObject *watched)
{
    PyObject *modules = PyImport_GetModuleDict(), *entry, *names, *inner, *name;
    Py_ssize_t count = PyList_Size(watched);
    for (Py_ssize_t i = 0; i < count; i++) {
        if ((entry = PyList_GetItem(watched, i)) == NULL || PyTuple_Size(entry) != 4) {
            return -1;
        }
        if (PyDict_GetItemWithError(modules, PyTuple_GetItem(entry, 0)) != PyTuple_GetItem(entry, 1)) {
            return PyErr_Occurred() ? -1 : 0;
        }
        names = PyTuple_GetItem(entry, 2);
        inner = PyTuple_GetItem(entry, 3);
        Py_ssize_t inside = PyList_Size(inner);
        for (Py_ssize_t k = 0; k < inside; k++) {
            if ((name = PyList_GetItem(inner, k)) == NULL || PyTuple_Size(name) != 2) {
                return -1;
            }
            if (PyDict_GetItemWithError(names, PyTuple_GetItem(name, 0)) != PyTuple_GetItem(name, 1)) {
                return PyErr_Occurred() ? -1 : 0;
            }
        }
        if (inside < 0) {
            return -1;
        }
    }
    return count < 0 ? -1 : 1;
}

static PyObject *
core_proves(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyFrozenSet_Check(args[0]) || !PyDict_Check(args[1]) || !PyList_Check(args[2]) ||
        !PyBytes_Check(args[3])) {
        PyErr_SetString(PyExc_TypeError, "expected a frozenset, a dict, a list and bytes");
        return NULL;
    }
    PyObject *data = args[3], *spelled;
    Walk walk;
    Event event = {0};
    int told = FAULT, permitted, coded = 0;
    walk_first(&walk, data, 1, 1);
    permitted = protocol_at(&walk.bytes, 0) > 0;
    while (permitted > 0 && (told = advance(&walk, &event)) == TOLD) {
        if (event.kind == A_GLOBAL || event.kind == A_CODE) {
            permitted = is_permitted(&event, args[0], args[1], &spelled);
            coded |= event.kind == A_CODE;
        }
        else if (event.kind != A_STOP) {
            permitted = event.kind != UNRESOLVED && stands_well(&event);
        }
    }
    walk_free(&walk);
    if (permitted < 0 || (permitted && told == FAILED)) {
        return NULL;
    }
    int proved = permitted && told == ENDED && event.offset + 1 == walk.bytes.size ? is_current(args[2]) : 0;
    if (proved <= 0) {
        return proved < 0 ? NULL : Py_NewRef(Py_None);
    }
    return coded ? PyTuple_Pack(1, data) : Py_NewRef(data);
}

/* ---- Cells of a census -------------------------------------------------------------------------------------- */

static int
is_alphabet(byte one)
{
    return (one >= '0' && one <= '9') || (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || one == '+' ||
           one == '/' || one == '_' || one == '-';
}

static int
begins(const byte *at, const byte *end, const char *with)
{
    size_t length = strlen(with);
    return (size_t)(end - at) >= length && memcmp(at, with, length) == 0;
}

static int
is_one_of(byte one, const char *these)
{
    return one != 0 && strchr(these, one) != NULL;
}

/* Whether something compressed or encoded may begin here: wherever a pattern of `extreg.pickles.hidden` matches, and in
 * some places more.  `next` is the byte behind, or 0. */
static int
may_be_packed(const byte *at, const byte *end)
{
    byte next = end - at > 1 ? at[1] : 0, third = end - at > 2 ? at[2] : 0;
    switch (*at) {
    case 'x':
        return is_one_of(next, "\x01\x5e\x9c\xda\xc2\xc3");
    case 0x1f:
        return next == 0x8b || next == 0xc2;
    case 'B':
        return next == 'Z';
    case 0xfd:
        return next == '7';
    case 0xc3:
        return next == 0xbd;
    case '(':
        return next == 0xb5 || next == 0xc2;
    case 0x04:
        return next == 0x22;
    case 'g':
        return next == 'A' && is_one_of(third, "AIJKLMNOPQRSTUVWX");
    case 'e':
        return (next == 'J' && is_one_of(third, "wxyz")) || (next == 'A' && is_one_of(third, "EFGH")) ||
               (next == 'F' && is_one_of(third, "4567")) || (next == 'N' && is_one_of(third, "opqr"));
    case 'H':
        return begins(at, end, "H4sI");
    case 'Q':
        return begins(at, end, "Qlpo");
    case '/':
        return begins(at, end, "/Td6");
    case 'A':
        if (end - at < 8 || !is_one_of(next, "ABCDEF")) {
            return 0;
        }
        for (int i = 2; i < 8; i++) {
            if (!is_alphabet(at[i])) {
                return 0;
            }
        }
        return 1;
    case '8':
        return begins(at, end, "800") && end - at > 3 && is_one_of(at[3], "2345");
    case '7':
        return begins(at, end, "780") || begins(at, end, "785") || (next == '8' && is_one_of(third, "9dD"));
    case '1':
        return (next == 'f' || next == 'F') && third == '8';
    case '4':
        return begins(at, end, "425a") || begins(at, end, "425A");
    case '3':
        return begins(at, end, "377");
    case '\\':
        return next == 'x' || next == '2' || next == 'u';
    default:
        return 0;
    }
}

/* Whether nothing else is in a cell than so many pickles, each of which begins with PROTO. */
static int
is_nothing_packed(const byte *at, const byte *end, Py_ssize_t pickles)
{
    for (; at < end; at++) {
        if (*at == OP_PROTO && end - at > 1 && 2 <= at[1] && at[1] <= 5) {
            pickles--;
        }
        else if (may_be_packed(at, end)) {
            return 0;
        }
    }
    return pickles == 0;
}

/* Whether a cell may begin with an expiry, a float or None in a pickle of its own, as in Django's file cache. */
static int
may_be_expiry(const byte *data, Py_ssize_t size)
{
    Py_ssize_t at = size > 11 && data[2] == OP_FRAME ? 11 : 2;
    return at >= size || data[at] == OP_BINFLOAT || data[at] == OP_NONE || data[at] == OP_BININT1 ||
           data[at] == OP_BININT2 || data[at] == OP_BININT;
}

/* How many pickles there are in a cell that holds whole pickles of protocols 2 to 5 and, for all that is known, nothing
 * packed in them; 0 if it may be otherwise, -1 with an exception. */
static Py_ssize_t
plain_pickles(Walk *walk)
{
    const Bytes *bytes = &walk->bytes;
    Py_ssize_t pickles = 0, begin = 0;
    Event event;
    int told;
    if (bytes->size < 3 || protocol_at(bytes, 0) == 0 || may_be_expiry(bytes->data, bytes->size)) {
        return 0;
    }
    walk_begin(walk, 0);
    while ((told = advance(walk, &event)) == TOLD) {
        if (event.kind == A_STOP) {
            int protocol = protocol_at(bytes, begin);
            if (protocol < 2 || protocol > 5) {
                return 0;
            }
            pickles++;
            begin = event.offset + 1;
        }
    }
    if (told != ENDED) {
        return told == FAILED ? -1 : 0;
    }
    return is_nothing_packed(bytes->data, bytes->data + bytes->size, pickles) ? pickles : 0;
}

/* The counts of many cells, as `extreg.census.adder` adds them up. */
typedef struct {
    PyObject_HEAD
    Counts counts;
    Py_ssize_t cells, size;
} Cells;

/* Count a cell: 1; 0 if it is for Python to look into; -1 with an exception. */
static int
cells_count(Cells *self, PyObject *data)
{
    Walk walk;
    Event event;
    int told;
    walk_first(&walk, data, 0, 0);
    walk.first = 0;
    Py_ssize_t plain = walk.bytes.size <= PACKED_MOST ? plain_pickles(&walk) : 0;
    if (plain <= 0) {
        walk_free(&walk);
        return (int)plain;
    }
    self->counts.whole = 0;
    self->counts.cell = self->cells++;
    self->size += walk.bytes.size;
    walk_begin(&walk, 0);
    walk.looked = walk.carried = walk.doubtful = 0;
    memo_clear(&walk.going_on, 0);
    while ((told = advance(&walk, &event)) == TOLD) {
        if (counts_note(&self->counts, walk.bytes.data, &event) < 0) {
            told = FAILED;
            break;
        }
    }
    walk_free(&walk);
    return told == ENDED ? 1 : -1;
}

static PyObject *
cells_add(PyObject *object, PyObject *data)
{
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "expected bytes");
        return NULL;
    }
    int counted = cells_count((Cells *)object, data);
    return counted < 0 ? NULL : PyBool_FromLong(counted);
}

/* A dictionary of the totals: files, pickles, references, bytes. */
static PyObject *
totals(const Uses *uses, int named)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i < uses->count; i++) {
        const Use *use = &uses->items[i];
        PyObject *value = Py_BuildValue("(nnnn)", use->cells, use->pickles, use->references, use->size);
        if (dict_give(dict, named ? pair(use) : Py_NewRef(use->key), value) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *
cells_take(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    Cells *self = (Cells *)object;
    PyObject *globals = totals(&self->counts.globals, 1), *codes = totals(&self->counts.codes, 0), *result = NULL;
    if (globals != NULL && codes != NULL) {
        result = Py_BuildValue("(nnnnOO)", self->cells, self->counts.pickles, self->size,
                               self->counts.unresolved.count, globals, codes);
    }
    if (result != NULL) {
        counts_free(&self->counts);
        memset(&self->counts, 0, sizeof(self->counts));
        self->cells = self->size = 0;
    }
    Py_XDECREF(globals);
    Py_XDECREF(codes);
    return result;
}

static void
cells_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    counts_free(&((Cells *)object)->counts);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMethodDef cells_methods[] = {
    {"add", cells_add, METH_O,
     "add(data): count a cell; False if it is for Python to look into, since there may be more than pickles in it."},
    {"take", cells_take, METH_NOARGS,
     "take(): what was counted since the last time: cells, pickles, bytes, how many references are unresolved; globals\n"
     "and codes, each with its cells, pickles, references and bytes."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot cells_slots[] = {
    {Py_tp_dealloc, cells_dealloc},
    {Py_tp_methods, cells_methods},
    {0, NULL},
};

static PyType_Spec cells_spec = {
    .name = "extreg._core.Cells",
    .basicsize = sizeof(Cells),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = cells_slots,
};

/* ---- The module --------------------------------------------------------------------------------------------- */

static PyMethodDef core_methods[] = {
    {"walk", core_walk, METH_VARARGS,
     "walk(data, framing, first, alone, decoded): iterate over lists of events, as `walker.batches` does."},
    {"scan", core_scan, METH_O, "scan(data): the fields of a `Scan`."},
    {"count", core_count, METH_VARARGS,
     "count(data, make): the fields of a `Tally`, each use made by `make` of its three numbers; or where the last whole\n"
     "pickle ends, and the fault behind it."},
    {"key", core_key, METH_VARARGS, "key(module, name): what stands for a global of these names, as UTF-8, in `check`."},
    {"check", core_check, METH_VARARGS,
     "check(data, names, codes, framing, spelling, decoded): where the first pickle ends, its codes as (offset, width,\n"
     "value in `codes`) if there is `spelling`, and its FRAMEs as (offset, length) if `framing`; None if it cannot be\n"
     "read, or refers to more than these."},
    {"proves", (PyCFunction)(void (*)(void))core_proves, METH_FASTCALL,
     "proves(names, codes, watched, data): `data`, in a tuple if it refers to codes, if it is one whole pickle of\n"
     "protocol 2 to 5 that refers to nothing else, and all that is watched still is what it was; or None."},
    {NULL, NULL, 0, NULL},
};

/* The table, for a test to compare with the one in Python. */
static PyObject *
table(void)
{
    PyObject *rows = PyList_New(0);
    for (int value = 0; rows != NULL && value < 256; value++) {
        const Opcode *row = &TABLE[value];
        PyObject *made = row->name == NULL ? NULL
                                           : Py_BuildValue("(isiiiii)", value, row->name, row->layout, row->width,
                                                           row->holds, row->takes, row->gives);
        if (row->name != NULL && (made == NULL || PyList_Append(rows, made) < 0)) {
            Py_CLEAR(rows);
        }
        Py_XDECREF(made);
    }
    return rows;
}

static int
module_give(PyObject *module, const char *name, PyObject *object)
{
    int done = object == NULL ? -1 : PyModule_AddObjectRef(module, name, object);
    Py_XDECREF(object);
    return done;
}

static int
core_exec(PyObject *module)
{
    if (module_give(module, "Walker", PyType_FromModuleAndSpec(module, &walker_spec, NULL)) < 0 ||
        module_give(module, "Cells", PyType_FromModuleAndSpec(module, &cells_spec, NULL)) < 0 ||
        module_give(module, "table", table()) < 0) {
        return -1;
    }
    return PyModule_AddStringConstant(module, "version", EXTREG_VERSION);
}

static PyModuleDef_Slot core_slots[] = {{Py_mod_exec, core_exec}, {0, NULL}};

static struct PyModuleDef core_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "extreg._core",
    .m_doc = "The compiled core: see extreg/compiled.py.",
    .m_methods = core_methods,
    .m_slots = core_slots,
};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&core_module);
}
