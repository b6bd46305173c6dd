#include "harness/study/study_models.h"

#include "attn/alloc.h"
#include "attn/train.h"

#include <stdlib.h>
#include <string.h>

enum { CHOICES_MAX = 256 };

/* ---- A configuration on one YAML map whose lines are the plan's, so that messages of its reader fit ---- */

typedef struct page {
    FILE *out;
    size_t line;
} page;

static void go_to(page *p, size_t line) {
    for (; p->line < line; p->line++)
        putc('\n', p->out);
}

static void put_scalar(page *p, const yaml_node_t *node) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
    const char *text = (const char *)node->data.scalar.value;
    if (*text && !text[strspn(text, plain)]) {
        fputs(text, p->out);
        return;
    }
    putc('\'', p->out);
    for (; *text; text++)
        fputs(*text == '\'' ? "''" : (char[2]){*text, '\0'}, p->out);
    putc('\'', p->out);
}

static void put_value(page *p, yaml_file *file, const yaml_node_t *node);

static void put_pair(page *p, yaml_file *file, const yaml_node_pair_t *pair, const yaml_node_t *value) {
    const yaml_node_t *key = yaml_key(file, pair);
    go_to(p, yaml_line(key));
    put_scalar(p, key);
    fputs(": ", p->out);
    put_value(p, file, value);
    fputs(", ", p->out);
}

static void put_value(page *p, yaml_file *file, const yaml_node_t *node) {
    if (node->type == YAML_SCALAR_NODE) {
        put_scalar(p, node);
        return;
    }
    bool list = node->type == YAML_SEQUENCE_NODE;
    putc(list ? '[' : '{', p->out);
    if (list)
        for (const yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
             i++) {
            put_value(p, file, yaml_document_get_node(&file->document, *i));
            fputs(", ", p->out);
        }
    else
        for (const yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top;
             i++)
            put_pair(p, file, i, yaml_value(file, i));
    putc(list ? ']' : '}', p->out);
}

/* ---- Combinations of an entry's lists ---- */

size_t study_model_choices(yaml_file *file, yaml_node_t *entry, attn_error *error) {
    size_t count = 1;
    if (entry->type != YAML_MAPPING_NODE) {
        yaml_fail(file, entry, "models", error, "expected a list of keys with their values");
        return 0;
    }
    for (const yaml_node_pair_t *i = entry->data.mapping.pairs.start; i < entry->data.mapping.pairs.top;
         i++) {
        yaml_node_t *value = yaml_value(file, i), *key = yaml_key(file, i);
        if (!value || key->type != YAML_SCALAR_NODE) {
            yaml_fail(file, key, "models", error, "expected keys with their values");
            return 0;
        }
        size_t n = yaml_count(value);
        if (!n || n * count > CHOICES_MAX) {
            yaml_fail(file, value, (const char *)key->data.scalar.value, error,
                      n ? "more than %d models" : "an empty list", CHOICES_MAX);
            return 0;
        }
        count *= n;
    }
    return count;
}

/* The value of a pair under a choice; *choice is what is left for the pairs after it. */
static const yaml_node_t *chosen(yaml_file *file, const yaml_node_pair_t *pair, size_t *choice) {
    yaml_node_t *value = yaml_value(file, pair);
    size_t n = yaml_count(value), which = *choice % n;
    *choice /= n;
    return yaml_item(file, value, which);
}

static void put_line(page *p, size_t line, const char *text) {
    go_to(p, line);
    fputs(text, p->out);
}

static bool is_key(const yaml_node_t *key, const char *name) {
    return !strcmp((const char *)key->data.scalar.value, name);
}

/* `train` of the model, with what turns attention off. */
static void put_training(page *p, yaml_file *file, const yaml_node_pair_t *pair, const yaml_node_t *value) {
    go_to(p, yaml_line(yaml_key(file, pair)));
    fputs("train: {no_attention: true, ", p->out);
    for (const yaml_node_pair_t *i = value->data.mapping.pairs.start; i < value->data.mapping.pairs.top; i++)
        put_pair(p, file, i, yaml_value(file, i));
    fputs("}, ", p->out);
}

