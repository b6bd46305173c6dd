/* A case: one row of text, Google Benchmark's style (bench/row.h reads it).
 *
 *   attention/<type>/<mode>/<key:value>/...           one attention layer
 *   attention/mla/decode/L:1000/q:1/h:8/d:512/dc:256/kv:f32/path:absorb/impl:blas
 *
 * Modes: prefill (q = L), chunk (q = 16), decode (q = 1). L counts the keys attended to, q of them new in the timed
 * call.
 *
 *   encoder/<model>/<type>/<mode>/<key:value>/...     a whole encoder with its input layer
 *   encoder/conformer/mla/prefill/T:1000/layers:12/h:8/d:512/dc:256
 *   encoder/branchformer/mha/chunk/q:16/left:8/merge:learned_ave
 *
 * prefill takes T input frames in one call. chunk (and decode, q = 1) takes q frames after the input layer, in the
 * steady state of a stream that keeps `left` chunks before them; all but the first chunks of a long stream are such
 * calls. The models of streams are causal, the others are not. Sizes without a key are those of a configuration file
 * that says nothing of them.
 *
 *   machine/<what>/<key:value>/...     limits of this machine, measured
 *   machine/flops/isa:avx512           multiply-adds in registers
 *   machine/read/bytes:N/isa:avx512    reading a working set of N bytes
 *   machine/sgemm/n:1024               OpenBLAS, square matrices
 *   machine/write, copy, triad, nt_write: bytes:N/isa:avx512    moving a working set of N bytes, of all arrays together
 *   machine/latency/bytes:N/pages:huge from load to load, in a random order of lines
 *   machine/tlb/bytes:N/pages:small    the same with one line in each 4 KiB
 *   machine/clock/isa:avx512           dependent additions next to vector work: a cycle each
 *   machine/handoff/cpu:1              a line to another CPU and back
 *   machine/products/unit:amx_bf16     products of narrow numbers, of matrices, of scalable vectors
 * flops, products and rows that move a working set take t:N, too: N threads do the same at once, each over a working
 * set of its own.
 *
 *   kernel/<name>/<key:value>/...      one kernel alone, a row of impl/kernels/kernels.inc, on its typical shape
 *   kernel/attend/kv:q8_0/isa:avx2
 *
 * The keys are the rows of bench/fields.inc; docs/fields.md lists them. A key that the type or mode does not take is
 * an error; one left out has its default. */
#ifndef BENCH_CASE_H
#define BENCH_CASE_H

#include "attn/config.h"

#include <stddef.h>

enum { BENCH_NAME_MAX = 256 };
enum { BENCH_BATCH_MAX = 1 << 12 }; /* utterances */
enum { BENCH_WARM, BENCH_COLD };    /* cache */

typedef enum bench_kind { BENCH_ATTENTION, BENCH_ENCODER, BENCH_MACHINE, BENCH_KERNEL } bench_kind;

/* Kind and mode (of the machine: which limit) as one bit, so that a number can be a set of them; 0: unknown. */
typedef enum bench_where {
    BENCH_LAYER_PREFILL = 1 << 0,
    BENCH_LAYER_CHUNK = 1 << 1,
    BENCH_LAYER_DECODE = 1 << 2,
    BENCH_ENCODER_PREFILL = 1 << 3,
    BENCH_ENCODER_CHUNK = 1 << 4,
    BENCH_ENCODER_DECODE = 1 << 5,
    BENCH_FLOPS = 1 << 6,
    BENCH_READ = 1 << 7,
    BENCH_SGEMM = 1 << 8,
    BENCH_WRITE = 1 << 9,
    BENCH_COPY = 1 << 10,
    BENCH_TRIAD = 1 << 11,
    BENCH_NT_WRITE = 1 << 12,
    BENCH_LATENCY = 1 << 13,
    BENCH_TLB = 1 << 14,
    BENCH_CLOCK = 1 << 15,
    BENCH_HANDOFF = 1 << 16,
    BENCH_ONE_KERNEL = 1 << 17,
    BENCH_PRODUCTS = 1 << 18
} bench_where;
enum { BENCH_PREFILL = BENCH_LAYER_PREFILL | BENCH_ENCODER_PREFILL };
enum { BENCH_DECODE = BENCH_LAYER_DECODE | BENCH_ENCODER_DECODE };

typedef struct bench_case {
    bench_kind kind;
    bench_where where;
    /* Canonical: the keys that apply, in the order of fields.inc, without those that it leaves out at their default;
     * impl and isa as chosen, path as asked. */
    char name[BENCH_NAME_MAX];
    char subject[32]; /* type of attention, "conformer/mha", the machine's limit, or a kernel */
    char mode[16];    /* prefill, chunk, decode; "" for machine and kernel */
    /* attention and encoder */
    const attn_variant *variant;
    attn_geometry geometry;
    attn_path path;        /* as asked for, maybe AUTO */
    const attn_impl *impl; /* in a peer's case ours, for formulas */
    const char *impl_name; /* never "auto"; a peer's name (bench/peers/peer.h) */
    unsigned model;        /* encoder: attn_model_type */
/* Of their own for the rows of fields.inc: a size_t each number (of an encoder's layer: keys and queries), an unsigned
 * each choice, an index into its list of words. isa is also set where the row has none: the most that kernels use. */
#define SIZE_OWN(member) size_t member;
#define SIZE_IN(member)
#define INDEX_OWN(member) unsigned member;
#define INDEX_IN(member)
#define NUMBER(id, member, key, home, place, ...) SIZE_##home(place)
#define CHOICE(id, member, key, home, place, ...) INDEX_##home(place)
#include "bench/fields.inc"
#undef SIZE_OWN
#undef SIZE_IN
#undef INDEX_OWN
#undef INDEX_IN
} bench_case;

#endif
