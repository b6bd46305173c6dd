#include "base/text/json.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <math.h>
#include <string.h>

/* jansson has no words for memory that is refused before it begins. */
bool json_lacked_memory(const json_error_t *why) {
    return json_error_code(why) == json_error_out_of_memory || !*why->text;
}

/* "PATH:LINE: not JSON: why", or that memory is refused. Always -1. */
static int not_read(attn_error *error, const char *path, const json_error_t *why) {
    if (json_lacked_memory(why))
        return attn_no_memory(error, path);
    return attn_fail(error, "%s:%d: not JSON: %s", path, why->line, why->text);
}

json_t *json_read_file(const char *path, size_t most, attn_error *error) {
    size_t size;
    json_error_t why;
    char *text = attn_read_file(path, most, &size, error);
    json_t *value = text ? json_loadb(text, size, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (text && !value)
        not_read(error, path, &why);
    attn_free(text);
    return value;
}

const char *json_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

bool json_text_is(const json_t *object, const char *key, const char *text) {
    return !strcmp(json_text(object, key), text);
}

double json_number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

void json_free_text(char *text) {
    json_malloc_t allocate;
    json_free_t release;
    json_get_alloc_funcs(&allocate, &release);
    if (text)
        release(text);
}

const json_t *json_at(const json_t *object, const char *path) {
    const json_t *value = object;
    while (*path) {
        size_t length = strcspn(path, ".");
        value = json_object_getn(value, path, length);
        path += length + (path[length] == '.');
    }
    return value;
}

json_t *json_finite(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_reals(const double *values, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i]) && json_array_append_new(list, json_real(values[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

int json_not_made(attn_error *error, const char *what, const char *text) {
    return attn_fail_as(error, ATTN_ERROR_MEMORY, "%s%sout of memory, or %s that is not UTF-8",
                        what ? what : "", what ? ": " : "", text);
}
