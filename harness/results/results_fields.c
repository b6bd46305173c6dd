#include "harness/results/results_fields.h"

#include "base/text/json.h"
#include "bench/field.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 31, NAME_MAX_BYTES = 255 };
static const double SIZE_LIMIT = 9007199254740992.0; /* whole numbers that a double holds */

int results_wrong(const results_place *p, const char *key, const json_t *found, const char *expected) {
    char *text = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    attn_fail(p->error, "%s: %s%s%s: found %.60s, expected %s", p->file, p->where, *p->where ? "." : "", key,
              text ? text : "nothing", expected);
    json_free_text(text);
    return -1;
}

int results_take_text(const char **to, const results_place *p, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return results_wrong(p, key, value, "text");
    *to = json_string_value(value);
    return 0;
}

/* Letters, digits and _ . + - only: safe in names of files, plots and series. "" where the key is absent. */
static int read_word(const char **to, const results_place *p, const json_t *object, const char *key,
                     bool needed) {
    const json_t *value = json_object_get(object, key);
    *to = "";
    if (!value && !needed)
        return 0;
    const char *word = json_string_value(value);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
    if (!word || !*word || strlen(word) > WORD_MAX || word[strspn(word, allowed)])
        return results_wrong(p, key, value, "one word of letters, digits, _ . + -");
    *to = word;
    return 0;
}

int results_take_number(double *to, const results_place *p, const json_t *object, const char *key,
                        bool needed, double lowest) {
    const json_t *value = json_object_get(object, key);
    *to = NAN;
    if (!value && !needed)
        return 0;
    double number = json_number_value(value);
    if (!json_is_number(value) || !isfinite(number) || number < lowest)
        return results_wrong(p, key, value, lowest > 0 ? "a number above 0" : "a number from 0");
    *to = number;
    return 0;
}

static int read_least(size_t *to, const results_place *p, const json_t *object, const char *key, bool needed,
                      json_int_t least) {
    const json_t *value = json_object_get(object, key);
    *to = 0;
    if (!value && !needed)
        return 0;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < least || (double)number > SIZE_LIMIT)
        return results_wrong(p, key, value, least ? "a whole number from 1" : "a whole number from 0");
    *to = (size_t)number;
    return 0;
}

int results_take_object(const json_t **to, const results_place *p, const json_t *object, const char *key) {
    *to = json_object_get(object, key);
    return json_is_object(*to) ? 0 : results_wrong(p, key, *to, "an object");
}

/* Where a field lands in results_case. */
static const size_t members[BENCH_FIELDS] = {
#define NUMBER(id, member, ...) offsetof(results_case, member),
#define CHOICE(id, member, ...) offsetof(results_case, member),
#include "bench/fields.inc"
};

/* Needed is what every case of its kind and mode has in its results, unless it is left out at its default. */
static int read_field(results_case *c, const results_place *p, const json_t *shape, bench_where where,
                      size_t i) {
    const bench_field *field = &bench_fields[i];
    const bool has = field->results & (unsigned)where, quiet = field->unnamed & (unsigned)where,
               needed = has && !quiet && field->needs == BENCH_NEEDS_NOTHING,
               left_out = has && quiet && !json_object_get(shape, field->key);
    char *at = (char *)c + members[i];
    if (field->words) {
        const char *word = "";
        if (read_word(&word, p, shape, field->key, needed))
            return -1;
        if (left_out)
            word = field->words[field->fallback];
        memcpy(at, &word, sizeof word);
        return 0;
    }
    size_t number;
    if (read_least(&number, p, shape, field->key, needed, (json_int_t)field->least))
        return -1;
    if (left_out)
        number = field->fallback;
    memcpy(at, &number, sizeof number);
    return 0;
}

bool results_is_model(const results_case *c) {
    return !strcmp(c->kind, "attention") || !strcmp(c->kind, "encoder");
}

