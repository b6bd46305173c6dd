#include "harness/plan/plan_sweep.h"

#include "bench/field.h"
#include "impl/attention/variant_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The axes of a cross product, slowest first: three words of the row, then the fields by their rank. */
enum { MODEL, TYPE, MODE, WORDS };
static const char *const word_keys[WORDS] = {"model_type", "attention_type", "mode"};

typedef struct axis {
    const char *key;          /* in the plan, as in model configurations; NULL: no more axes */
    const bench_field *field; /* NULL: a word */
    yaml_node_t *list;        /* NULL: the row's default */
    const char *chosen;       /* in the combination at hand; NULL: the row's default */
} axis;

typedef struct sweep {
    plan *plan;
    json_t *seen;
    yaml_file *file;
    yaml_node_t *node;
    axis axes[WORDS + BENCH_FIELDS + 1];
    bench_case kind; /* where, variant and model of the combination at hand */
    size_t tried, made;
    uint64_t rounds; /* of its rows; 0: the plan's */
    attn_error *error;
} sweep;

static int by_rank(const void *a, const void *b) {
    const axis *x = a, *y = b;
    if (x->field->rank != y->field->rank)
        return x->field->rank < y->field->rank ? -1 : 1;
    return (x->field > y->field) - (x->field < y->field);
}

static void make_axes(axis axes[WORDS + BENCH_FIELDS + 1]) {
    size_t count = WORDS;
    for (size_t i = 0; i < WORDS; i++)
        axes[i].key = word_keys[i];
    for (size_t i = 0; i < BENCH_FIELDS; i++)
        if (bench_fields[i].plan)
            axes[count++] = (axis){.key = bench_fields[i].plan, .field = &bench_fields[i]};
    qsort(axes + WORDS, count - WORDS, sizeof *axes, by_rank);
}

/* Other axes are left out of the combination, and the row comes up once. */
static bool applies(const sweep *s, const axis *a) {
    return !a->field || bench_field_applies(a->field, a->field->rows & a->field->planned, &s->kind);
}

/* The axis of the field, among the chosen ones. */
static const char *chosen(const sweep *s, int field) {
    for (const axis *a = s->axes + WORDS; a->key; a++)
        if (a->field == &bench_fields[field])
            return a->chosen;
    return NULL;
}

static unsigned long number(const sweep *s, int field) {
    const char *text = chosen(s, field);
    return text ? strtoul(text, NULL, 10) : 0;
}

/* Writes why the combination cannot be, or "". All other faults of it are errors. */
static void impossible(const sweep *s, char *why, size_t size) {
    unsigned long heads = number(s, BENCH_FIELD_H), kv_heads = number(s, BENCH_FIELD_HKV),
                  width = number(s, BENCH_FIELD_D), queries = number(s, BENCH_FIELD_Q),
                  keys = number(s, BENCH_FIELD_L);
    const char *pos = chosen(s, BENCH_FIELD_POS), *kv = chosen(s, BENCH_FIELD_KV),
               *named = chosen(s, BENCH_FIELD_IMPL);
    const attn_impl *impl = named ? attn_impl_find(s->kind.variant, named) : NULL;
    why[0] = '\0';
    if (heads && width && width % heads)
        snprintf(why, size, "num_heads %lu does not divide d_model %lu", heads, width);
    else if (kv_heads && heads && heads % kv_heads)
        snprintf(why, size, "num_kv_heads %lu does not divide num_heads %lu", kv_heads, heads);
    else if (keys && queries > keys)
        snprintf(why, size, "queries %lu are more than seq_len %lu", queries, keys);
    else if (pos && !strncmp(pos, "rel_pos", 7) && !s->kind.variant->is_softmax)
        snprintf(why, size, "%s has no %s", s->kind.variant->name, pos);
    else if (kv && strcmp(kv, attn_kv_dtype_names[0]) != 0 && !s->kind.variant->is_softmax)
        snprintf(why, size, "%s keeps its state in %s", s->kind.variant->name, attn_kv_dtype_names[0]);
    else if (kv && strcmp(kv, attn_kv_dtype_names[0]) != 0 && impl && impl->f32_only)
        snprintf(why, size, "%s reads caches in %s only", impl->name, attn_kv_dtype_names[0]);
}

static bool is_encoder(const sweep *s) {
    const char *model = s->axes[MODEL].chosen;
    return model && strcmp(model, attn_model_type_names[ATTN_MODEL_ATTENTION]);
}

static int write_row(const sweep *s, char *row, size_t size) {
    const axis *words = s->axes;
    int used = is_encoder(s) ? snprintf(row, size, "encoder/%s/%s/%s", words[MODEL].chosen,
                                        words[TYPE].chosen, words[MODE].chosen)
                             : snprintf(row, size, "attention/%s/%s", words[TYPE].chosen, words[MODE].chosen);
    for (const axis *a = s->axes + WORDS; a->key && (size_t)used < size; a++)
        if (a->chosen)
            used += snprintf(row + used, size - (size_t)used, "/%s:%s", a->field->key, a->chosen);
    return (size_t)used < size ? 0 : -1;
}

