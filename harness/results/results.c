#include "harness/results/results.h"

#include "base/text/json_list.h"
#include "harness/results/machine_list.h"
#include "harness/results/results_fields.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <math.h>
#include <string.h>

enum { SCHEMA = 1, NAME_MAX_BYTES = 255 };
static const size_t FILE_LIMIT = (size_t)1 << 30;

static int read_context(results *r, const json_t *root, const char *file, attn_error *error) {
    results_place p = {file, "", error};
    if (!json_is_object(root) || !json_is_object(json_object_get(root, "context")))
        return attn_fail(error, "%s: has no context: not a results file of attnbench sweep", file);
    r->context = json_object_get(root, "context");
    r->own = json_object_get(r->context, "attnbench");
    if (!json_is_object(r->own))
        return attn_fail(error, "%s: has no context.attnbench: not a results file of attnbench sweep", file);
    strcpy(p.where, "context.attnbench");
    const json_t *schema = json_object_get(r->own, "schema");
    if (!json_is_integer(schema) || json_integer_value(schema) != SCHEMA)
        return results_wrong(&p, "schema", schema, "1, the only one that this build reads");
    const char *text;
    const json_t *machine, *object;
    double number;
    if (results_take_text(&text, &p, r->own, "commit") || results_take_text(&text, &p, r->own, "plan") ||
        results_take_text(&text, &p, r->own, "fingerprint") ||
        results_take_number(&number, &p, r->own, "seed", true, 0) ||
        results_take_number(&number, &p, r->own, "cases", true, 0) ||
        results_take_number(&number, &p, r->own, "failed", true, 0) ||
        results_take_object(&machine, &p, r->own, "machine") ||
        results_take_object(&object, &p, r->own, "build") || results_take_object(&object, &p, r->own, "blas"))
        return -1;
    strcpy(p.where, "context.attnbench.machine");
    return results_take_text(&text, &p, machine, "cpu") || machine_list_check(r->own, file, error) ? -1 : 0;
}

/* What the entry is of: its row's name, or NULL for an aggregate. Those are computed again from the samples. */
static int entry_name(const char **name, const results_place *p, const json_t *entry) {
    const char *run_type;
    *name = NULL;
    if (!json_is_object(entry))
        return results_wrong(p, "entry", entry, "an object");
    if (results_take_text(&run_type, p, entry, "run_type"))
        return -1;
    if (!strcmp(run_type, "aggregate"))
        return 0;
    if (strcmp(run_type, "iteration"))
        return results_wrong(p, "run_type", json_object_get(entry, "run_type"), "iteration or aggregate");
    if (results_take_text(name, p, entry, "run_name"))
        return -1;
    if (!**name || strlen(*name) > NAME_MAX_BYTES)
        return results_wrong(p, "run_name", json_object_get(entry, "run_name"), "1 to 255 bytes");
    return 0;
}

/* While the file is read. */
typedef struct reading {
    results *r;
    json_t *kept;     /* entries that the results point into */
    json_t *deferred; /* entries that came before the context, which says what their machines are */
    bool times_only;
    bool context_read;
    size_t number; /* of the entry */
    const char *file;
} reading;

static int more_room(results *r, attn_error *error) {
    results_case *cases = attn_grown(r->cases, r->count, sizeof *cases, "cases", error);
    if (!cases)
        return -1;
    r->cases = cases;
    return 0;
}

