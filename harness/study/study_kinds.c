#include "harness/study/study_kinds.h"

#include "attn/alloc.h"
#include "base/text/append.h"
#include "harness/model/training/training_request.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 1 << 16 };

typedef struct builder {
    study_plan *plan;
    const study_model *model;
    yaml_file *file;
    yaml_node_t *entry;
    attn_error *error;
} builder;

static bool is_from_mha(study_origin origin) {
    return origin != STUDY_SCRATCH && origin != STUDY_WITHOUT_ATTENTION;
}
static bool is_conversion(study_origin origin) {
    return origin == STUDY_CONVERTED || origin == STUDY_FINE_TUNED || origin == STUDY_PROGRESSIVE;
}

static size_t find(const study_plan *p, const char *name) {
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->kinds[i].name, name))
            return i;
    return STUDY_NONE;
}

static size_t size_of(const study_kind *k) {
    return k->config.variant->has_latent     ? k->config.attention.latent_dim
           : k->config.variant->has_kv_heads ? k->config.attention.num_kv_heads
                                             : 0;
}

static void name_kind(study_kind *k, bool says_epochs, bool says_rate) {
    snprintf(k->shape, sizeof k->shape, "%s-%s", k->model, k->config.variant->name);
    if (size_of(k))
        text_append(k->shape, sizeof k->shape, "-%zu", size_of(k));
    snprintf(k->name, sizeof k->name, "%s-%s", k->shape, study_origin_names[k->origin]);
    if (k->method != ATTN_CONVERT_ACTIVATION && is_conversion(k->origin))
        text_append(k->name, sizeof k->name, "-%s", attn_convert_method_names[k->method]);
    if (says_epochs)
        text_append(k->name, sizeof k->name, "-e%zu", k->epochs);
    if (says_rate)
        text_append(k->name, sizeof k->name, "-lr%.15g", k->learning_rate);
}

/* Takes *k; one that is there already is dropped. */
static int add(builder *b, study_kind *k, size_t *index) {
    study_plan *p = b->plan;
    *index = find(p, k->name);
    if (*index != STUDY_NONE) {
        attn_free(k->yaml);
        return 0;
    }
    study_kind *grown = attn_realloc(p->kinds, p->count + 1, sizeof *grown, "kinds of runs", b->error);
    if (!grown) {
        attn_free(k->yaml);
        return -1;
    }
    p->kinds = grown;
    grown[p->count] = *k;
    *index = p->count++;
    return 0;
}

static int add_base(builder *b, size_t *index) {
    const study_attention plain = {.type = "mha", .type_line = yaml_line(b->entry)};
    study_kind k = {.origin = STUDY_SCRATCH, .base = STUDY_NONE, .method = ATTN_CONVERT_ACTIVATION};
    if (study_model_config(&k.yaml, &k.config, b->model, &plain, b->file, b->error))
        return -1;
    snprintf(k.model, sizeof k.model, "%s", b->model->name);
    k.epochs = training_epochs(&k.config);
    name_kind(&k, false, false);
    return add(b, &k, index);
}

/* ---- Keys of an entry ---- */

static yaml_node_t *value_of(const builder *b, const char *key) {
    return yaml_find(b->file, b->entry, key);
}

static int read_schedule(const builder *b, study_kind *k) {
    yaml_node_t *list = value_of(b, "latent_schedule");
    if (!list)
        return yaml_fail(b->file, b->entry, "latent_schedule", b->error, "missing: progressive needs it");
    if (yaml_count(list) > STUDY_LIST || yaml_count(list) < 2)
        return yaml_fail(b->file, list, "latent_schedule", b->error, "expected 2 to %d falling numbers",
                         STUDY_LIST);
    for (size_t i = 0; i < yaml_count(list); i++) {
        uint64_t value;
        const yaml_node_t *node = yaml_item(b->file, list, i);
        if (yaml_integer(b->file, node, "latent_schedule", 1, WIDTH, &value, b->error))
            return -1;
        if (i && value >= k->schedule[i - 1])
            return yaml_fail(b->file, node, "latent_schedule", b->error,
                             "found %zu after %zu, expected falling numbers", (size_t)value,
                             k->schedule[i - 1]);
        k->schedule[k->steps++] = (size_t)value;
    }
    return 0;
}

