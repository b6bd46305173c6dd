/* Names of the variants, all or those that take latent_dim or num_kv_heads, from the registry: for messages, options
 * and docs. */
#ifndef IMPL_ATTENTION_VARIANT_NAMES_H
#define IMPL_ATTENTION_VARIANT_NAMES_H

#include "attn/variant.h"

enum {
    ATTN_TAKES_ANYTHING = 0, /* all variants */
    ATTN_TAKES_LATENT = 1,   /* latent_dim */
    ATTN_TAKES_KV_HEADS = 2, /* num_kv_heads */
    ATTN_TAKES_SIZE = 3      /* either */
};
enum { ATTN_VARIANT_NAMES = 16, ATTN_VARIANT_NAMES_TEXT = 256 };

/* NULL-terminated, in the order of tables. */
void attn_variant_names(const char *names[ATTN_VARIANT_NAMES], unsigned takes);
/* "mla, mla_simple or gqa" where `last`, which stands before the last one, is " or ". */
void attn_variant_names_text(char text[ATTN_VARIANT_NAMES_TEXT], unsigned takes, const char *last);

#endif
