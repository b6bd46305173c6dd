#include "attn/npy.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/append.h"
#include "impl/io/file_kind.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little-endian and copied as they are");

enum { MAGIC_SIZE = 6, HEADER_LIMIT = 65536, WRITE_ALIGNMENT = 64, MESSAGE_TEXT = 80 };

static const char magic[] = "\x93NUMPY";

/* The header is a Python dict literal with exactly the keys descr, fortran_order and shape. */
typedef struct scanner {
    const char *at, *end;
} scanner;

static void skip_space(scanner *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool take(scanner *s, char c) {
    skip_space(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool take_word(scanner *s, const char *word) {
    skip_space(s);
    size_t length = strlen(word);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length))
        return false;
    s->at += length;
    return true;
}

/* A quoted string without escapes, which neither the keys nor a plain dtype need. */
static bool take_string(scanner *s, char *out, size_t size) {
    skip_space(s);
    if (s->at == s->end || (*s->at != '\'' && *s->at != '"'))
        return false;
    char quote = *s->at++;
    size_t length = 0;
    for (; s->at < s->end && *s->at != quote; s->at++) {
        if (*s->at == '\\' || *s->at == '\0' || length + 1 == size)
            return false;
        out[length++] = *s->at;
    }
    out[length] = '\0';
    return take(s, quote);
}

static bool take_number(scanner *s, size_t *number) {
    skip_space(s);
    const char *start = s->at;
    *number = 0;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
        if (attn_multiply(number, *number, 10) || attn_add(number, *number, (size_t)(*s->at - '0')))
            return false;
    return s->at > start && !(*start == '0' && s->at > start + 1);
}

static int parse_descr(scanner *s, const char *name, attn_error *error) {
    char dtype[MESSAGE_TEXT];
    skip_space(s);
    if (s->at < s->end && *s->at == '[')
        return attn_fail(error, "%s: structured dtype, expected '<f4'", name);
    if (!take_string(s, dtype, sizeof dtype))
        return attn_fail(error, "%s: 'descr' in the npy header is not a string, expected '<f4'", name);
    if (strcmp(dtype, "<f4"))
        return attn_fail(error, "%s: dtype '%s', expected '<f4'", name, dtype);
    return 0;
}

static int parse_order(scanner *s, const char *name, attn_error *error) {
    if (take_word(s, "False"))
        return 0;
    if (take_word(s, "True"))
        return attn_fail(error, "%s: Fortran order, expected C order", name);
    return attn_fail(error, "%s: 'fortran_order' in the npy header is neither True nor False", name);
}

static int parse_shape(scanner *s, attn_array *array, const char *name, attn_error *error) {
    bool comma = false;
    if (!take(s, '('))
        return attn_fail(error, "%s: 'shape' in the npy header is not a tuple", name);
    array->rank = 0;
    while (!take(s, ')')) {
        size_t dim;
        if (array->rank && !comma)
            return attn_fail(error, "%s: 'shape' in the npy header is not a tuple of numbers", name);
        if (array->rank == ATTN_NPY_RANK)
            return attn_fail(error, "%s: more than %d axes, expected 1 to %d", name, ATTN_NPY_RANK,
                             ATTN_NPY_RANK);
        if (!take_number(s, &dim))
            return attn_fail(error, "%s: axis %zu in the npy header is not a size", name, array->rank);
        if (dim == 0)
            return attn_fail(error, "%s: axis %zu has size 0, expected at least 1", name, array->rank);
        array->dims[array->rank++] = dim;
        comma = take(s, ',');
    }
    if (!array->rank)
        return attn_fail(error, "%s: 0 axes (a single number), expected 1 to %d", name, ATTN_NPY_RANK);
    if (array->rank == 1 && !comma) /* "(3)" is a number in Python, not a tuple */
        return attn_fail(error, "%s: 'shape' in the npy header is not a tuple", name);
    return 0;
}

static int parse_dict(attn_array *array, const char *text, size_t size, const char *name, attn_error *error) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    scanner s = {text, text + size};
    bool seen[3] = {false};
    bool more = take(&s, '{');
    if (!more)
        return attn_fail(error, "%s: npy header is not a dict", name);
    while (!take(&s, '}')) {
        char key[MESSAGE_TEXT];
        size_t k = 0;
        if (!more || !take_string(&s, key, sizeof key) || !take(&s, ':'))
            return attn_fail(error, "%s: npy header is damaged at its byte %zu", name, (size_t)(s.at - text));
        while (k < 3 && strcmp(key, keys[k]))
            k++;
        if (k == 3)
            return attn_fail(error, "%s: unknown key '%s' in the npy header", name, key);
        if (seen[k])
            return attn_fail(error, "%s: key '%s' twice in the npy header", name, key);
        seen[k] = true;
        if (k == 0   ? parse_descr(&s, name, error)
            : k == 1 ? parse_order(&s, name, error)
                     : parse_shape(&s, array, name, error))
            return -1;
        more = take(&s, ',');
    }
    for (size_t k = 0; k < 3; k++)
        if (!seen[k])
            return attn_fail(error, "%s: no '%s' in the npy header", name, keys[k]);
    skip_space(&s);
    if (s.at != s.end)
        return attn_fail(error, "%s: npy header is damaged at its byte %zu", name, (size_t)(s.at - text));
    return 0;
}

