#include "harness/plan/plan_sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The axes of a cross product, slowest first. */
enum {
    MODEL,
    TYPE,
    MODE,
    POS,
    KV,
    BATCH,
    INPUT,
    LAYERS,
    WIDTH,
    HEADS,
    KV_HEADS,
    LATENT,
    KERNEL,
    MERGE,
    KEYS,
    LEFT,
    QUERIES,
    PATH,
    IMPL,
    AXES
};

static const struct {
    const char *key; /* in the plan, as in model configurations */
    const char *row; /* in the row; NULL: a word of its own */
    bool is_number;
    uint64_t least;
} axes[AXES] = {
    [MODEL] = {"model_type", NULL, false, 0},
    [TYPE] = {"attention_type", NULL, false, 0},
    [MODE] = {"mode", NULL, false, 0},
    [POS] = {"pos_enc", "pos", false, 0},
    [KV] = {"kv_dtype", "kv", false, 0},
    [BATCH] = {"batch", "B", true, 1},
    [INPUT] = {"input_layer", "input", false, 0},
    [LAYERS] = {"num_layers", "layers", true, 1},
    [WIDTH] = {"d_model", "d", true, 1},
    [HEADS] = {"num_heads", "h", true, 1},
    [KV_HEADS] = {"num_kv_heads", "hkv", true, 1},
    [LATENT] = {"latent_dim", "dc", true, 1},
    [KERNEL] = {"conv_kernel_size", "k", true, 1},
    [MERGE] = {"merge_method", "merge", false, 0},
    [KEYS] = {"seq_len", "L", true, 1}, /* of encoders: T */
    [LEFT] = {"left_chunks", "left", true, 0},
    [QUERIES] = {"queries", "q", true, 1},
    [PATH] = {"path", "path", false, 0},
    [IMPL] = {"impl", "impl", false, 0},
};

typedef struct sweep {
    plan *plan;
    json_t *seen;
    yaml_file *file;
    yaml_node_t *node;
    yaml_node_t *list[AXES];  /* NULL: the row's default */
    const char *chosen[AXES]; /* of the combination at hand; NULL: the row's default */
    const attn_variant *variant;
    size_t tried, made;
    attn_error *error;
} sweep;

static bool is_encoder(const sweep *s) {
    return s->chosen[MODEL] && strcmp(s->chosen[MODEL], attn_model_type_names[ATTN_MODEL_ATTENTION]);
}

/* The axes that the combination's model, type and mode take; others are left out, and the row comes up once.
 */
static bool applies(const sweep *s, int axis) {
    switch (axis) {
    case KV_HEADS:
        return s->variant->has_kv_heads;
    case LATENT:
    case PATH:
        return s->variant->has_latent;
    case QUERIES:
        return !strcmp(s->chosen[MODE], "chunk");
    case KEYS:
        return !is_encoder(s) || !strcmp(s->chosen[MODE], "prefill");
    case LEFT:
        return is_encoder(s) && strcmp(s->chosen[MODE], "prefill");
    case MERGE:
        return is_encoder(s) && !strcmp(s->chosen[MODEL], attn_model_type_names[ATTN_MODEL_BRANCHFORMER]);
    case KERNEL:
    case LAYERS:
    case INPUT:
        return is_encoder(s);
    case KV:
    case BATCH:
        return !is_encoder(s);
    default:
        return true;
    }
}

static unsigned long number(const sweep *s, int axis, unsigned long fallback) {
    return s->chosen[axis] ? strtoul(s->chosen[axis], NULL, 10) : fallback;
}

/* Writes why the combination cannot be, or "". Whatever else may be wrong with it is an error. */
static void impossible(const sweep *s, char *why, size_t size) {
    unsigned long heads = number(s, HEADS, 0), kv = number(s, KV_HEADS, 0), width = number(s, WIDTH, 0),
                  queries = number(s, QUERIES, 0), keys = number(s, KEYS, 0);
    why[0] = '\0';
    if (heads && width && width % heads)
        snprintf(why, size, "num_heads %lu does not divide d_model %lu", heads, width);
    else if (kv && heads && heads % kv)
        snprintf(why, size, "num_kv_heads %lu does not divide num_heads %lu", kv, heads);
    else if (keys && queries > keys)
        snprintf(why, size, "queries %lu are more than seq_len %lu", queries, keys);
    else if (s->chosen[POS] && !strncmp(s->chosen[POS], "rel_pos", 7) && !s->variant->is_softmax)
        snprintf(why, size, "%s has no %s", s->variant->name, s->chosen[POS]);
}

