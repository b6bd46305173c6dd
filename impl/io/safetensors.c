#include "attn/safetensors.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/json.h"
#include "impl/io/dtype.h"
#include "impl/io/file_kind.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LENGTH_SIZE = 8 };
/* The limit of the format's own library. */
static const size_t header_limit = 100000000;

struct attn_safetensors {
    void *map; /* NULL when the bytes are the caller's */
    size_t map_size;
    size_t count;
    attn_safetensor *tensors;        /* in file order */
    const attn_safetensor **by_name; /* sorted */
};

/* What an error message starts with: file and tensor, cut so that the reason still fits. */
typedef struct place {
    const char *file, *tensor;
} place;

#define PLACE "%s: tensor '%.120s': "
#define PLACE_OF(p) (p)->file, (p)->tensor

/* A JSON integer that is not negative and fits. */
static int read_size(size_t *out, const json_t *value) {
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return -1;
    *out = (size_t)json_integer_value(value);
    return 0;
}

static int read_shape(attn_safetensor *t, const json_t *shape, const place *where, attn_error *error) {
    if (!json_is_array(shape))
        return attn_fail(error, PLACE "no 'shape' list", PLACE_OF(where));
    if (json_array_size(shape) > ATTN_SAFETENSORS_RANK)
        return attn_fail(error, PLACE "%zu axes, expected at most %d", PLACE_OF(where),
                         json_array_size(shape), ATTN_SAFETENSORS_RANK);
    t->rank = json_array_size(shape);
    t->count = 1;
    for (size_t i = 0; i < t->rank; i++) {
        if (read_size(&t->dims[i], json_array_get(shape, i)))
            return attn_fail(error, PLACE "axis %zu of 'shape' is not a size", PLACE_OF(where), i);
        if (attn_multiply(&t->count, t->count, t->dims[i]))
            return attn_fail(error, PLACE "the product of 'shape' overflows", PLACE_OF(where));
    }
    return 0;
}

static int read_range(attn_safetensor *t, const json_t *offsets, const unsigned char *data, size_t data_size,
                      const place *where, attn_error *error) {
    size_t begin, end;
    if (json_array_size(offsets) != 2 || read_size(&begin, json_array_get(offsets, 0)) ||
        read_size(&end, json_array_get(offsets, 1)))
        return attn_fail(error, PLACE "'data_offsets' is not a pair of sizes", PLACE_OF(where));
    if (begin > end)
        return attn_fail(error, PLACE "data_offsets [%zu, %zu], expected begin <= end", PLACE_OF(where),
                         begin, end);
    if (end > data_size)
        return attn_fail(error, PLACE "data_offsets [%zu, %zu] reach outside the %zu bytes of data",
                         PLACE_OF(where), begin, end, data_size);
    t->data = data + begin;
    t->size = end - begin;
    return 0;
}

static int read_tensor(attn_safetensor *t, const json_t *entry, const unsigned char *data, size_t data_size,
                       const place *where, attn_error *error) {
    if (!json_is_object(entry))
        return attn_fail(error, PLACE "its header entry is not an object", PLACE_OF(where));
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype)
        return attn_fail(error, PLACE "no 'dtype' text", PLACE_OF(where));
    const dtype_row *row = dtype_find(dtype);
    if (!row)
        return attn_fail(error, PLACE "unknown dtype '%.20s'", PLACE_OF(where), dtype);
    t->dtype = row->dtype;
    t->dtype_name = row->name;
    size_t bits;
    if (read_shape(t, json_object_get(entry, "shape"), where, error) ||
        read_range(t, json_object_get(entry, "data_offsets"), data, data_size, where, error))
        return -1;
    if (json_object_size(entry) != 3)
        return attn_fail(error, PLACE "header entry has keys beyond dtype, shape and data_offsets",
                         PLACE_OF(where));
    if (attn_multiply(&bits, t->count, row->bits))
        return attn_fail(error, PLACE "the product of 'shape' overflows", PLACE_OF(where));
    if (bits % 8)
        return attn_fail(error, PLACE "%zu values of %zu bits (%s) are no whole number of bytes",
                         PLACE_OF(where), t->count, row->bits, row->name);
    if (t->size != bits / 8)
        return attn_fail(error, PLACE "data_offsets hold %zu bytes, expected %zu for its shape in %s",
                         PLACE_OF(where), t->size, bits / 8, row->name);
    return 0;
}