static int read_training(const builder *b, study_kind *k) {
    const yaml_node_t *epochs = value_of(b, "epochs"), *rate = value_of(b, "learning_rate"),
                      *method = value_of(b, "method");
    bool trains = k->origin != STUDY_CONVERTED && k->origin != STUDY_NO_ATTENTION;
    uint64_t n = trains ? b->plan->tune_epochs : 0;
    k->learning_rate = b->plan->tune_learning_rate;
    k->method = ATTN_CONVERT_ACTIVATION;
    if (!trains)
        epochs = NULL; /* of the others in the list */
    if ((epochs && yaml_integer(b->file, epochs, "epochs", 1, 1 << 20, &n, b->error)) ||
        (rate && yaml_number(b->file, rate, "learning_rate", 1e-9, 1000, &k->learning_rate, b->error)))
        return -1;
    k->epochs = (size_t)n;
    const char *text = method ? yaml_text(b->file, method, "method", b->error) : NULL;
    for (size_t i = 0; text && attn_convert_method_names[i]; i++)
        if (!strcmp(text, attn_convert_method_names[i])) {
            k->method = (attn_convert_method)i;
            return 0;
        }
    return !method ? 0
           : text  ? yaml_fail(b->file, method, "method", b->error, "found \"%.40s\", no such method", text)
                   : -1;
}

static int check_conversion(const builder *b, const study_kind *k) {
    const attn_convert_options options = {
        .target = {.variant = k->config.variant,
                   .method = k->method,
                   .latent_dim = k->config.variant->has_latent ? k->config.attention.latent_dim : 0,
                   .num_kv_heads = k->config.variant->has_kv_heads ? k->config.attention.num_kv_heads : 0}};
    attn_error inner = {0};
    const attn_config *base = &b->plan->kinds[k->base].config;
    if (k->steps && k->schedule[0] > base->attention.d_model)
        return yaml_fail(b->file, value_of(b, "latent_schedule"), "latent_schedule", b->error,
                         "%zu is above d_model %zu", k->schedule[0], base->attention.d_model);
    if (attn_convert_options_check(&options, base, &inner))
        return yaml_fail(b->file, b->entry, "runs", b->error, "%s", inner.message);
    return 0;
}

/* ---- Combinations ---- */

static int add_kind(builder *b, study_origin origin, const study_attention *a) {
    study_kind k = {.origin = origin, .base = STUDY_NONE};
    study_attention with = *a;
    size_t index;
    with.none = !study_attends(&k);
    if (is_from_mha(origin) && add_base(b, &k.base))
        return -1;
    if (origin == STUDY_PROGRESSIVE) {
        if (read_schedule(b, &k))
            return -1;
        with.latent_dim = k.schedule[k.steps - 1];
        with.size_line = yaml_line(value_of(b, "latent_schedule"));
    }
    if (study_model_config(&k.yaml, &k.config, b->model, &with, b->file, b->error))
        return -1;
    snprintf(k.model, sizeof k.model, "%s", b->model->name);
    k.epochs = training_epochs(&k.config);
    if ((is_from_mha(origin) && read_training(b, &k)) || (is_conversion(origin) && check_conversion(b, &k))) {
        attn_free(k.yaml);
        return -1;
    }
    name_kind(&k, is_from_mha(origin) && k.epochs && k.epochs != b->plan->tune_epochs,
              study_has_own_rate(b->plan, &k));
    return add(b, &k, &index);
}

