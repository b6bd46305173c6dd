#include "reports/data/tradeoff.h"

#include "base/text/json.h"

#include "attn/alloc.h"
#include "harness/conversion/tradeoff.h"

#include <math.h>
#include <string.h>

static const size_t FILE_LIMIT = (size_t)16 << 20;

/* ---- Reading ---- */

static int wrong(const char *name, size_t row, const char *key, const char *expected, attn_error *error) {
    return attn_fail(error, "%s: point %zu: %s: expected %s", name, row, key, expected);
}

static int check_row(const json_t *row, size_t i, const char *name, attn_error *error) {
    static const char *const texts[] = {"subject", "method", "inputs"};
    static const char *const sizes[] = {"latent_dim", "d_model", "frames", "cache_bytes", "cache_bytes_mha"};
    static const char *const errors[] = {"output_error", "weights_error", "weights_bound"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        if (!json_is_string(json_object_get(row, texts[k])))
            return wrong(name, i, texts[k], "text", error);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        if (json_integer_value(json_object_get(row, sizes[k])) < 1)
            return wrong(name, i, sizes[k], "a whole number, at least 1", error);
    for (size_t k = 0; k < sizeof errors / sizeof *errors; k++) {
        const json_t *value = json_object_get(row, errors[k]);
        if (!json_is_null(value) && !(json_is_number(value) && json_number_value(value) >= 0.0))
            return wrong(name, i, errors[k], "a number that is not negative, or null", error);
    }
    if (!json_is_boolean(json_object_get(row, "held_out")))
        return wrong(name, i, "held_out", "true or false", error);
    return 0;
}

static const char *subject_of(const tradeoff *t) {
    return json_string_value(json_object_get(json_array_get(t->points.rows, 0), "subject"));
}

void tradeoff_name(char name[24], size_t index) {
    snprintf(name, 24, "tradeoff_%zu", index + 1);
}

static tradeoff *find_subject(tradeoffs *t, const char *subject) {
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(subject_of(&t->of[i]), subject))
            return &t->of[i];
    if (t->count == TRADEOFFS_MAX)
        return NULL;
    tradeoff *made = &t->of[t->count++];
    *made = (tradeoff){0};
    tradeoff_name(made->name, t->count - 1);
    table_init(&made->points, NULL, tradeoff_columns + 1); /* the subject is the title */
    return made;
}

int tradeoffs_add(tradeoffs *t, const json_t *rows, const char *name, attn_error *error) {
    size_t i;
    json_t *row;
    if (!json_array_size(rows))
        return attn_fail(error, "%s: found no points, expected a list of them from analyze --sweep", name);
    json_array_foreach(rows, i, row) {
        if (check_row(row, i, name, error))
            return -1;
        tradeoff *of = find_subject(t, json_string_value(json_object_get(row, "subject")));
        if (!of)
            return attn_fail(error, "%s: point %zu: more than %d subjects", name, i, TRADEOFFS_MAX);
        table_add(&of->points, json_incref(row));
        if (!of->points.rows)
            return attn_no_memory(error, name);
        of->points.title = subject_of(of);
    }
    return 0;
}

int tradeoffs_read(tradeoffs *t, const char *path, attn_error *error) {
    json_t *rows = json_read_file(path, FILE_LIMIT, error);
    int result = rows ? tradeoffs_add(t, rows, path, error) : -1;
    json_decref(rows);
    return result;
}

void tradeoffs_free(tradeoffs *t) {
    for (size_t i = 0; i < t->count; i++) {
        table_free(&t->of[i].points);
        attn_free(t->of[i].svg);
    }
    *t = (tradeoffs){0};
}

/* ---- The finding ---- */

static const json_t *point_at_width(const tradeoff *t, const char *method) {
    size_t i;
    json_t *row;
    json_array_foreach(t->points.rows, i, row) {
        if (!strcmp(json_string_value(json_object_get(row, "method")), method) &&
            json_number(row, "latent_dim") == json_number(row, "d_model"))
            return row;
    }
    return NULL;
}

void tradeoff_title(char *text, size_t size, const tradeoff *t) {
    static const double good = 0.05;
    const json_t *best = NULL;
    size_t i;
    json_t *row;
    json_array_foreach(t->points.rows, i, row) {
        if (json_number(row, "output_error") <= good &&
            (!best || json_number(row, "cache_bytes") < json_number(best, "cache_bytes")))
            best = row;
    }
    if (best)
        snprintf(text, size, "Within %.0f%% of the output down to %.3g%% of MHA's cache (%s)", 100 * good,
                 100 * json_number(best, "cache_bytes") / json_number(best, "cache_bytes_mha"),
                 json_text(best, "method"));
    else
        snprintf(text, size, "No latent tried keeps the output within %.0f%%", 100 * good);
}

char *tradeoff_finding(const tradeoff *t, attn_error *error) {
    enum { EXACT = 5 }; /* the error below 10^-EXACT is float32's rounding */
    const json_t *joint = point_at_width(t, "joint"), *average = point_at_width(t, "average");
    if (!joint || !average)
        return attn_format(error, "%s: not measured at latent_dim = d_model.", subject_of(t));
    double exact = json_number(joint, "output_error"), published = json_number(average, "output_error");
    return attn_format(
        error,
        "%s: at latent_dim = d_model = %.0f, half of MHA's cache, joint's output is off by %.2g "
        "(%s) and the paper's average of two compressors by %.2g. Caching the layer's input "
        "costs the same and is exact by definition.",
        subject_of(t), json_number(joint, "d_model"), exact,
        exact <= pow(10, -EXACT) ? "float32 rounding: exact" : "NOT exact", published);
}
