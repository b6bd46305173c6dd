#include "impl/attention/variant_names.h"

#include "base/text/append.h"

void attn_variant_names(const char *names[ATTN_VARIANT_NAMES], unsigned takes) {
    size_t count = 0;
    for (size_t i = 0; attn_variants[i]; i++) {
        const attn_variant *v = attn_variants[i];
        bool latent = (takes & ATTN_TAKES_LATENT) && v->has_latent;
        bool heads = (takes & ATTN_TAKES_KV_HEADS) && v->has_kv_heads;
        if ((!takes || latent || heads) && count + 1 < ATTN_VARIANT_NAMES)
            names[count++] = v->name;
    }
    names[count] = NULL;
}

void attn_variant_names_text(char text[ATTN_VARIANT_NAMES_TEXT], unsigned takes, const char *last) {
    const char *names[ATTN_VARIANT_NAMES];
    attn_variant_names(names, takes);
    text[0] = '\0';
    for (size_t i = 0; names[i]; i++)
        text_list(text, ATTN_VARIANT_NAMES_TEXT, names[i + 1] ? ", " : last, "%s", names[i]);
}
