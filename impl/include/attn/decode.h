/* From the logits of an output layer to labels. Token 0 is CTC's blank. Pure: no allocation, no failure. */
#ifndef ATTN_DECODE_H
#define ATTN_DECODE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The labels of the most probable path: the best token of each frame, repeats joined, blanks dropped (Graves et
 * al. 2006, section 3.2). out has room for `frames` labels; returns how many there are. A frame with a NaN gives
 * no label. `last` (may be NULL) is the token of the frame before, 0 where there is none, and becomes that of the
 * last: so a stream is decoded chunk by chunk. */
size_t attn_decode_greedy(int32_t *out, const float *logits, size_t frames, size_t vocab, int32_t *last);

/* The most probable labels that a prefix beam search finds (Hannun et al. 2014, algorithm 1, without a language
 * model): the probability of labels is the sum over their paths, and `beam` prefixes are kept after each frame.
 * out has room for `frames` labels; returns how many there are. *log_probability (may be NULL) is what the kept
 * prefixes have of ln p(labels). The workspace holds attn_decode_beam_bytes and is 64-byte aligned. beam > 0. */
size_t attn_decode_beam_bytes(size_t frames, size_t vocab, size_t beam);
size_t attn_decode_beam(int32_t *out, double *log_probability, const float *logits, size_t frames,
                        size_t vocab, size_t beam, void *workspace);

#ifdef __cplusplus
}
#endif
#endif
