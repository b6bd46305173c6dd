#include "attn/geometry.h"

#include "attn/variant.h"
#include "base/text/append.h"

#include <string.h>

const char *const attn_pos_enc_names[] = {"none", "abs_pos", "rel_pos", "rel_pos_wenet", NULL};

enum { LARGEST = 1 << 20 }; /* of any width: far beyond use, and no product of two overflows */

static int check_size(size_t value, const char *name, const char **key, attn_error *error) {
    if (value >= 1 && value <= LARGEST)
        return 0;
    if (key)
        *key = name;
    return attn_fail(error, "%s: found %zu, expected 1 to %d", name, value, LARGEST);
}

static int check_heads(const attn_geometry *g, const char **key, attn_error *error) {
    if (g->d_model % g->num_heads == 0)
        return 0;
    if (key)
        *key = "num_heads";
    return attn_fail(error, "num_heads: d_model %zu is not divisible by num_heads %zu", g->d_model,
                     g->num_heads);
}

/* A quarter of the heads or, where that does not divide them (9 heads), the next fewer that do. */
size_t attn_default_kv_heads(size_t num_heads) {
    size_t count = num_heads >= 4 ? num_heads / 4 : 1;
    while (num_heads % count)
        count--;
    return count;
}

/* Says which numbers would do, as far as there is room. */
static int check_kv_heads(const attn_geometry *g, const char **key, attn_error *error) {
    char list[160] = "";
    if (check_size(g->num_kv_heads, "num_kv_heads", key, error))
        return -1;
    if (g->num_heads % g->num_kv_heads == 0)
        return 0;
    for (size_t i = 1; i <= g->num_heads; i++)
        if (g->num_heads % i == 0 && strlen(list) + 16 < sizeof list)
            text_list(list, sizeof list, ", ", "%zu", i);
    if (key)
        *key = "num_kv_heads";
    return attn_fail(error,
                     "num_kv_heads: num_heads %zu is not divisible by num_kv_heads %zu, expected one of %s",
                     g->num_heads, g->num_kv_heads, list);
}

int attn_geometry_complete(attn_geometry *g, const attn_variant *variant, const char **key,
                           attn_error *error) {
    if (check_size(g->d_model, "d_model", key, error) || check_size(g->num_heads, "num_heads", key, error) ||
        check_heads(g, key, error))
        return -1;
    if (!variant->has_kv_heads)
        g->num_kv_heads = 0;
    else if (!g->num_kv_heads)
        g->num_kv_heads = attn_default_kv_heads(g->num_heads);
    if (!variant->has_latent)
        g->latent_dim = 0;
    else if (!g->latent_dim)
        g->latent_dim = g->d_model;
    if (variant->has_latent && check_size(g->latent_dim, "latent_dim", key, error))
        return -1;
    if (variant->has_kv_heads && check_kv_heads(g, key, error))
        return -1;
    if (!variant->is_softmax && attn_has_rel_pos(g)) {
        if (key)
            *key = "pos_enc";
        return attn_fail(
            error, "pos_enc: %s needs scores to add to, and %s attention has none; expected none or abs_pos",
            attn_pos_enc_names[g->pos_enc], variant->name);
    }
    return 0;
}