static int add_combination(sweep *s) {
    char row[BENCH_NAME_MAX * 2], why[120];
    if (s->tried++ == 4 * PLAN_ROWS_MAX)
        return yaml_fail(s->file, s->node, "sweeps", s->error, "more than %d combinations",
                         4 * PLAN_ROWS_MAX);
    impossible(s, why, sizeof why);
    if (!s->chosen[KEYS] && applies(s, KEYS))
        return yaml_fail(s->file, s->node, axes[KEYS].key, s->error, "missing");
    if (why[0]) {
        if (!s->plan->skipped++)
            snprintf(s->plan->note, sizeof s->plan->note, "%s", why);
        return 0;
    }
    int used = is_encoder(s) ? snprintf(row, sizeof row, "encoder/%s/%s/%s", s->chosen[MODEL],
                                        s->chosen[TYPE], s->chosen[MODE])
                             : snprintf(row, sizeof row, "attention/%s/%s", s->chosen[TYPE], s->chosen[MODE]);
    for (int i = 0; i < AXES && used < (int)sizeof row; i++)
        if (axes[i].row && s->chosen[i])
            used += snprintf(row + used, sizeof row - (size_t)used, "/%s:%s",
                             i == KEYS && is_encoder(s) ? "T" : axes[i].row, s->chosen[i]);
    attn_error inner = {0};
    s->made++;
    if (used >= (int)sizeof row || plan_add_row(s->plan, s->seen, row, &inner))
        return yaml_fail(s->file, s->node, "sweeps", s->error, "%s",
                         inner.message[0] ? inner.message : "a row is too long");
    return 0;
}

static int expand(sweep *s, int axis);

static int expand_value(sweep *s, int axis, const yaml_node_t *node) {
    s->chosen[axis] = (const char *)node->data.scalar.value;
    if (axis == TYPE && !(s->variant = attn_variant_find(s->chosen[axis]))) {
        char known[128] = "";
        for (size_t i = 0; attn_variants[i]; i++) {
            size_t used = strlen(known);
            snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", attn_variants[i]->name);
        }
        return yaml_fail(s->file, node, axes[axis].key, s->error, "found \"%.40s\", expected one of %s",
                         s->chosen[axis], known);
    }
    return expand(s, axis + 1);
}

static int expand(sweep *s, int axis) {
    if (axis == AXES)
        return add_combination(s);
    s->chosen[axis] = NULL;
    if (!s->list[axis] || !applies(s, axis))
        return expand(s, axis + 1);
    for (size_t i = 0; i < yaml_count(s->list[axis]); i++)
        if (expand_value(s, axis, yaml_item(s->file, s->list[axis], i)))
            return -1;
    return 0;
}

/* Values go into a row of text, so they may not bring its punctuation along. */
static int check_value(const sweep *s, int axis, const yaml_node_t *node) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    const char *key = axes[axis].key;
    uint64_t value;
    if (axes[axis].is_number)
        return yaml_integer(s->file, node, key, axes[axis].least, 1 << 24, &value, s->error);
    const char *text = yaml_text(s->file, node, key, s->error);
    if (text && (!*text || strlen(text) > 31 || text[strspn(text, allowed)]))
        return yaml_fail(s->file, node, key, s->error, "found \"%.40s\", expected a word", text);
    return text ? 0 : -1;
}

static int check_axis(sweep *s, int axis) {
    s->list[axis] = yaml_find(s->file, s->node, axes[axis].key);
    if (!s->list[axis]) {
        if (axis == TYPE || axis == MODE)
            return yaml_fail(s->file, s->node, axes[axis].key, s->error, "missing");
        return 0;
    }
    if (!yaml_count(s->list[axis]))
        return yaml_fail(s->file, s->list[axis], axes[axis].key, s->error, "an empty list");
    for (size_t i = 0; i < yaml_count(s->list[axis]); i++)
        if (check_value(s, axis, yaml_item(s->file, s->list[axis], i)))
            return -1;
    return 0;
}

int plan_add_sweep(plan *p, json_t *seen, yaml_file *file, yaml_node_t *node, attn_error *error) {
    sweep s = {.plan = p, .seen = seen, .file = file, .node = node, .error = error};
    const char *known[AXES + 2] = {"about"};
    for (int i = 0; i < AXES; i++)
        known[i + 1] = axes[i].key;
    if (node->type != YAML_MAPPING_NODE)
        return yaml_fail(file, node, "sweeps", error, "expected a list of keys with their values");
    if (yaml_check_keys(file, node, known, error))
        return -1;
    for (int i = 0; i < AXES; i++)
        if (check_axis(&s, i))
            return -1;
    if (expand(&s, 0))
        return -1;
    if (!s.made)
        return yaml_fail(file, node, "sweeps", error, "no combination is possible: %s", p->note);
    return 0;
}
