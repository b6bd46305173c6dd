#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/safetensors.h"
#include "base/text/utf8.h"
#include "impl/io/dtype.h"

#include <jansson.h>
#include <string.h>

enum { HEADER_ALIGNMENT = 8 };

static const char *dtype_of(const attn_safetensors_entry *entry) {
    const char *own = entry->dtype_name ? entry->dtype_name : "F32";
    return entry->copy ? entry->copy->dtype_name : own;
}

static int count_bytes(const attn_safetensors_entry *entry, size_t *bytes, const char *path,
                       attn_error *error) {
    if (entry->copy) {
        *bytes = entry->copy->size;
        return 0;
    }
    if (entry->rank > ATTN_SAFETENSORS_RANK)
        return attn_fail(error, "%s: tensor '%.120s': %zu axes, expected at most %d", path, entry->name,
                         entry->rank, ATTN_SAFETENSORS_RANK);
    *bytes = dtype_find(dtype_of(entry))->bits / 8;
    for (size_t i = 0; i < entry->rank; i++)
        if (attn_multiply(bytes, *bytes, entry->dims[i]))
            return attn_fail(error, "%s: tensor '%.120s': the product of its shape overflows", path,
                             entry->name);
    return 0;
}

/* Adds the entry's row to the header; its data begin at *offset, which moves on. */
static int describe(json_t *header, const attn_safetensors_entry *entry, size_t *offset, const char *path,
                    attn_error *error) {
    size_t bytes, begin = *offset;
    if (count_bytes(entry, &bytes, path, error))
        return -1;
    if (attn_add(offset, *offset, bytes) || *offset > INT64_MAX)
        return attn_fail(error, "%s: the sum of its tensors overflows", path);
    if (!strcmp(entry->name, "__metadata__") || json_object_get(header, entry->name))
        return attn_fail(error, "%s: tensor '%.120s' is named twice, or has a reserved name", path,
                         entry->name);
    const attn_safetensor *copy = entry->copy;
    size_t rank = copy ? copy->rank : entry->rank;
    const size_t *dims = copy ? copy->dims : entry->dims;
    json_t *row = json_pack("{s:s, s:[], s:[I, I]}", "dtype", dtype_of(entry), "shape", "data_offsets",
                            (json_int_t)begin, (json_int_t)*offset);
    int bad = row == NULL;
    for (size_t i = 0; i < rank && !bad; i++)
        bad = json_array_append_new(json_object_get(row, "shape"), json_integer((json_int_t)dims[i]));
    if (bad) {
        json_decref(row);
        return attn_no_memory(error, path);
    }
    if (!utf8_is(entry->name)) {
        json_decref(row);
        return attn_fail(error, "%s: tensor '%.120s': its name is not UTF-8", path, entry->name);
    }
    if (json_object_set_new(header, entry->name, row))
        return attn_no_memory(error, path);
    return 0;
}

/* The header's JSON, padded with spaces so that the data are aligned. attn_free it. */
static char *format_header(const attn_safetensors_entry *entries, size_t count, size_t *size,
                           const char *path, attn_error *error) {
    char *text = NULL;
    size_t offset = 0;
    json_t *header = json_object();
    if (!header) {
        attn_no_memory(error, path);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (describe(header, &entries[i], &offset, path, error))
            goto done;
    size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT);
    if (!length) {
        attn_no_memory(error, path);
        goto done;
    }
    *size = (length + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    text = attn_alloc(*size, 1, path, error);
    if (!text)
        goto done;
    memset(text, ' ', *size);
    if (json_dumpb(header, text, length, JSON_COMPACT) != length) {
        attn_no_memory(error, path);
        attn_free(text);
        text = NULL;
    }
done:
    json_decref(header);
    return text;
}

static void print(FILE *stream, const char *header, size_t size, const attn_safetensors_entry *entries,
                  size_t count) {
    uint64_t length = size;
    fwrite(&length, sizeof length, 1, stream);
    fwrite(header, 1, size, stream);
    for (size_t i = 0; i < count; i++) {
        size_t bytes;
        if (!count_bytes(&entries[i], &bytes, "", NULL) && bytes)
            fwrite(entries[i].copy ? entries[i].copy->data : entries[i].data, 1, bytes, stream);
    }
}

int attn_safetensors_print(FILE *stream, const char *name, const attn_safetensors_entry *entries,
                           size_t count, attn_error *error) {
    size_t size = 0;
    char *header = format_header(entries, count, &size, name, error);
    if (!header)
        return -1;
    print(stream, header, size, entries, count);
    attn_free(header);
    return 0;
}

int attn_safetensors_write(const char *path, const attn_safetensors_entry *entries, size_t count,
                           attn_error *error) {
    size_t size = 0;
    char *header = format_header(entries, count, &size, path, error);
    if (!header)
        return -1;
    attn_output output;
    int result = attn_output_open(&output, path, error);
    if (!result)
        print(output.stream, header, size, entries, count);
    attn_free(header);
    return result ? -1 : attn_output_commit(&output, error);
}