static int check_metadata(json_t *metadata, const char *file, attn_error *error) {
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return attn_fail(error, "%s: __metadata__ is not an object", file);
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return attn_fail(error, "%s: __metadata__ '%.120s' is not text", file, key);
    }
    return 0;
}

/* Empty tensors come before the one that starts where they are. */
static int by_position(const void *a, const void *b) {
    const attn_safetensor *s = a, *t = b;
    if (s->data != t->data)
        return s->data < t->data ? -1 : 1;
    return (s->size > 0) != (t->size > 0) ? (s->size > 0) - (t->size > 0) : strcmp(s->name, t->name);
}

static int by_name(const void *a, const void *b) {
    const attn_safetensor *const *s = a, *const *t = b;
    return strcmp((*s)->name, (*t)->name);
}

/* The ranges tile the data: sorted, each begins where the one before ends, and the last ends the file. */
static int check_tiling(const attn_safetensors *f, const unsigned char *data, size_t data_size,
                        const char *file, attn_error *error) {
    size_t covered = 0;
    for (size_t i = 0; i < f->count; i++) {
        const attn_safetensor *t = &f->tensors[i];
        size_t begin = (size_t)(t->data - data);
        if (begin != covered)
            return attn_fail(error, PLACE "its bytes begin at %zu, expected %zu (%s)", file, t->name, begin,
                             covered, begin < covered ? "overlap" : "hole");
        covered += t->size;
    }
    if (covered != data_size)
        return attn_fail(error, "%s: trailing bytes (%zu bytes of data, expected %zu)", file, data_size,
                         covered);
    return 0;
}

static int read_tensors(attn_safetensors *f, json_t *header, const unsigned char *data, size_t data_size,
                        const char *file, attn_error *error) {
    const char *name;
    json_t *entry;
    size_t most = json_object_size(header);
    f->tensors = attn_alloc(most, sizeof *f->tensors, file, error);
    f->by_name = attn_alloc(most, sizeof *f->by_name, file, error);
    if (!f->tensors || !f->by_name)
        return -1;
    json_object_foreach(header, name, entry) {
        if (!strcmp(name, "__metadata__")) {
            if (check_metadata(entry, file, error))
                return -1;
            continue;
        }
        attn_safetensor *t = &f->tensors[f->count];
        if (read_tensor(t, entry, data, data_size, &(place){file, name}, error))
            return -1;
        t->name = attn_strdup(name, error);
        if (!t->name)
            return -1;
        f->count++;
    }
    qsort(f->tensors, f->count, sizeof *f->tensors, by_position);
    for (size_t i = 0; i < f->count; i++)
        f->by_name[i] = &f->tensors[i];
    qsort(f->by_name, f->count, sizeof *f->by_name, by_name);
    return check_tiling(f, data, data_size, file, error);
}

/* A file of another kind is called by its name, where that is known. */
static json_t *refuse_kind(const unsigned char *bytes, size_t size, const char *file, const char *otherwise,
                           attn_error *error) {
    const char *kind = file_kind(bytes, size);
    if (kind)
        attn_fail(error, "%s: not a safetensors file, but %s", file, kind);
    else
        attn_fail(error, "%s: %s", file, otherwise);
    return NULL;
}

