#include "bench/kind.h"

#include "bench/peers/peer.h"

const bench_kind_ops *const bench_kinds[] = {&bench_attention, &bench_encoder, &bench_machine, &bench_kernel,
                                             NULL};

const bench_kind_ops *bench_kind_of(const bench_case *c) {
    return bench_peer_of(c) ? &bench_peer_case : bench_own_kind_of(c);
}

const bench_kind_ops *bench_own_kind_of(const bench_case *c) {
    if (c->kind == BENCH_ATTENTION && c->part)
        return &bench_attention_core;
    for (size_t i = 0; bench_kinds[i]; i++)
        if (bench_kinds[i]->kind == c->kind)
            return bench_kinds[i];
    return NULL;
}