static int refuse_kind(const unsigned char *bytes, size_t size, const char *name, attn_error *error) {
    const char *kind = file_kind(bytes, size);
    return kind ? attn_fail(error, "%s: not an npy file, but %s", name, kind)
                : attn_fail(error, "%s: not an npy file (it does not start with \\x93NUMPY)", name);
}

/* Bytes before the dict, and in the dict, from the first bytes of the file. */
static int parse_preamble(const unsigned char *bytes, size_t size, size_t *start, size_t *length,
                          const char *name, attn_error *error) {
    if (size < MAGIC_SIZE || memcmp(bytes, magic, MAGIC_SIZE))
        return refuse_kind(bytes, size, name, error);
    if (size < MAGIC_SIZE + 4)
        return attn_fail(error, "%s: truncated in the npy header (%zu bytes)", name, size);
    unsigned major = bytes[6], minor = bytes[7];
    if (major < 1 || major > 3 || minor != 0)
        return attn_fail(error, "%s: npy version %u.%u, expected 1.0, 2.0 or 3.0", name, major, minor);
    *start = major == 1 ? MAGIC_SIZE + 4 : MAGIC_SIZE + 6;
    if (size < *start)
        return attn_fail(error, "%s: truncated in the npy header (%zu bytes)", name, size);
    *length = bytes[8] | (size_t)bytes[9] << 8;
    if (major > 1)
        *length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (*length > HEADER_LIMIT)
        return attn_fail(error, "%s: npy header of %zu bytes, expected at most %d", name, *length,
                         HEADER_LIMIT);
    if (size - *start < *length)
        return attn_fail(error, "%s: truncated in the npy header (%zu bytes, expected at least %zu)", name,
                         size, *start + *length);
    return 0;
}

/* What the shape asks for is what the file holds, to the byte. */
static int check_size(const attn_array *array, size_t *bytes, size_t start, size_t size, const char *name,
                      attn_error *error) {
    size_t total = sizeof(float), expected;
    for (size_t i = 0; i < array->rank; i++)
        if (attn_multiply(&total, total, array->dims[i]))
            return attn_fail(error, "%s: the product of the npy shape overflows", name);
    if (attn_add(&expected, total, start))
        return attn_fail(error, "%s: the product of the npy shape overflows", name);
    if (size < expected)
        return attn_fail(error, "%s: truncated (%zu bytes, expected %zu for its shape)", name, size,
                         expected);
    if (size > expected)
        return attn_fail(error, "%s: trailing bytes (%zu bytes, expected %zu for its shape)", name, size,
                         expected);
    *bytes = total;
    return 0;
}

