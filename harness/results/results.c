#include "harness/results/results.h"

#include "bench/field.h"
#include "harness/results/machine_list.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <math.h>
#include <string.h>

enum { SCHEMA = 1, WORD_MAX = 31, NAME_MAX_BYTES = 255 };
static const size_t FILE_LIMIT = (size_t)1 << 30;
static const double SIZE_LIMIT = 9007199254740992.0; /* whole numbers that a double holds */

/* Where the reader is, for messages: FILE: PLACE.KEY. */
typedef struct place {
    const char *file;
    char where[64];
    attn_error *error;
} place;

static int wrong(const place *p, const char *key, const json_t *found, const char *expected) {
    char *text = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    attn_fail(p->error, "%s: %s%s%s: found %.60s, expected %s", p->file, p->where, *p->where ? "." : "", key,
              text ? text : "nothing", expected);
    json_malloc_t allocate;
    json_free_t release;
    json_get_alloc_funcs(&allocate, &release);
    release(text);
    return -1;
}

static int read_text(const char **to, const place *p, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return wrong(p, key, value, "text");
    *to = json_string_value(value);
    return 0;
}

/* Letters, digits and _ . + - only: safe in names of files, plots and series. "" where the key is absent. */
static int read_word(const char **to, const place *p, const json_t *object, const char *key, bool needed) {
    const json_t *value = json_object_get(object, key);
    *to = "";
    if (!value && !needed)
        return 0;
    const char *word = json_string_value(value);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
    if (!word || !*word || strlen(word) > WORD_MAX || word[strspn(word, allowed)])
        return wrong(p, key, value, "one word of letters, digits, _ . + -");
    *to = word;
    return 0;
}

static int read_number(double *to, const place *p, const json_t *object, const char *key, bool needed,
                       double lowest) {
    const json_t *value = json_object_get(object, key);
    *to = NAN;
    if (!value && !needed)
        return 0;
    double number = json_number_value(value);
    if (!json_is_number(value) || !isfinite(number) || number < lowest)
        return wrong(p, key, value, lowest > 0 ? "a number above 0" : "a number from 0");
    *to = number;
    return 0;
}

static int read_least(size_t *to, const place *p, const json_t *object, const char *key, bool needed,
                      json_int_t least) {
    const json_t *value = json_object_get(object, key);
    *to = 0;
    if (!value && !needed)
        return 0;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < least || (double)number > SIZE_LIMIT)
        return wrong(p, key, value, least ? "a whole number from 1" : "a whole number from 0");
    *to = (size_t)number;
    return 0;
}

static int need_object(const place *p, const json_t *object, const char *key, const json_t **to) {
    *to = json_object_get(object, key);
    return json_is_object(*to) ? 0 : wrong(p, key, *to, "an object");
}

static int read_context(results *r, const char *file, attn_error *error) {
    place p = {file, "", error};
    if (!json_is_object(r->root) || !json_is_object(json_object_get(r->root, "context")))
        return attn_fail(error, "%s: has no context: not a results file of attnbench sweep", file);
    r->context = json_object_get(r->root, "context");
    r->own = json_object_get(r->context, "attnbench");
    if (!json_is_object(r->own))
        return attn_fail(error, "%s: has no context.attnbench: not a results file of attnbench sweep", file);
    strcpy(p.where, "context.attnbench");
    const json_t *schema = json_object_get(r->own, "schema");
    if (!json_is_integer(schema) || json_integer_value(schema) != SCHEMA)
        return wrong(&p, "schema", schema, "1, the only one that this build reads");
    const char *text;
    const json_t *machine, *object;
    double number;
    if (read_text(&text, &p, r->own, "commit") || read_text(&text, &p, r->own, "plan") ||
        read_text(&text, &p, r->own, "fingerprint") || read_number(&number, &p, r->own, "seed", true, 0) ||
        read_number(&number, &p, r->own, "cases", true, 0) ||
        read_number(&number, &p, r->own, "failed", true, 0) || need_object(&p, r->own, "machine", &machine) ||
        need_object(&p, r->own, "build", &object) || need_object(&p, r->own, "blas", &object))
        return -1;
    strcpy(p.where, "context.attnbench.machine");
    return read_text(&text, &p, machine, "cpu") || machine_list_check(r->own, file, error) ? -1 : 0;
}

/* Where a field lands in results_case. */
static const size_t members[BENCH_FIELDS] = {
#define NUMBER(id, member, ...) offsetof(results_case, member),
#define CHOICE(id, member, ...) offsetof(results_case, member),
#include "bench/fields.inc"
};