/* Checks the length field and parses the JSON after it. */
static json_t *read_header(const unsigned char *bytes, size_t size, size_t *header_size, const char *file,
                           attn_error *error) {
    uint64_t length = 0;
    char why_not[128];
    if (size < LENGTH_SIZE) {
        snprintf(why_not, sizeof why_not, "not a safetensors file (%zu bytes, expected at least %d)", size,
                 LENGTH_SIZE);
        return refuse_kind(bytes, size, file, why_not, error);
    }
    memcpy(&length, bytes, LENGTH_SIZE);
    if (length > header_limit || length > size - LENGTH_SIZE) {
        snprintf(why_not, sizeof why_not,
                 "header of %llu bytes in a file of %zu: truncated, or not a safetensors file",
                 (unsigned long long)length, size);
        return refuse_kind(bytes, size, file, why_not, error);
    }
    if (length < 2 || bytes[LENGTH_SIZE] != '{')
        return refuse_kind(bytes, size, file, "not a safetensors file (its header is not a JSON object)",
                           error);
    json_error_t why;
    json_t *header =
        json_loadb((const char *)bytes + LENGTH_SIZE, (size_t)length, JSON_REJECT_DUPLICATES, &why);
    if (!header && json_lacked_memory(&why))
        attn_no_memory(error, file);
    else if (!header)
        attn_fail(error, "%s: header is not valid JSON: %s (byte %d)", file, why.text, why.position);
    *header_size = (size_t)length;
    return header;
}

static int fill(attn_safetensors *f, const unsigned char *bytes, size_t size, const char *file,
                attn_error *error) {
    size_t header_size = 0;
    json_t *header = read_header(bytes, size, &header_size, file, error);
    if (!header)
        return -1;
    size_t start = LENGTH_SIZE + header_size;
    int result = read_tensors(f, header, bytes + start, size - start, file, error);
    json_decref(header);
    return result;
}

int attn_safetensors_parse(attn_safetensors **file, const unsigned char *bytes, size_t size, const char *name,
                           attn_error *error) {
    *file = NULL;
    attn_safetensors *f = attn_alloc(1, sizeof *f, name, error);
    if (!f || fill(f, bytes, size, name, error)) {
        attn_safetensors_close(f);
        return -1;
    }
    *file = f;
    return 0;
}

int attn_safetensors_open(attn_safetensors **file, const char *path, attn_error *error) {
    size_t size;
    *file = NULL;
    attn_safetensors *f = NULL;
    FILE *stream = attn_input_open(path, &size, error);
    if (!stream)
        return -1;
    if (!size) {
        attn_fail(error, "%s: not a safetensors file (0 bytes)", path);
        goto failed;
    }
    f = attn_alloc(1, sizeof *f, path, error);
    if (!f)
        goto failed;
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fileno(stream), 0);
    if (map == MAP_FAILED) {
        attn_fail(error, "%s: cannot be mapped: %s", path, strerror(errno));
        goto failed;
    }
    f->map = map;
    f->map_size = size;
    if (fill(f, map, size, path, error))
        goto failed;
    fclose(stream);
    *file = f;
    return 0;
failed:
    fclose(stream);
    attn_safetensors_close(f);
    return -1;
}

void attn_safetensors_close(attn_safetensors *file) {
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++)
        attn_free(file->tensors[i].name);
    attn_free(file->tensors);
    attn_free(file->by_name);
    if (file->map)
        munmap(file->map, file->map_size);
    attn_free(file);
}

size_t attn_safetensors_count(const attn_safetensors *file) {
    return file->count;
}

const attn_safetensor *attn_safetensors_at(const attn_safetensors *file, size_t index) {
    return &file->tensors[index];
}

const attn_safetensor *attn_safetensors_find(const attn_safetensors *file, const char *name) {
    attn_safetensor wanted = {.name = (char *)name};
    const attn_safetensor *key = &wanted;
    const attn_safetensor **found =
        file->count ? bsearch(&key, file->by_name, file->count, sizeof *file->by_name, by_name) : NULL;
    return found ? *found : NULL;
}
