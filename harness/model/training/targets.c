#include "harness/model/training/targets.h"

#include "attn/alloc.h"
#include "base/text/json.h"

enum { MOST_BYTES = 1 << 28 };

static int check_list(const json_t *list, const char *path, size_t utterance, size_t vocab_size,
                      attn_error *error) {
    if (!json_is_array(list))
        return attn_fail(error, "%s: utterance %zu: expected a list of token numbers", path, utterance);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *token = json_array_get(list, i);
        if (!json_is_integer(token))
            return attn_fail(error, "%s: utterance %zu, token %zu: expected a whole number", path, utterance,
                             i);
        json_int_t value = json_integer_value(token);
        if (value < 1 || value >= (json_int_t)vocab_size)
            return attn_fail(error,
                             "%s: utterance %zu, token %zu: found %lld, expected 1 to %zu (vocab_size less "
                             "one; 0 is the blank)",
                             path, utterance, i, (long long)value, vocab_size - 1);
    }
    return 0;
}

static int check_all(const json_t *root, const char *path, size_t utterances, size_t vocab_size,
                     size_t *labels, attn_error *error) {
    if (!json_is_array(root))
        return attn_fail(error, "%s: expected a list of lists of token numbers, one an utterance", path);
    if (json_array_size(root) != utterances)
        return attn_fail(error, "%s: found %zu lists, expected one for each of %zu utterances", path,
                         json_array_size(root), utterances);
    *labels = 0;
    for (size_t u = 0; u < utterances; u++) {
        if (check_list(json_array_get(root, u), path, u, vocab_size, error))
            return -1;
        *labels += json_array_size(json_array_get(root, u));
    }
    return 0;
}

static int take(targets *t, const json_t *root, size_t utterances, size_t labels, attn_error *error) {
    t->labels = attn_alloc(labels, sizeof *t->labels, "token numbers", error);
    t->counts = attn_alloc(utterances, sizeof *t->counts, "counts of tokens", error);
    if (!t->labels || !t->counts)
        return -1;
    size_t used = 0;
    for (size_t u = 0; u < utterances; u++) {
        const json_t *list = json_array_get(root, u);
        t->counts[u] = json_array_size(list);
        for (size_t i = 0; i < t->counts[u]; i++)
            t->labels[used++] = (int32_t)json_integer_value(json_array_get(list, i));
    }
    t->count = utterances;
    return 0;
}

int targets_read(targets *t, const char *path, size_t utterances, size_t vocab_size, attn_error *error) {
    size_t labels = 0;
    *t = (targets){0};
    json_t *root = json_read_file(path, MOST_BYTES, error);
    int result = root ? check_all(root, path, utterances, vocab_size, &labels, error) : -1;
    if (!result)
        result = take(t, root, utterances, labels, error);
    json_decref(root);
    return result;
}

void targets_free(targets *t) {
    attn_free(t->labels);
    attn_free(t->counts);
    *t = (targets){0};
}