int results_take_shape(results_case *c, const results_place *entry, const json_t *shape) {
    results_place p = *entry;
    strncat(p.where, ".case", sizeof p.where - strlen(p.where) - 1);
    if (read_word(&c->kind, &p, shape, "kind", true))
        return -1;
    bool machine = !results_is_model(c), encoder = !strcmp(c->kind, "encoder");
    if (machine && strcmp(c->kind, "machine") && strcmp(c->kind, "kernel"))
        return results_wrong(&p, "kind", json_object_get(shape, "kind"),
                             "attention, encoder, machine or kernel");
    if (read_word(&c->type, &p, shape, "type", !machine) ||
        read_word(&c->mode, &p, shape, "mode", !machine) ||
        read_word(&c->model, &p, shape, "model", encoder) ||
        read_word(&c->what, &p, shape, "what", machine) ||
        read_word(&c->path_run, &p, shape, "path_run", false))
        return -1;
    bench_where where = bench_where_find(c->kind, machine ? c->what : c->mode);
    if (!machine && !where)
        return results_wrong(&p, "mode", json_object_get(shape, "mode"), "prefill, chunk or decode");
    for (size_t i = 0; i < BENCH_FIELDS; i++)
        if (read_field(c, &p, shape, where, i))
            return -1;
    if (encoder) /* one utterance, without a field for it */
        c->B = 1;
    return 0;
}

static int read_costs(results_case *c, const results_place *p, const json_t *entry) {
    bool encoder = !strcmp(c->kind, "encoder"), model = encoder || !strcmp(c->kind, "attention");
    if (c->count) /* the first repetition has them */
        return 0;
    if (results_take_number(&c->flops, p, entry, "flops", model, 0) ||
        results_take_number(&c->bytes, p, entry, "bytes", model, 0) ||
        results_take_number(&c->steps, p, entry, "steps", false, 0) ||
        results_take_number(&c->kv_bytes_formula, p, entry, "kv_bytes_formula", model, 0) ||
        results_take_number(&c->kv_bytes_live, p, entry, "kv_bytes_live", model, 0) ||
        results_take_number(&c->conv_bytes_formula, p, entry, "conv_bytes_formula", encoder, 0) ||
        results_take_number(&c->conv_bytes_live, p, entry, "conv_bytes_live", encoder, 0) ||
        results_take_number(&c->audio_seconds, p, entry, "audio_seconds", encoder, 1e-12) ||
        results_take_number(&c->parameters, p, entry, "parameters", encoder, 1) ||
        results_take_number(&c->peak_bytes, p, entry, "peak_bytes", false, 0))
        return -1;
    if (c->kv_bytes_formula > SIZE_LIMIT || c->kv_bytes_live > SIZE_LIMIT ||
        c->conv_bytes_formula > SIZE_LIMIT || c->conv_bytes_live > SIZE_LIMIT || c->peak_bytes > SIZE_LIMIT)
        return results_wrong(p, "kv_bytes", json_object_get(entry, "kv_bytes_live"), "less than 2^53 bytes");
    const json_t *check = json_object_get(entry, "check");
    c->max_error = c->limit = NAN;
    if (!check || json_is_null(check))
        return 0;
    if (!json_is_object(check))
        return results_wrong(p, "check", check, "an object");
    return results_take_number(&c->max_error, p, check, "max_error", false, 0) ||
                   results_take_number(&c->limit, p, check, "limit", false, 0)
               ? -1
               : 0;
}

/* How a counter was validated: absent, or a verdict's name, and the factor of a scaled one. */
static int read_validation(const results_place *p, const json_t *counter) {
    const json_t *found = json_object_get(counter, "validation"),
                 *factor = json_object_get(counter, "factor");
    const char *word = json_string_value(found);
    if (found && (!word || (strcmp(word, "trusted") && strcmp(word, "scaled") && strcmp(word, "unchecked") &&
                            strcmp(word, "rejected"))))
        return results_wrong(p, "validation", found, "trusted, scaled, unchecked or rejected");
    if (factor && !(json_is_number(factor) && json_number_value(factor) > 0))
        return results_wrong(p, "factor", factor, "a number above 0");
    return 0;
}

