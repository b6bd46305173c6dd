#include "impl/train/passes/pass.h"

void attn_train_dropout(attn_real *x, size_t n, attn_dropout_site site, size_t lane,
                        const attn_train_pass *pass) {
    if (!(pass->dropout > 0))
        return;
    const uint32_t key[2] = {(uint32_t)pass->seed, (uint32_t)(pass->seed >> 32)};
    const uint32_t counter[3] = {(uint32_t)lane, (uint32_t)(pass->layer * ATTN_DROP_SITES + site),
                                 (uint32_t)pass->step};
    attn_train_rows()->dropout(x, n, (float)(1.0 - pass->dropout), key, counter);
}
