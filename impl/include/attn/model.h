/* Models: a configuration with weights, and sessions that run them over utterances, whole or in chunks.
 *
 *   Conformer     Gulati et al. 2020, section 2     x + FFN/2, x + Attn, x + Conv, x + FFN/2, LayerNorm
 *   Branchformer  Peng et al. 2022, section 3       x + Merge(Attn, cgMLP), LayerNorm
 *
 * What can fail returns 0, or -1 and an error. */
#ifndef ATTN_MODEL_H
#define ATTN_MODEL_H

#include "attn/config.h"
#include "attn/threads.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attn_model attn_model;

/* Weights are allocated, and zero until loaded or randomised. Free with attn_model_free. */
int attn_model_create(attn_model **model, const attn_config *config, attn_error *error);
/* The same without weights, which are NULL: for attn_train_bytes, which asks for shapes alone. */
int attn_model_create_shapes(attn_model **model, const attn_config *config, attn_error *error);
void attn_model_free(attn_model *model);
const attn_config *attn_model_config(const attn_model *model);

/* The attention of a layer. Its weights may be written to; the pointers stay as they are. */
attn_layer *attn_model_attention(attn_model *model, size_t layer);

/* Every tensor with its full checkpoint name, in order. */
int attn_model_tensors(attn_model *model, attn_tensor_visitor *visit, void *context, attn_error *error);

/* Loads a safetensors checkpoint. A missing, extra, mis-shaped or non-finite tensor is an error that names
 * it, after which the weights are of no use. An output layer (ctc.*) that the configuration has no vocab_size
 * for is passed over. global_cmvn.* is part of the model when the checkpoint has it: input features are then
 * (x - mean) istd. attn_model_load_note says in one line ("" where there is nothing to say) what was passed
 * over, and whether the configuration says that the features were normalised and the checkpoint does not. */
int attn_model_load(attn_model *model, const char *path, attn_error *error);
const char *attn_model_load_note(const attn_model *model);
bool attn_model_normalizes(const attn_model *model); /* has global_cmvn.* */
/* Makes global_cmvn part of the model: both [input_dim], copied. */
int attn_model_set_cmvn(attn_model *model, const float *mean, const float *inverse_deviation,
                        attn_error *error);
const float *attn_model_cmvn_mean(const attn_model *model); /* NULL where the model has none */
/* Writes every tensor as F32, or leaves nothing behind. */
int attn_model_save(attn_model *model, const char *path, attn_error *error);

/* Uniform in +-1/sqrt(fan_in), as torch.nn.Linear starts; norms at 1 and 0. The same seed gives the same
 * weights anywhere. */
void attn_model_randomize(attn_model *model, uint64_t seed);

/* As attn_layer_pack, for all maps of the model: once, when it has its weights. */
int attn_model_pack(attn_model *model, attn_error *error);

size_t attn_model_parameters(const attn_model *model);
size_t attn_model_weight_bytes(const attn_model *model); /* live, from the allocator */
size_t attn_model_packed_bytes(const attn_model *model); /* those of attn_model_pack's copy; 0 without one */

/* Parts of a model, for shares of time and FLOPs. cgMLP's projections are feed_forward, its gating unit is
 * convolution; norms after a block, merging, positions and the output layer are other. */
typedef enum attn_part {
    ATTN_PART_SUBSAMPLING, /* the input layer */
    ATTN_PART_ATTENTION,
    ATTN_PART_FEED_FORWARD,
    ATTN_PART_CONVOLUTION,
    ATTN_PART_OTHER,
    ATTN_PARTS
} attn_part;
extern const char *const attn_part_names[]; /* NULL-terminated, indexed by the enum */

/* False in a library that was built with ATTN_NO_PARTS (make PARTS=0): there the markers are no code at all,
 * and the hook below is never called. */
extern const bool attn_parts_are_marked;

/* Called when a part begins (the one before ends there). A run begins in OTHER and ends in OTHER. */
typedef void attn_part_hook(void *context, attn_part part);

/* Called with the input x [B, frames, d_model] of each layer's attention (after the norm before it), just
 * before it is used; valid [B] of the frames are not padding. It may change the values of this layer's
 * weights. */
typedef void attn_input_hook(void *context, size_t layer, const float *x, size_t batch, size_t frames,
                             const size_t *valid);