static int add_combination(sweep *s) {
    char row[BENCH_NAME_MAX * 2], why[120];
    if (s->tried++ == 4 * PLAN_ROWS_MAX)
        return yaml_fail(s->file, s->node, "sweeps", s->error, "more than %d combinations",
                         4 * PLAN_ROWS_MAX);
    impossible(s, why, sizeof why);
    for (const axis *a = s->axes + WORDS; a->key; a++)
        if (a->field->required && !a->chosen && applies(s, a))
            return yaml_fail(s->file, s->node, a->key, s->error, "missing");
    if (why[0]) {
        if (!s->plan->skipped++)
            snprintf(s->plan->note, sizeof s->plan->note, "%s", why);
        return 0;
    }
    attn_error inner = {0};
    s->made++;
    if (write_row(s, row, sizeof row) || plan_add_row(s->plan, s->seen, row, s->rounds, &inner))
        return yaml_fail(s->file, s->node, "sweeps", s->error, "%s",
                         inner.message[0] ? inner.message : "a row is too long");
    return 0;
}

static int expand(sweep *s, axis *a);

static int find_variant(sweep *s, const axis *a, const yaml_node_t *node) {
    char known[ATTN_VARIANT_NAMES_TEXT];
    s->kind.variant = attn_variant_find(a->chosen);
    if (s->kind.variant)
        return 0;
    attn_variant_names_text(known, ATTN_TAKES_ANYTHING, ", ");
    return yaml_fail(s->file, node, a->key, s->error, "found \"%.40s\", expected one of %s", a->chosen,
                     known);
}

/* What axes depend on. That there is such a model is found out with the row. */
static int settle_kind(sweep *s, const axis *mode, const yaml_node_t *node) {
    const char *kind = is_encoder(s) ? "encoder" : "attention";
    char known[128];
    s->kind.where = bench_where_find(kind, mode->chosen);
    s->kind.model =
        is_encoder(s) && !strcmp(s->axes[MODEL].chosen, attn_model_type_names[ATTN_MODEL_BRANCHFORMER])
            ? ATTN_MODEL_BRANCHFORMER
            : ATTN_MODEL_CONFORMER;
    if (s->kind.where)
        return 0;
    bench_where_modes(known, sizeof known, kind);
    return yaml_fail(s->file, node, mode->key, s->error, "found \"%.40s\", expected one of %s", mode->chosen,
                     known);
}

static int expand_value(sweep *s, axis *a, const yaml_node_t *node) {
    a->chosen = (const char *)node->data.scalar.value;
    if (a == &s->axes[TYPE] && find_variant(s, a, node))
        return -1;
    if (a == &s->axes[MODE] && settle_kind(s, a, node))
        return -1;
    return expand(s, a + 1);
}

static int expand(sweep *s, axis *a) {
    if (!a->key)
        return add_combination(s);
    a->chosen = NULL;
    if (!a->list || !applies(s, a))
        return expand(s, a + 1);
    for (size_t i = 0; i < yaml_count(a->list); i++)
        if (expand_value(s, a, yaml_item(s->file, a->list, i)))
            return -1;
    return 0;
}

/* Values go into a row of text, so they may not bring its punctuation along. */
static int check_value(const sweep *s, const axis *a, const yaml_node_t *node) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    uint64_t value;
    if (a->field && !a->field->words)
        return yaml_integer(s->file, node, a->key, a->field->least, 1 << 24, &value, s->error);
    const char *text = yaml_text(s->file, node, a->key, s->error);
    if (text && (!*text || strlen(text) > 31 || text[strspn(text, allowed)]))
        return yaml_fail(s->file, node, a->key, s->error, "found \"%.40s\", expected a word", text);
    return text ? 0 : -1;
}

static int read_axis(sweep *s, axis *a) {
    a->list = yaml_find(s->file, s->node, a->key);
    if (!a->list) {
        bool needed = a == &s->axes[TYPE] || a == &s->axes[MODE];
        return needed ? yaml_fail(s->file, s->node, a->key, s->error, "missing") : 0;
    }
    if (!yaml_count(a->list))
        return yaml_fail(s->file, a->list, a->key, s->error, "an empty list");
    for (size_t i = 0; i < yaml_count(a->list); i++)
        if (check_value(s, a, yaml_item(s->file, a->list, i)))
            return -1;
    return 0;
}

int plan_add_sweep(plan *p, json_t *seen, yaml_file *file, yaml_node_t *node, attn_error *error) {
    sweep s = {.plan = p, .seen = seen, .file = file, .node = node, .error = error};
    const char *known[WORDS + BENCH_FIELDS + 3] = {"about", "rounds"};
    make_axes(s.axes);
    for (size_t i = 0, count = 2; s.axes[i].key; i++)
        if (strcmp(known[count - 1], s.axes[i].key)) /* seq_len is that of two fields */
            known[count++] = s.axes[i].key;
    if (node->type != YAML_MAPPING_NODE)
        return yaml_fail(file, node, "sweeps", error, "expected a list of keys with their values");
    if (yaml_check_keys(file, node, known, error))
        return -1;
    const yaml_node_t *rounds = yaml_find(file, node, "rounds");
    if (rounds && yaml_integer(file, rounds, "rounds", 1, 10000, &s.rounds, error))
        return -1;
    for (axis *a = s.axes; a->key; a++)
        if (read_axis(&s, a))
            return -1;
    if (expand(&s, s.axes))
        return -1;
    if (!s.made)
        return yaml_fail(file, node, "sweeps", error, "no combination is possible: %s", p->note);
    return 0;
}