/* The case that the entry belongs to, made when it is new. The index maps names to [case, kept entry]. */
static int find_case(results_case **found, reading *g, const char *name, const json_t *entry,
                     const results_place *p) {
    results *r = g->r;
    const json_t *known = json_object_get(r->index, name), *shape;
    if (results_take_object(&shape, p, entry, "case"))
        return -1;
    if (known) {
        *found = &r->cases[json_integer_value(json_array_get(known, 0))];
        const json_t *first = json_array_get(g->kept, (size_t)json_integer_value(json_array_get(known, 1)));
        if (!json_equal(json_object_get(first, "case"), shape))
            return results_wrong(p, "case", shape, "the same as in the earlier entries of that name");
        return 0;
    }
    if (json_object_set_new(r->index, name,
                            json_pack("[I, I]", (json_int_t)r->count, (json_int_t)json_array_size(g->kept))))
        return attn_no_memory(p->error, p->file);
    if (more_room(r, p->error))
        return -1;
    *found = &r->cases[r->count++];
    **found = (results_case){.name = name,
                             .label = "",
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
    return results_take_shape(*found, p, shape);
}

static int read_entry(results_case **found, reading *g, const json_t *entry, results_place *p) {
    const char *name;
    size_t machine;
    *found = NULL;
    if (entry_name(&name, p, entry))
        return -1;
    if (!name)
        return 0;
    if (find_case(found, g, name, entry, p) ||
        machine_list_read(&machine, g->r->own, entry, p->file, p->where, p->error))
        return -1;
    results_case *c = *found;
    bool is_first = !c->count && !c->error;
    if (!is_first && machine != c->machine)
        return results_wrong(p, "machine", json_object_get(entry, "machine"),
                             "that of the case's earlier entries");
    c->machine = machine;
    if (json_is_true(json_object_get(entry, "error_occurred"))) {
        c->unsupported = json_is_true(json_object_get(entry, "unsupported"));
        return results_take_text(&c->error, p, entry, "error_message");
    }
    if (is_first && json_object_get(entry, "label") && results_take_text(&c->label, p, entry, "label"))
        return -1;
    return results_add_sample(c, p, entry);
}

/* What the case points into, of an entry whose counters are not wanted. NULL: nothing of it. */
static json_t *part_of(const json_t *entry, results_case *c) {
    bool defines = c->count + (c->error != NULL) == 1;
    return defines || c->error
               ? json_pack("{sO sO sO* sO*}", "run_name", json_object_get(entry, "run_name"), "case",
                           json_object_get(entry, "case"), "error_message",
                           json_object_get(entry, "error_message"), "label", json_object_get(entry, "label"))
               : NULL;
}

/* Takes the entry. */
static int take_entry(reading *g, json_t *entry, attn_error *error) {
    results_case *c;
    results_place p = {g->file, "", error};
    snprintf(p.where, sizeof p.where, "benchmarks[%zu]", g->number++);
    int result = read_entry(&c, g, entry, &p);
    if (!result && g->times_only) {
        json_t *part = c ? part_of(entry, c) : NULL;
        json_decref(entry);
        entry = part;
    }
    if (entry && json_array_append_new(g->kept, entry))
        result = attn_no_memory(error, g->file);
    return result;
}

static int take_listed(void *context, const json_t *before, json_t *entry, attn_error *error) {
    reading *g = context;
    if (!g->context_read && !json_object_get(before, "context"))
        return json_array_append_new(g->deferred, entry) ? attn_no_memory(error, g->file) : 0;
    if (!g->context_read && read_context(g->r, before, g->file, error)) {
        json_decref(entry);
        return -1;
    }
    g->context_read = true;
    return take_entry(g, entry, error);
}

/* Of which all but deferred entries are read. */
static int take_root(reading *g, json_t *root, attn_error *error) {
    results_place p = {g->file, "", error};
    const json_t *entries = json_object_get(root, "benchmarks");
    size_t i;
    json_t *entry;
    g->r->root = root;
    int result = g->context_read ? 0 : read_context(g->r, root, g->file, error);
    if (!result && !json_is_array(entries))
        result = results_wrong(&p, "benchmarks", entries, "a list");
    json_array_foreach(g->deferred, i, entry) {
        if (!result)
            result = take_entry(g, json_incref(entry), error);
    }
    if (!result && json_object_set(root, "benchmarks", g->kept))
        result = attn_no_memory(error, g->file);
    return result;
}

static int begin(reading *g, results *r, const char *file, attn_error *error) {
    *r = (results){.index = json_object()};
    *g = (reading){.r = r, .kept = json_array(), .deferred = json_array(), .file = file};
    return r->index && g->kept && g->deferred ? 0 : attn_no_memory(error, file);
}

static int end(reading *g, int result) {
    if (result)
        results_free(g->r);
    json_decref(g->kept);
    json_decref(g->deferred);
    return result;
}

/* What who compares times has no use for: most of an entry. The second line is read by nobody. */
static const char *const counted[] = {"counters",
                                      "derived",
                                      "measured",
                                      "counters_by_part",
                                      "name",
                                      "family_index",
                                      "per_family_instance_index",
                                      "repetitions",
                                      "repetition_index",
                                      "threads",
                                      "output_hash",
                                      NULL};

static int parse(results *r, const char *text, size_t size, const char *name, bool times_only,
                 attn_error *error) {
    reading g;
    int result = begin(&g, r, name, error);
    g.times_only = times_only;
    json_t *root = result ? NULL
                          : json_read_list(text, size, name, "benchmarks", times_only ? counted : NULL,
                                           take_listed, &g, error);
    return end(&g, root ? take_root(&g, root, error) : -1);
}

int results_take(results *r, json_t *root, const char *name, attn_error *error) {
    reading g;
    const json_t *entries = json_object_get(root, "benchmarks");
    int result = begin(&g, r, name, error);
    if (!result && json_is_array(entries))
        result = json_array_extend(g.deferred, (json_t *)entries) ? attn_no_memory(error, name) : 0;
    if (!result)
        return end(&g, take_root(&g, root, error));
    json_decref(root);
    return end(&g, -1);
}

int results_parse(results *r, const char *text, size_t size, const char *name, attn_error *error) {
    return parse(r, text, size, name, false, error);
}

static int read_file(results *r, const char *path, bool times_only, attn_error *error) {
    *r = (results){0};
    size_t size;
    char *text = attn_read_file(path, FILE_LIMIT, &size, error);
    if (!text)
        return -1;
    int result = parse(r, text, size, path, times_only, error);
    attn_free(text);
    return result;
}

int results_read(results *r, const char *path, attn_error *error) {
    return read_file(r, path, false, error);
}

int results_read_times(results *r, const char *path, attn_error *error) {
    return read_file(r, path, true, error);
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
