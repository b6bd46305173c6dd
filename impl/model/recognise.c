#include "impl/model/recognise.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What names and shapes tell. */
typedef struct looks {
    size_t layers; /* 0: none is numbered */
    size_t d_model, key_rows;
    bool cgmlp, convolution, latent, latent_by_head;
} looks;

static bool is_weight_of(const char *name, const char *const *projections) {
    for (size_t i = 0; projections[i]; i++) {
        const char *found = strstr(name, projections[i]);
        if (found && !strcmp(found + strlen(projections[i]), ".weight"))
            return true;
    }
    return false;
}

static void look_at(looks *l, const attn_safetensor *tensor) {
    static const char *const queries[] = {"q_proj", "linear_q", NULL}, *const keys[] = {"k_proj", "linear_k",
                                                                                        NULL};
    const char *name = tensor->name, *layer = strstr(name, "encoders.");
    if (layer && isdigit((unsigned char)layer[9])) {
        size_t number = strtoul(layer + 9, NULL, 10) + 1;
        l->layers = l->layers < number ? number : l->layers;
    }
    l->cgmlp |= strstr(name, ".cgmlp.") != NULL;
    l->convolution |= strstr(name, ".conv_module.") != NULL;
    l->latent |= strstr(name, "kv_compress.") != NULL;
    l->latent_by_head |= strstr(name, "k_expand_A.") != NULL;
    if (tensor->rank == 2 && is_weight_of(name, queries))
        l->d_model = tensor->dims[1];
    if (tensor->rank == 2 && is_weight_of(name, keys))
        l->key_rows = tensor->dims[0];
}

static const char *model_of(const looks *l) {
    return l->cgmlp ? "branchformer" : l->convolution ? "conformer" : "attention";
}

/* NULL: mha and linear have the same tensors. */
static const char *type_of(const looks *l) {
    if (l->latent)
        return l->latent_by_head ? "mla" : "mla_simple";
    return l->key_rows && l->d_model && l->key_rows < l->d_model ? "gqa" : NULL;
}

static bool is_type(const looks *l, const attn_variant *variant) {
    const char *type = type_of(l);
    if (!type) /* gqa may have as many heads of both kinds */
        return !variant->has_latent;
    return !strcmp(type, variant->name);
}

static void differ(char text[200], const char *before, const char *found, const char *after, const char *key,
                   const char *configured) {
    snprintf(text, 200, "its tensors are those of %s%s%s, but %s is %s", before, found, after, key,
             configured);
}

static void differ_size(char text[200], size_t found, const char *unit, const char *key, size_t configured) {
    snprintf(text, 200, "its tensors are those of %zu %s, but %s is %zu", found, unit, key, configured);
}

void attn_model_recognise(char text[200], const attn_safetensors *file, const attn_config *config) {
    looks l = {0};
    text[0] = '\0';
    for (size_t i = 0; i < attn_safetensors_count(file); i++)
        look_at(&l, attn_safetensors_at(file, i));
    if (!l.d_model) /* no attention at all */
        return;
    const char *model = model_of(&l), *type = type_of(&l);
    const bool bare = !strcmp(model, "attention");
    if (strcmp(model, attn_model_type_names[config->model_type]))
        differ(text, bare ? "bare " : "a ", model, "", "model_type",
               attn_model_type_names[config->model_type]);
    else if (!is_type(&l, config->variant))
        differ(text, "", type ? type : "mha", " attention", "attention_type", config->variant->name);
    else if (l.layers && l.layers != config->num_layers)
        differ_size(text, l.layers, "layers", "num_layers", config->num_layers);
    else if (l.d_model != config->attention.d_model)
        differ_size(text, l.d_model, "dimensions", "d_model", config->attention.d_model);
}