/* A list of what was counted, or why not: "counters", "derived", "measured". */
static int read_counted(const json_t **to, const results_place *entry, const json_t *from, const char *key) {
    const json_t *list = json_object_get(from, key);
    if (!list || json_is_null(list))
        return 0;
    if (!json_is_object(list))
        return results_wrong(entry, key, list, "an object");
    results_place p = *entry;
    size_t used = strlen(p.where);
    snprintf(p.where + used, sizeof p.where - used, ".%s", key);
    const char *name;
    json_t *counter;
    json_object_foreach((json_t *)list, name, counter) {
        if (!*name || strlen(name) > NAME_MAX_BYTES || strpbrk(name, "|,\"<>&\\\n\r"))
            return results_wrong(&p, "name", counter, "a counter's name without | , \" < > & \\");
        bool value = json_is_number(json_object_get(counter, "value")) &&
                     json_is_string(json_object_get(counter, "source"));
        if (!value && !json_is_string(json_object_get(counter, "unavailable")))
            return results_wrong(&p, name, counter, "a source and a value, or why it is unavailable");
        if (read_validation(&p, counter))
            return -1;
    }
    *to = list;
    return 0;
}

/* Of a layer only its attention has parts. */
static int read_parts(results_sample *s, const results_place *entry, const json_t *from, bool encoder) {
    const json_t *parts = json_object_get(from, "parts");
    for (size_t i = 0; i < BENCH_PARTS; i++)
        s->parts[i] = NAN;
    if (!parts)
        return 0;
    if (!json_is_object(parts))
        return results_wrong(entry, "parts", parts, "an object");
    results_place p = *entry;
    strncat(p.where, ".parts", sizeof p.where - strlen(p.where) - 1);
    for (int i = 0; i < BENCH_PARTS; i++)
        if (results_take_number(&s->parts[i], &p, parts, bench_part_name(i), encoder && i < ATTN_PARTS, 0))
            return -1;
    return 0;
}

static int read_by_part(results_sample *s, const results_place *entry, const json_t *from) {
    const json_t *parts = json_object_get(from, "counters_by_part");
    if (parts && !json_is_object(parts))
        return results_wrong(entry, "counters_by_part", parts, "an object");
    results_place p = *entry;
    strncat(p.where, ".counters_by_part", sizeof p.where - strlen(p.where) - 1);
    for (int i = 0; i < BENCH_PARTS; i++)
        if (read_counted(&s->by_part[i], &p, parts, bench_part_name(i)))
            return -1;
    return 0;
}

static int read_sample(results_sample *s, const results_place *p, const json_t *entry, bool encoder) {
    const json_t *disturbed = json_object_get(entry, "disturbed");
    const char *unit;
    if (results_take_text(&unit, p, entry, "time_unit"))
        return -1;
    if (strcmp(unit, "ns"))
        return results_wrong(p, "time_unit", json_object_get(entry, "time_unit"), "\"ns\"");
    if (disturbed && !json_is_boolean(disturbed))
        return results_wrong(p, "disturbed", disturbed, "true or false");
    s->disturbed = json_is_true(disturbed);
    if (read_least(&s->process, p, entry, "process", false, 1))
        return -1;
    if (!s->process)
        s->process = 1;
    if (results_take_number(&s->real_time, p, entry, "real_time", true, 1e-12) ||
        results_take_number(&s->cpu_time, p, entry, "cpu_time", true, 1e-12) ||
        results_take_number(&s->iterations, p, entry, "iterations", true, 1))
        return -1;
    return read_parts(s, p, entry, encoder) || read_counted(&s->counters, p, entry, "counters") ||
                   read_counted(&s->derived, p, entry, "derived") ||
                   read_counted(&s->measured, p, entry, "measured") || read_by_part(s, p, entry)
               ? -1
               : 0;
}

int results_add_sample(results_case *c, const results_place *p, const json_t *entry) {
    if (!(c->count & (c->count - 1))) { /* room for as many again at each power of two */
        size_t room = c->count ? 2 * c->count : 1;
        results_sample *samples = attn_realloc(c->samples, room, sizeof *samples, "samples", p->error);
        if (!samples)
            return -1;
        c->samples = samples;
    }
    c->samples[c->count] = (results_sample){0};
    if (read_costs(c, p, entry) || read_sample(&c->samples[c->count], p, entry, !strcmp(c->kind, "encoder")))
        return -1;
    c->count++;
    return 0;
}
