/* A case is one row of text, Google Benchmark's style:
 *
 *   attention/mla/decode/L:1000/q:1/h:8/d:512/dc:256/kv:f32/path:absorb/impl:blas
 *
 * attention/<type>/<mode>/<key:value>/...; modes prefill (q = L), chunk (q = 16), decode (q = 1). L counts
 * the keys attended to, q of them new in the timed call. Keys: L, q, B (1), h (8), d (512), hkv (gqa), dc
 * (mla*), kv (f32), pos (none), path (mla*), impl (auto). A key that the type does not take is an error; one
 * left out has the default in brackets or of the type.
 *
 *   encoder/<model>/<type>/<mode>/<key:value>/...     a whole encoder with its input layer:
 *   encoder/conformer/mla/prefill/T:1000/layers:12/h:8/d:512/dc:256
 *   encoder/branchformer/mha/chunk/q:16/left:8/merge:learned_ave
 *
 * prefill takes T input frames in one call. chunk (and decode, q = 1) takes q frames after the input layer,
 * in the steady state of a stream that keeps `left` chunks before them; all but the first chunks of a long
 * stream are such calls. The models of streams are causal, the others are not. Keys: T or q (chunk: 16) and
 * left (8; linear: how many chunks its state has seen), layers (12), h (8), d (512), hkv, dc, k (kernel, 31),
 * input (conv2d), merge (branchformer: concat), pos (rel_pos; linear: abs_pos), path, impl. Other sizes are
 * those of a configuration file that says nothing of them.
 *
 *   machine/<what>/<key:value>/...     limits of this machine, measured:
 *   machine/flops/isa:avx512           multiply-adds in registers
 *   machine/read/bytes:N/isa:avx512    reading a working set of N bytes (64 MiB)
 *   machine/sgemm/n:1024               OpenBLAS, square matrices
 */
#ifndef BENCH_CASE_H
#define BENCH_CASE_H

#include "attn/config.h"

#include <stddef.h>

enum { BENCH_NAME_MAX = 256 };

typedef enum bench_kind { BENCH_ATTENTION, BENCH_ENCODER, BENCH_MACHINE } bench_kind;

typedef struct bench_case {
    bench_kind kind;
    char name[BENCH_NAME_MAX]; /* canonical: every key that applies, in the order above, but B:1 and pos:none;
                                  impl and isa as chosen, path as asked */
    char subject[32];          /* type of attention, "conformer/mha", or the machine's limit */
    char mode[16];             /* prefill, chunk, decode; "" for machine */
    /* attention and encoder */
    const attn_variant *variant;
    attn_geometry geometry;
    size_t batch, keys, queries; /* encoder: in a layer; keys are those that a call attends to */
    unsigned kv;                 /* of bench_kv_names */
    attn_path path;              /* as asked for, maybe AUTO */
    const attn_impl *impl;
    unsigned impl_choice;  /* of attn_impl_names */
    const char *impl_name; /* never "auto" */
    /* encoder */
    unsigned model; /* attn_model_type */
    size_t num_layers, conv_kernel_size;
    size_t frames;         /* prefill: T */
    size_t left;           /* chunk, decode: chunks kept */
    unsigned input, merge; /* attn_input_layer, attn_merge */
    /* machine */
    size_t bytes; /* read: working set */
    size_t n;     /* sgemm: square size */
    unsigned isa; /* attn_isa. flops, read: which kernel; else the most that kernels use */
} bench_case;

extern const char *const bench_kv_names[]; /* "f32", NULL */

/* Fills the case, its canonical name included. Errors name the row, the key and what was expected. */
int bench_case_parse(bench_case *c, const char *row, attn_error *error);

#endif
