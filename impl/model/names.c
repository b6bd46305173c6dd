/* Checkpoint names of ESPnet and WeNet, and the seed's, to the ones that a model here has. */
#include "impl/model/model.h"

#include "base/text/ending.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What follows `prefix`, or NULL. */
static const char *after(const char *text, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) ? NULL : text + n;
}

/* What follows "encoders.N." or "layers.N.", with N; NULL when the name is not of a layer. */
static const char *after_layer(const char *name, size_t *layer) {
    const char *rest = after(name, "encoders.");
    if (!rest)
        rest = after(name, "layers.");
    if (!rest || !isdigit((unsigned char)*rest))
        return NULL;
    char *end;
    *layer = strtoul(rest, &end, 10);
    return *end == '.' ? end + 1 : NULL;
}

static const char *after_attention(const char *name) {
    const char *rest = after(name, "self_attn.");
    return rest ? rest : after(name, "attn.");
}

/* "q_proj." for "linear_q." and so on; the name itself otherwise. */
static const char *attention_alias(const char *name, const char **rest) {
    static const char *const aliases[][2] = {{"linear_q.", "q_proj."},
                                             {"linear_k.", "k_proj."},
                                             {"linear_v.", "v_proj."},
                                             {"linear_out.", "out_proj."}};
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if ((*rest = after(name, aliases[i][0])))
            return aliases[i][1];
    *rest = name;
    return "";
}

static bool starts_with_any(const char *name, const char *const *prefixes) {
    for (size_t i = 0; prefixes[i]; i++)
        if (after(name, prefixes[i]))
            return true;
    return false;
}

/* Weights that some checkpoints have and this merge_method does not use. */
static bool is_unused_branch(const attn_config *config, const char *name) {
    static const char *const learned[] = {"pooling_proj1.", "pooling_proj2.", "weight_proj1.",
                                          "weight_proj2.", NULL};
    static const char *const attention[] = {"norm_mha.", "attn.", "self_attn.", NULL};
    static const char *const cgmlp[] = {"norm_mlp.", "cgmlp.", NULL};
    if (config->model_type != ATTN_MODEL_BRANCHFORMER)
        return false;
    return (config->merge_method != ATTN_MERGE_LEARNED_AVE && starts_with_any(name, learned)) ||
           (!attn_uses_attention(config) && starts_with_any(name, attention)) ||
           (!attn_uses_cgmlp(config) && starts_with_any(name, cgmlp));
}

/* Tables of sinusoids: embed.pos_enc.pe, or embed.out.N.pe where the input layer is a torch.nn.Sequential. */
static bool is_positions(const char *name) {
    const char *rest = after(name, "embed.out.");
    if (rest && isdigit((unsigned char)*rest))
        return !strcmp(rest + strspn(rest, "0123456789"), ".pe");
    return text_ends(name, ".pos_enc.pe") || !strcmp(name, "pos_enc.pe");
}

static bool is_ignored(const attn_config *config, const char *name) {
    if (text_ends(name, ".num_batches_tracked") || is_positions(name))
        return true;
    size_t layer;
    const char *rest = after_layer(name, &layer);
    return rest && is_unused_branch(config, rest);
}

bool attn_model_is_outside(const attn_config *config, const char *name) {
    return !config->vocab_size && after(name, "ctc.");
}

void attn_model_canonical_name(char canonical[64], const attn_config *config, const char *name) {
    canonical[0] = '\0';
    if (attn_model_is_outside(config, name))
        return;
    const char *rest = after(name, "encoder.");
    name = rest ? rest : name;
    if (!*name) { /* no name at all: nobody's, and not to be ignored */
        strcpy(canonical, "\"\"");
        return;
    }
    if (is_ignored(config, name))
        return;
    bool bare = config->model_type == ATTN_MODEL_ATTENTION;
    size_t layer = 0;
    const char *below = after_layer(name, &layer), *attention = NULL;
    if (below)
        attention = after_attention(below);
    else if (bare && config->num_layers == 1)
        attention = name;
    if (bare && below && !attention)
        attention = below;
    if (!attention) {
        snprintf(canonical, 64, "%s", name);
        return;
    }
    const char *alias = attention_alias(attention, &attention);
    if (bare && config->num_layers == 1 && layer == 0)
        snprintf(canonical, 64, "%s%s", alias, attention);
    else
        snprintf(canonical, 64, "encoders.%zu.%s%s%s", layer,
                 config->model_type == ATTN_MODEL_BRANCHFORMER ? "attn." : "self_attn.", alias, attention);
}