/* Needed is what every case of its kind and mode has in its results, unless it is left out at its default. */
static int read_field(results_case *c, const place *p, const json_t *shape, bench_where where, size_t i) {
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

static int read_shape(results_case *c, const place *entry, const json_t *shape) {
    place p = *entry;
    strncat(p.where, ".case", sizeof p.where - strlen(p.where) - 1);
    if (read_word(&c->kind, &p, shape, "kind", true))
        return -1;
    bool machine = !results_is_model(c), encoder = !strcmp(c->kind, "encoder");
    if (machine && strcmp(c->kind, "machine") && strcmp(c->kind, "kernel"))
        return wrong(&p, "kind", json_object_get(shape, "kind"), "attention, encoder, machine or kernel");
    if (read_word(&c->type, &p, shape, "type", !machine) ||
        read_word(&c->mode, &p, shape, "mode", !machine) ||
        read_word(&c->model, &p, shape, "model", encoder) ||
        read_word(&c->what, &p, shape, "what", machine) ||
        read_word(&c->path_run, &p, shape, "path_run", false))
        return -1;
    bench_where where = bench_where_find(c->kind, machine ? c->what : c->mode);
    if (!machine && !where)
        return wrong(&p, "mode", json_object_get(shape, "mode"), "prefill, chunk or decode");
    for (size_t i = 0; i < BENCH_FIELDS; i++)
        if (read_field(c, &p, shape, where, i))
            return -1;
    if (encoder) /* one utterance, without a field for it */
        c->B = 1;
    return 0;
}

static int read_costs(results_case *c, const place *p, const json_t *entry) {
    bool encoder = !strcmp(c->kind, "encoder"), model = encoder || !strcmp(c->kind, "attention");
    if (c->count) /* the first repetition has them */
        return 0;
    if (read_number(&c->flops, p, entry, "flops", model, 0) ||
        read_number(&c->bytes, p, entry, "bytes", model, 0) ||
        read_number(&c->steps, p, entry, "steps", false, 0) ||
        read_number(&c->kv_bytes_formula, p, entry, "kv_bytes_formula", model, 0) ||
        read_number(&c->kv_bytes_live, p, entry, "kv_bytes_live", model, 0) ||
        read_number(&c->conv_bytes_formula, p, entry, "conv_bytes_formula", encoder, 0) ||
        read_number(&c->conv_bytes_live, p, entry, "conv_bytes_live", encoder, 0) ||
        read_number(&c->audio_seconds, p, entry, "audio_seconds", encoder, 1e-12) ||
        read_number(&c->parameters, p, entry, "parameters", encoder, 1) ||
        read_number(&c->peak_bytes, p, entry, "peak_bytes", false, 0))
        return -1;
    if (c->kv_bytes_formula > SIZE_LIMIT || c->kv_bytes_live > SIZE_LIMIT ||
        c->conv_bytes_formula > SIZE_LIMIT || c->conv_bytes_live > SIZE_LIMIT || c->peak_bytes > SIZE_LIMIT)
        return wrong(p, "kv_bytes", json_object_get(entry, "kv_bytes_live"), "less than 2^53 bytes");
    const json_t *check = json_object_get(entry, "check");
    c->max_error = c->limit = NAN;
    if (!check || json_is_null(check))
        return 0;
    if (!json_is_object(check))
        return wrong(p, "check", check, "an object");
    return read_number(&c->max_error, p, check, "max_error", false, 0) ||
                   read_number(&c->limit, p, check, "limit", false, 0)
               ? -1
               : 0;
}

/* How a counter was validated: absent, or one of three words, and the factor of a scaled one. */
static int read_validation(const place *p, const json_t *counter) {
    const json_t *found = json_object_get(counter, "validation"),
                 *factor = json_object_get(counter, "factor");
    const char *word = json_string_value(found);
    if (found && (!word || (strcmp(word, "trusted") && strcmp(word, "scaled") && strcmp(word, "unchecked") &&
                            strcmp(word, "rejected"))))
        return wrong(p, "validation", found, "trusted, scaled, unchecked or rejected");
    if (factor && !(json_is_number(factor) && json_number_value(factor) > 0))
        return wrong(p, "factor", factor, "a number above 0");
    return 0;
}

/* A list of what was counted, or why not: "counters", "derived", "measured". */
static int read_counted(const json_t **to, const place *entry, const json_t *from, const char *key) {
    const json_t *list = json_object_get(from, key);
    if (!list || json_is_null(list))
        return 0;
    if (!json_is_object(list))
        return wrong(entry, key, list, "an object");
    place p = *entry;
    size_t used = strlen(p.where);
    snprintf(p.where + used, sizeof p.where - used, ".%s", key);
    const char *name;
    json_t *counter;
    json_object_foreach((json_t *)list, name, counter) {
        if (!*name || strlen(name) > NAME_MAX_BYTES || strpbrk(name, "|,\"<>&\\\n\r"))
            return wrong(&p, "name", counter, "a counter's name without | , \" < > & \\");
        bool value = json_is_number(json_object_get(counter, "value")) &&
                     json_is_string(json_object_get(counter, "source"));
        if (!value && !json_is_string(json_object_get(counter, "unavailable")))
            return wrong(&p, name, counter, "a source and a value, or why it is unavailable");
        if (read_validation(&p, counter))
            return -1;
    }
    *to = list;
    return 0;
}

static int read_parts(results_sample *s, const place *entry, const json_t *from) {
    const json_t *parts = json_object_get(from, "parts");
    for (size_t i = 0; i < ATTN_PARTS; i++)
        s->parts[i] = NAN;
    if (!parts)
        return 0;
    if (!json_is_object(parts))
        return wrong(entry, "parts", parts, "an object");
    place p = *entry;
    strncat(p.where, ".parts", sizeof p.where - strlen(p.where) - 1);
    for (size_t i = 0; i < ATTN_PARTS; i++)
        if (read_number(&s->parts[i], &p, parts, attn_part_names[i], true, 0))
            return -1;
    return 0;
}

static int read_by_part(results_sample *s, const place *entry, const json_t *from) {
    const json_t *parts = json_object_get(from, "counters_by_part");
    if (parts && !json_is_object(parts))
        return wrong(entry, "counters_by_part", parts, "an object");
    place p = *entry;
    strncat(p.where, ".counters_by_part", sizeof p.where - strlen(p.where) - 1);
    for (size_t i = 0; i < ATTN_PARTS; i++)
        if (read_counted(&s->by_part[i], &p, parts, attn_part_names[i]))
            return -1;
    return 0;
}

static int read_sample(results_sample *s, const place *p, const json_t *entry) {
    const json_t *disturbed = json_object_get(entry, "disturbed");
    const char *unit;
    if (read_text(&unit, p, entry, "time_unit"))
        return -1;
    if (strcmp(unit, "ns"))
        return wrong(p, "time_unit", json_object_get(entry, "time_unit"), "\"ns\"");
    if (disturbed && !json_is_boolean(disturbed))
        return wrong(p, "disturbed", disturbed, "true or false");
    s->disturbed = json_is_true(disturbed);
    if (read_number(&s->real_time, p, entry, "real_time", true, 1e-12) ||
        read_number(&s->cpu_time, p, entry, "cpu_time", true, 1e-12) ||
        read_number(&s->iterations, p, entry, "iterations", true, 1))
        return -1;
    return read_parts(s, p, entry) || read_counted(&s->counters, p, entry, "counters") ||
                   read_counted(&s->derived, p, entry, "derived") ||
                   read_counted(&s->measured, p, entry, "measured") || read_by_part(s, p, entry)
               ? -1
               : 0;
}

/* What the entry is of: its row's name, or NULL for an aggregate. Those are computed again from the samples. */
static int entry_name(const char **name, const place *p, const json_t *entry) {
    const char *run_type;
    *name = NULL;
    if (!json_is_object(entry))
        return wrong(p, "entry", entry, "an object");
    if (read_text(&run_type, p, entry, "run_type"))
        return -1;
    if (!strcmp(run_type, "aggregate"))
        return 0;
    if (strcmp(run_type, "iteration"))
        return wrong(p, "run_type", json_object_get(entry, "run_type"), "iteration or aggregate");
    if (read_text(name, p, entry, "run_name"))
        return -1;
    if (!**name || strlen(*name) > NAME_MAX_BYTES)
        return wrong(p, "run_name", json_object_get(entry, "run_name"), "1 to 255 bytes");
    return 0;
}

/* The case that the entry belongs to, made when it is new. `index` maps names to [case, defining entry]. */
static int find_case(results_case **found, results *r, json_t *index, const char *name, size_t number,
                     const place *p) {
    const json_t *known = json_object_get(index, name), *entries = json_object_get(r->root, "benchmarks");
    const json_t *shape;
    if (need_object(p, json_array_get(entries, number), "case", &shape))
        return -1;
    if (known) {
        *found = &r->cases[json_integer_value(json_array_get(known, 0))];
        const json_t *first = json_array_get(entries, (size_t)json_integer_value(json_array_get(known, 1)));
        if (!json_equal(json_object_get(first, "case"), shape))
            return wrong(p, "case", shape, "the same as in the earlier entries of that name");
        return 0;
    }
    if (json_object_set_new(index, name, json_pack("[I, I]", (json_int_t)r->count, (json_int_t)number)))
        return attn_no_memory(p->error, p->file);
    *found = &r->cases[r->count++];
    **found = (results_case){.name = name,
                             .flops = NAN,
                             .bytes = NAN,
                             .kv_bytes_formula = NAN,
                             .kv_bytes_live = NAN,
                             .peak_bytes = NAN,
                             .conv_bytes_formula = NAN,
                             .conv_bytes_live = NAN,
                             .audio_seconds = NAN,
                             .parameters = NAN,
                             .max_error = NAN,
                             .limit = NAN};
    return read_shape(*found, p, shape);
}

static int add_sample(results_case *c, const place *p, const json_t *entry) {
    if (!(c->count & (c->count - 1))) { /* room for as many again at each power of two */
        size_t room = c->count ? 2 * c->count : 1;
        results_sample *samples = attn_realloc(c->samples, room, sizeof *samples, "samples", p->error);
        if (!samples)
            return -1;
        c->samples = samples;
    }
    c->samples[c->count] = (results_sample){0};
    if (read_costs(c, p, entry) || read_sample(&c->samples[c->count], p, entry))
        return -1;
    c->count++;
    return 0;
}

static int read_entry(results *r, json_t *index, size_t number, const json_t *entry, place *p) {
    const char *name;
    results_case *c = NULL;
    size_t machine;
    snprintf(p->where, sizeof p->where, "benchmarks[%zu]", number);
    if (entry_name(&name, p, entry))
        return -1;
    if (!name)
        return 0;
    if (find_case(&c, r, index, name, number, p) ||
        machine_list_read(&machine, r->own, entry, p->file, p->where, p->error))
        return -1;
    bool is_first = !c->count && !c->error;
    if (!is_first && machine != c->machine)
        return wrong(p, "machine", json_object_get(entry, "machine"), "that of the case's earlier entries");
    c->machine = machine;
    if (json_is_true(json_object_get(entry, "error_occurred"))) {
        c->unsupported = json_is_true(json_object_get(entry, "unsupported"));
        return read_text(&c->error, p, entry, "error_message");
    }
    return add_sample(c, p, entry);
}

static int read_entries(results *r, const char *file, attn_error *error) {
    const json_t *entries = json_object_get(r->root, "benchmarks");
    place p = {file, "", error};
    if (!json_is_array(entries))
        return wrong(&p, "benchmarks", entries, "a list");
    r->cases = attn_alloc(json_array_size(entries) + 1, sizeof *r->cases, "cases", error);
    json_t *index = json_object();
    int result = r->cases && index ? 0 : attn_no_memory(error, file);
    for (size_t i = 0; !result && i < json_array_size(entries); i++)
        result = read_entry(r, index, i, json_array_get(entries, i), &p);
    r->index = index;
    return result;
}

int results_parse(results *r, const char *text, size_t size, const char *name, attn_error *error) {
    *r = (results){0};
    json_error_t why;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return attn_fail(error, "%s:%d: not JSON, or cut short: %s", name, why.line, why.text);
    return results_take(r, root, name, error);
}

int results_take(results *r, json_t *root, const char *name, attn_error *error) {
    *r = (results){.root = root};
    if (!read_context(r, name, error) && !read_entries(r, name, error))
        return 0;
    results_free(r);
    return -1;
}

int results_read(results *r, const char *path, attn_error *error) {
    *r = (results){0};
    size_t size;
    char *text = attn_read_file(path, FILE_LIMIT, &size, error);
    if (!text)
        return -1;
    int result = results_parse(r, text, size, path, error);
    attn_free(text);
    return result;
}

void results_free(results *r) {
    for (size_t i = 0; i < r->count; i++)
        attn_free(r->cases[i].samples);
    attn_free(r->cases);
    json_decref(r->index);
    json_decref(r->root);
    *r = (results){0};
}

const results_case *results_find(const results *r, const char *name) {
    const json_t *known = json_object_get(r->index, name);
    return known ? &r->cases[json_integer_value(json_array_get(known, 0))] : NULL;
}

const char *results_text(const results *r, const char *path, const char *missing) {
    const json_t *value = r->own;
    while (*path) {
        size_t length = strcspn(path, ".");
        value = json_object_getn(value, path, length);
        path += length + (path[length] == '.');
    }
    const char *text = json_string_value(value);
    return text ? text : missing;
}