static void put_attention(page *p, const study_attention *a, bool trained) {
    char text[120];
    snprintf(text, sizeof text, "attention_type: %s, ", a->type);
    put_line(p, a->type_line, text);
    if (a->latent_dim || a->num_kv_heads) {
        snprintf(text, sizeof text, "attention_kwargs: {%s: %zu}, ",
                 a->latent_dim ? "latent_dim" : "num_kv_heads",
                 a->latent_dim ? a->latent_dim : a->num_kv_heads);
        put_line(p, a->size_line, text);
    }
    if (a->none && !trained)
        put_line(p, a->type_line, "train: {no_attention: true}, ");
}

static int write_yaml(FILE *out, const study_model *m, const study_attention *a, yaml_file *file,
                      attn_error *error) {
    page p = {out, 1};
    size_t choice = m->choice;
    bool trained = false;
    fputs("{", out);
    for (const yaml_node_pair_t *i = m->entry->data.mapping.pairs.start; i < m->entry->data.mapping.pairs.top;
         i++) {
        const yaml_node_t *value = chosen(file, i, &choice), *key = yaml_key(file, i);
        if (is_key(key, "attention_type") || is_key(key, "attention_kwargs"))
            return yaml_fail(file, key, (const char *)key->data.scalar.value, error, "belongs under runs");
        bool is_training = is_key(key, "train") && value->type == YAML_MAPPING_NODE;
        trained |= is_training;
        if (is_training && a->none)
            put_training(&p, file, i, value);
        else if (!is_key(key, "name"))
            put_pair(&p, file, i, value);
    }
    put_attention(&p, a, trained);
    fputs("}\n", out);
    return 0;
}

static int parse_all(attn_config *config, const char *yaml, size_t size, const char *name,
                     attn_error *error) {
    return attn_config_parse(config, yaml, size, name, NULL, error) || attn_train_check(config, error) ? -1
                                                                                                       : 0;
}

int study_model_config(char **yaml, attn_config *config, const study_model *m, const study_attention *a,
                       yaml_file *file, attn_error *error) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    *yaml = NULL;
    if (!out)
        return attn_no_memory(error, "configuration");
    int failed = write_yaml(out, m, a, file, error);
    if (fclose(out) && !failed)
        failed = attn_no_memory(error, "configuration");
    if (!failed && !parse_all(config, text, size, file->name, error))
        *yaml = attn_config_format(config, error);
    free(text);
    return *yaml ? 0 : -1;
}

int study_model_read(study_model *m, yaml_file *file, yaml_node_t *entry, size_t choice, attn_error *error) {
    const study_attention plain = {.type = "mha", .type_line = yaml_line(entry)};
    attn_config config;
    char *yaml;
    *m = (study_model){.entry = entry, .choice = choice};
    const yaml_node_t *given = yaml_find(file, entry, "name");
    if (study_model_config(&yaml, &config, m, &plain, file, error))
        return -1;
    attn_free(yaml);
    if (config.model_type == ATTN_MODEL_ATTENTION)
        return yaml_fail(file, entry, "model_type", error,
                         "attention is no recogniser: conformer or branchformer");
    const char *name = given ? yaml_text(file, given, "name", error) : NULL;
    if (given &&
        (!name || !*name || strlen(name) > 40 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")]))
        return yaml_fail(file, given, "name", error, "expected up to 40 small letters, digits and _");
    snprintf(m->name, sizeof m->name, "%s%s%s-d%zu-l%zu-k%zu", name ? name : "", name ? "-" : "",
             attn_model_type_names[config.model_type], config.attention.d_model, config.num_layers,
             config.conv_kernel_size);
    return 0;
}