/* `bytes` are the first of a file of `size` bytes: all of them, or enough for the longest header. */
static int parse_header(attn_array *array, const char *bytes, size_t size, size_t *data_start,
                        size_t *data_size, const char *name, attn_error *error) {
    size_t start = 0, length = 0;
    if (parse_preamble((const unsigned char *)bytes, size, &start, &length, name, error) ||
        parse_dict(array, bytes + start, length, name, error))
        return -1;
    *data_start = start + length;
    return check_size(array, data_size, *data_start, size, name, error);
}

int attn_npy_parse(attn_array *array, const char *bytes, size_t size, const char *name, attn_error *error) {
    attn_array parsed = {0};
    size_t start = 0, length = 0;
    *array = parsed;
    if (parse_header(&parsed, bytes, size, &start, &length, name, error))
        return -1;
    parsed.data = attn_alloc(length, 1, name, error);
    if (!parsed.data)
        return -1;
    memcpy(parsed.data, bytes + start, length);
    *array = parsed;
    return 0;
}

int attn_npy_read(attn_array *array, const char *path, attn_error *error) {
    attn_array parsed = {0};
    size_t size, start = 0, length = 0, room = HEADER_LIMIT + MAGIC_SIZE + 6;
    char *head = NULL;
    int result = -1;
    *array = parsed;
    FILE *stream = attn_input_open(path, &size, error);
    if (!stream)
        return -1;
    if (size < room)
        room = size;
    head = attn_alloc(room, 1, path, error);
    if (!head)
        goto done;
    if (fread(head, 1, room, stream) != room) {
        attn_fail(error, "%s: read error, or it shrank while being read", path);
        goto done;
    }
    if (parse_header(&parsed, head, size, &start, &length, path, error))
        goto done;
    parsed.data = attn_alloc(length, 1, path, error);
    if (!parsed.data)
        goto done;
    if (fseek(stream, (long)start, SEEK_SET) || fread(parsed.data, 1, length, stream) != length) {
        attn_fail(error, "%s: read error, or it shrank while being read", path);
        attn_free(parsed.data);
        goto done;
    }
    *array = parsed;
    result = 0;
done:
    attn_free(head);
    fclose(stream);
    return result;
}

int attn_npy_write(const char *path, const float *data, size_t rank, const size_t *dims, attn_error *error) {
    char dict[256];
    size_t count = 1, bytes;
    if (rank < 1 || rank > ATTN_NPY_RANK)
        return attn_fail(error, "%s: %zu axes, expected 1 to %d", path, rank, ATTN_NPY_RANK);
    snprintf(dict, sizeof dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] == 0)
            return attn_fail(error, "%s: axis %zu has size 0, expected at least 1", path, i);
        if (attn_multiply(&count, count, dims[i]))
            return attn_fail(error, "%s: the product of its shape overflows", path);
        text_append(dict, sizeof dict, i ? ", %zu" : "%zu", dims[i]);
    }
    if (attn_multiply(&bytes, count, sizeof(float)))
        return attn_fail(error, "%s: the product of its shape overflows", path);
    text_append(dict, sizeof dict, rank == 1 ? ",), }" : "), }");
    size_t before = MAGIC_SIZE + 4,
           total = (before + strlen(dict) + 1 + WRITE_ALIGNMENT - 1) / WRITE_ALIGNMENT * WRITE_ALIGNMENT;
    unsigned header = (unsigned)(total - before);

    attn_output output;
    if (attn_output_open(&output, path, error))
        return -1;
    fprintf(output.stream, "%s%c%c%c%c%-*s\n", magic, 1, 0, (int)(header & 0xff), (int)(header >> 8),
            (int)header - 1, dict);
    fwrite(data, 1, bytes, output.stream);
    return attn_output_commit(&output, error);
}
