/* A kind of case: how its rows are read and how one of them is measured. One file a kind, one line in kind.c.
 * Private to bench/. */
#ifndef BENCH_KIND_H
#define BENCH_KIND_H

#include "attn/model.h"
#include "bench/case.h"
#include "bench/probe.h"

#include <stdbool.h>
#include <stdint.h>

/* Outcome of the comparison with the reference. */
typedef struct bench_check {
    bool ok;
    double max_error, limit;
    size_t rows;    /* rows of output compared */
    char what[160]; /* when not ok: what differs */
} bench_check;

enum { BENCH_UNSUPPORTED = 1 };

/* What a set-up depends on apart from its case. */
typedef struct bench_settings {
    uint64_t seed;
    double check_flops;    /* what the reference may take in a check, about */
    attn_threads *threads; /* of the case, which outlive its set-up; NULL: one */
} bench_settings;

#define BENCH_CHECK_FLOPS 1e9 /* about a second of the scalar reference */

/* What iterations took in another process. */
typedef struct bench_elapsed {
    double seconds, cpu_seconds;
} bench_elapsed;

struct peer_tensors;

typedef struct bench_kind_ops {
    bench_kind kind;
    const char *name; /* the row's first word */
    size_t words;     /* words between it and the keys */
    const char *form; /* for messages */
    /* Sets subject, mode, where, variant and model from those words. */
    int (*subject)(bench_case *c, char *const *words, attn_error *error);
    void (*defaults)(bench_case *c); /* where they depend on the subject, before keys are read; may be NULL */
    /* What a row left to it (BY_KIND in fields.inc), and what concerns several keys. */
    int (*complete)(bench_case *c, attn_error *error);

    /* Allocates and fills everything that run and check use. Returns 0, -1, or BENCH_UNSUPPORTED with the
     * reason as the error. */
    int (*prepare)(void **state, const bench_case *c, const bench_settings *settings, attn_error *error);
    int (*check)(void *state, bench_check *check, attn_error *error); /* -1: it could not be made */
    void (*rewind)(void *state); /* before a timed region: the state that prepare left */
    void (*run)(void *state);    /* one iteration */
    /* In place of run, where another process runs and times iterations; NULL: this one does. */
    int (*run_elsewhere)(void *state, uint64_t iterations, bench_elapsed *took, attn_error *error);
    const char *(*label)(const void *state); /* what ran it, for people; NULL: nothing to say */
    /* As run, and calls the hook when a part of it begins; NULL: it has no parts. */
    void (*run_parts)(void *state, bench_part_hook *hook, void *context);
    /* Numbers of one iteration; *cache_bytes is how much of it reads a KV cache. */
    void (*values)(const void *state, double *cache_bytes, bench_emit_number *emit, void *to);
    /* The output of the last iteration, the same bits for the same row, seed and program; NULL: it has none. */
    const float *(*output)(const void *state, size_t *floats);
    void (*release)(void *state);

    /* For peers (bench/peers/); NULL: no peer runs cases of this kind. */
    /* Gives what an iteration reads, and the shape of its output. */
    int (*hand_over)(void *state, struct peer_tensors *to, attn_error *error);
    /* Where the peer's output goes; check then compares it in place of ours. */
    float *(*answer)(void *state);
} bench_kind_ops;

extern const bench_kind_ops bench_attention, bench_encoder, bench_machine, bench_kernel;
extern const bench_kind_ops bench_attention_core; /* measures bench_attention's cases with part:core */
extern const bench_kind_ops bench_peer_case;      /* measures cases of a peer */
extern const bench_kind_ops *const bench_kinds[]; /* ended by NULL */
const bench_kind_ops *bench_kind_of(const bench_case *c);
const bench_kind_ops *bench_own_kind_of(const bench_case *c); /* as if our own code ran it */

#endif