/* One kind for each size that the type takes; without a list its own default. */
static int add_sizes(builder *b, study_origin origin, study_attention *a, const yaml_node_t *type) {
    const attn_variant *variant = attn_variant_find(a->type);
    if (!variant)
        return yaml_fail(b->file, type, "attention_type", b->error, "found \"%.40s\", no such type", a->type);
    bool plain = !variant->has_latent && !variant->has_kv_heads;
    if (is_conversion(origin) && plain)
        return yaml_fail(b->file, type, "attention_type", b->error,
                         "mha becomes mla_simple, mla or gqa only, not %s", a->type);
    if (!is_conversion(origin) && origin != STUDY_SCRATCH && strcmp(a->type, "mha"))
        return yaml_fail(b->file, type, "attention_type", b->error, "%s is of mha only",
                         study_origin_names[origin]);
    if (origin == STUDY_PROGRESSIVE && !variant->has_latent)
        return yaml_fail(b->file, type, "attention_type", b->error, "progressive is of types with a latent");
    const char *key = variant->has_latent ? "latent_dim" : "num_kv_heads";
    yaml_node_t *list = plain || origin == STUDY_PROGRESSIVE ? NULL : value_of(b, key);
    if (!list && is_conversion(origin) && origin != STUDY_PROGRESSIVE)
        return yaml_fail(b->file, b->entry, key, b->error, "missing: a conversion needs it");
    if (!list)
        return add_kind(b, origin, a);
    for (size_t i = 0; i < yaml_count(list); i++) {
        uint64_t size;
        const yaml_node_t *node = yaml_item(b->file, list, i);
        study_attention with = *a;
        if (yaml_integer(b->file, node, key, 1, WIDTH, &size, b->error))
            return -1;
        with.latent_dim = variant->has_latent ? (size_t)size : 0;
        with.num_kv_heads = variant->has_latent ? 0 : (size_t)size;
        with.size_line = yaml_line(node);
        if (add_kind(b, origin, &with))
            return -1;
    }
    return 0;
}

static int add_types(builder *b, study_origin origin) {
    yaml_node_t *types = value_of(b, "attention_type");
    study_attention a = {.type = "mha", .type_line = yaml_line(b->entry)};
    if (!types && is_conversion(origin))
        return yaml_fail(b->file, b->entry, "attention_type", b->error, "missing: %s needs it",
                         study_origin_names[origin]);
    if (!types)
        return add_sizes(b, origin, &a, b->entry);
    for (size_t i = 0; i < yaml_count(types); i++) {
        const yaml_node_t *node = yaml_item(b->file, types, i);
        a.type = yaml_text(b->file, node, "attention_type", b->error);
        a.type_line = yaml_line(node);
        if (!a.type || add_sizes(b, origin, &a, node))
            return -1;
    }
    return 0;
}

static int find_origin(const builder *b, const yaml_node_t *node, study_origin *origin) {
    char known[160] = "";
    const char *text = yaml_text(b->file, node, "origin", b->error);
    for (size_t i = 0; text && study_origin_names[i]; i++) {
        text_list(known, sizeof known, ", ", "%s", study_origin_names[i]);
        if (!strcmp(text, study_origin_names[i])) {
            *origin = (study_origin)i;
            return 0;
        }
    }
    return text ? yaml_fail(b->file, node, "origin", b->error, "found \"%.40s\", expected one of %s", text,
                            known)
                : -1;
}

int study_kinds_add(study_plan *p, const study_model *m, yaml_file *file, yaml_node_t *entry,
                    attn_error *error) {
    static const char *const known[] = {"origin",       "attention_type",  "latent_dim",
                                        "num_kv_heads", "latent_schedule", "method",
                                        "epochs",       "learning_rate",   NULL};
    builder b = {p, m, file, entry, error};
    if (entry->type != YAML_MAPPING_NODE)
        return yaml_fail(file, entry, "runs", error, "expected a list of keys with their values");
    if (yaml_check_keys(file, entry, known, error))
        return -1;
    yaml_node_t *origins = yaml_find(file, entry, "origin");
    if (!origins || !yaml_count(origins))
        return yaml_fail(file, entry, "origin", error, "missing");
    for (size_t i = 0; i < yaml_count(origins); i++) {
        study_origin origin = STUDY_SCRATCH;
        if (find_origin(&b, yaml_item(file, origins, i), &origin) || add_types(&b, origin))
            return -1;
    }
    return 0;
}
