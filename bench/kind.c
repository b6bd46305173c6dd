#include "bench/kind.h"

const bench_kind_ops *const bench_kinds[] = {&bench_attention, &bench_encoder, &bench_machine, &bench_kernel,
                                             NULL};

const bench_kind_ops *bench_kind_of(const bench_case *c) {
    if (c->kind == BENCH_ATTENTION && c->part)
        return &bench_attention_core;
    for (size_t i = 0; bench_kinds[i]; i++)
        if (bench_kinds[i]->kind == c->kind)
            return bench_kinds[i];
    return NULL;
}
