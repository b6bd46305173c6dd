#include "harness/shards/case_cost.h"

#include "bench/peers/peer.h"

#include <string.h>

/* What usual cores do, of products in float32; that all are equally wrong does no harm. */
static const double START = 0.1, PEER_START = 2.5, FAST_FLOPS = 3e10, SCALAR_FLOPS = 1e9, BANDWIDTH = 8e9;
static const double CHECK_FLOPS = 1e9; /* of the scalar reference, at most */
static const double MACHINE_ROW = 0.5, PER_FRAME = 38;

static double least(double a, double b) {
    return a < b ? a : b;
}

static double most(double a, double b) {
    return a > b ? a : b;
}

/* One attention layer on the row's queries and keys. */
static attn_cost layer_cost(const bench_case *c, size_t queries, size_t keys, const attn_impl *impl) {
    return attn_impl_cost(c->variant, impl, &c->geometry, c->batch ? c->batch : 1, queries, keys, c->path,
                          (attn_element)c->kv);
}

static double layer_seconds(const bench_case *c) {
    attn_cost cost = layer_cost(c, c->queries, c->keys, c->impl);
    bool scalar = c->impl == &c->variant->impls[0];
    return most(cost.flops / (scalar ? SCALAR_FLOPS : FAST_FLOPS), cost.bytes / BANDWIDTH);
}

static double layer_check(const bench_case *c) {
    return least(layer_cost(c, c->queries, c->keys, &c->variant->impls[0]).flops, CHECK_FLOPS) / SCALAR_FLOPS;
}

/* Two feed-forwards of four times the width and a convolution: 19 products of width by width a frame. */
static double encoder_seconds(const bench_case *c) {
    size_t frames = c->where & BENCH_ENCODER_PREFILL ? (c->frames + 3) / 4 : c->queries;
    size_t keys = c->where & BENCH_ENCODER_PREFILL ? frames : frames * (c->left + 1);
    double width = (double)c->geometry.d_model;
    double others = PER_FRAME * width * width * (double)frames;
    bool scalar = c->impl == &c->variant->impls[0];
    return (double)c->num_layers * (layer_cost(c, frames, keys, c->impl).flops + others) /
           (scalar ? SCALAR_FLOPS : FAST_FLOPS);
}

double case_start(bool by_peer) {
    return by_peer ? PEER_START : START;
}

double case_cost(const bench_case *c, const plan *p) {
    double each = 0, check = 0, set_up = case_start(bench_peer_of(c)),
           rounds = (double)plan_rounds_of(p, c->name),
           repetitions = rounds / (double)plan_rounds(p) * (double)p->repetitions;
    if (c->kind == BENCH_MACHINE || c->kind == BENCH_KERNEL)
        return rounds * (set_up + MACHINE_ROW) + repetitions * p->min_time;
    if (c->kind == BENCH_ATTENTION) {
        each = layer_seconds(c);
        check = layer_check(c);
    } else {
        each = encoder_seconds(c);
        check = least(SCALAR_FLOPS / FAST_FLOPS * each, 0.4);
        set_up += 2 * each; /* the stream before the call that is timed */
    }
    check *= bench_peer_of(c) ? rounds : 1; /* the output of a peer has no hash to know it by */
    return rounds * (set_up + each) + check + repetitions * most(1.3 * p->min_time, each);
}