typedef struct attn_session_options {
    size_t batch;      /* utterances side by side */
    size_t max_frames; /* input frames of the longest utterance */
    size_t chunk;      /* frames per call after the input layer; 0: everything in one call */
    long left_chunks;  /* chunks of cache kept before the current one; -1: all */
    const char *impl;  /* of attn_impl_names; NULL: "auto" */
    attn_path path;
    /* Share the work, and outlive the session; not for scalar and blas. NULL: one thread. */
    attn_threads *threads;
    bool one_cache; /* whole calls only: the layers use one cache, which then holds the last one's */
    /* Positions of rel_pos* go through linear_pos once, when the session opens, and not in every call: for sessions
     * that run often or in chunks. Only in a packed model, whose weights do not change, for implementations that read
     * packed weights, and where the table, [layers, positions, d_model], is no larger than the packed weights: calls
     * whose keys are bounded, or not too long. Its positions are those of the longest call (rel_pos) or of max_frames
     * (rel_pos_wenet), rounded up to 16, 4 d_model bytes each in a layer. Elsewhere, and where its memory is refused,
     * calls compute their own. */
    bool keep_positions;
    bool logits;          /* end with ctc.ctc_lo: output [.., vocab_size] */
    attn_part_hook *part; /* NULL: parts are not marked */
    void *part_context;
    attn_input_hook *input; /* NULL: nobody looks at the inputs of attention */
    void *input_context;
} attn_session_options;

typedef struct attn_session attn_session;

/* Streaming (chunk > 0). Attention sees the cache and the frames of its call. A causal convolution goes on
 * from the call before, with a cache of its newest kernel - 1 inputs. A convolution that is not causal, and
 * the pooling of learned_ave, see the frames of their call and nothing beyond (zeros), as WeNet runs such
 * models: chunk by chunk that is another result than in one call. attn_stream_note says so in one line, or is
 * "" where there is nothing to say. */
const char *attn_stream_note(const attn_config *config);

/* Allocates all caches (exactly as many frames as the session can hold) and all workspace: running allocates
 * nothing. What depends on weights alone is computed here: BatchNorm as one multiply-add, convolutions' weights
 * in another order, positions where options ask for it. So only the weights of attention may change afterwards,
 * and in a model that is packed (attn_model_pack) none. The model must outlive the session. Returns 0, or -1 and
 * an error that names the option or says what memory was refused. Close with attn_session_close. */
int attn_session_open(attn_session **session, attn_model *model, const attn_session_options *options,
                      attn_error *error);
void attn_session_close(attn_session *session);

/* Called after each chunk with the output frames that it gave; for timing and progress. */
typedef void attn_chunk_hook(void *context, size_t chunk_index, size_t frames_out);

/* Runs x [B, T, input_dim] (T at most max_frames) from an empty cache; lengths [B] in input frames or NULL.
 * Writes out [B, attn_output_frames(T), attn_session_width], with zeros beyond an utterance's length. Cannot fail;
 * numbers that overflow float32 come out infinite or NaN. */
void attn_session_run(attn_session *session, float *out, const float *x, size_t frames, const size_t *lengths,
                      attn_chunk_hook *hook, void *context);

/* The end of such a run without lengths, for timing: only its first two calls and its last one run. For the calls
 * between them, caches repeat the rows of the first two, so that the last call does the same work on other numbers.
 * Writes the rows of `out` of the calls that run. */
void attn_session_run_end(attn_session *session, float *out, const float *x, size_t frames);

/* The last call of that run again, for timing: x, out and frames are the run's. It is the same work, but not
 * the same numbers: a state, a cache that slides and the inputs of convolutions go on from what the call
 * left. */
void attn_session_repeat(attn_session *session, float *out, const float *x, size_t frames);

size_t attn_session_width(const attn_session *session); /* d_model, or vocab_size with logits */
size_t attn_session_layers(const attn_session *session);
const attn_cache *attn_session_cache(const attn_session *session, size_t layer);
/* The newest inputs of a layer's causal convolution, [B, kernel - 1, *width]; NULL where none are kept. */
const float *attn_session_conv(const attn_session *session, size_t layer, size_t *width);
size_t attn_session_kv_bytes_live(const attn_session *session);
size_t attn_session_kv_bytes_formula(const attn_session *session); /* at the most frames held so far */
/* What streaming keeps next to the attention cache: inputs of causal convolutions (the module's, or CSGU's gate half:
 * kernel - 1 frames a layer), in a Conformer the gates GLU(W_1 x) of these inputs, and the frames that subsampling
 * carries over. 0 where nothing streams. */
size_t attn_session_conv_bytes_live(const attn_session *session);
size_t attn_session_conv_bytes_formula(const attn_session *session);
size_t attn_session_workspace_bytes(const attn_session *session); /* all that is no cache */
size_t attn_session_projected_bytes(const attn_session *session); /* those of keep_positions, out of these */

/* FLOPs of running `frames` input frames, by formula (a multiply-add is 2; matrix products and convolutions,
 * padding included), in sum and in parts (NULL: not wanted). */
double attn_session_flops(const attn_session *session, size_t frames, double parts[ATTN_PARTS]);

/* The caches as safetensors: layers.N.k and so on, shaped as in cache.h, only the frames that are held, in the cache's
 * own type: F32, F16 or BF16; of q8_0 U8, whose last axis is the bytes of a row (blocks of 34, element.h).
 * Of streams with causal convolutions layers.N.conv [B, kernel - 1, width], of those with conv2d embed.carry
 * [B, 3, input_dim] too. */
int attn_session_save_cache(const attn_session *session, const char *path, attn_error *error);

#ifdef __cplusplus
}
#endif
#endif
