#include "impl/train/passes/share.h"

enum { UNIT = 64 }; /* elements whose bits are made at once */

typedef struct dropping {
    attn_real *x;
    float keep;
    uint32_t key[2], counter[3];
} dropping;

static void drop(const void *context, size_t begin, size_t end, size_t part) {
    const dropping *d = context;
    (void)part;
    attn_train_rows()->dropout(d->x + begin, end - begin, (uint32_t)(begin / 4), d->keep, d->key, d->counter);
}

void attn_train_dropout(attn_real *x, size_t n, attn_dropout_site site, size_t lane,
                        const attn_train_pass *pass) {
    if (!(pass->dropout > 0))
        return;
    dropping d = {
        .x = x,
        .keep = (float)(1.0 - pass->dropout),
        .key = {(uint32_t)pass->seed, (uint32_t)(pass->seed >> 32)},
        .counter = {(uint32_t)lane, (uint32_t)(pass->layer * ATTN_DROP_SITES + site), (uint32_t)pass->step}};
    attn_train_share(n, UNIT, drop, &d);
}
