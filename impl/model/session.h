/* What a session holds. Private to impl/model/. */
#ifndef IMPL_MODEL_SESSION_H
#define IMPL_MODEL_SESSION_H

#include "impl/model/model.h"

/* Frames that one frame after subsampling sees, and how far apart the first ones of two neighbours are: what
 * is left over between two calls is FIELD - STEP frames. */
enum {
    SUBSAMPLING_FIELD = 7,
    SUBSAMPLING_STEP = 4,
    SUBSAMPLING_CARRY = SUBSAMPLING_FIELD - SUBSAMPLING_STEP
};

/* Where a call began. */
typedef struct attn_call_start {
    size_t first, frames;     /* of its output */
    size_t consumed, carried; /* before it, see attn_session */
    size_t held, held_first;  /* cache.length and cache.first before it */
} attn_call_start;

struct attn_session {
    attn_model *model;
    attn_session_options options;
    const attn_impl *impl;
    attn_isa isa; /* most that kernels use while it runs */
    const attn_encoder_ops *ops;
    size_t max_frames;  /* after the input layer */
    size_t call_frames; /* most frames in one call */
    size_t capacity;    /* frames of cache */
    size_t widest;      /* most frames held since opening */
    size_t carried;     /* frames in carry */
    size_t consumed;    /* input frames that the run has taken */
    attn_call_start newest;
    attn_cache *caches;       /* one a layer */
    float *conv;              /* streaming causal convolutions: [layers, B, kernel - 1, width] */
    float *gates;             /* Conformer's, next to conv: see attn_block_state */
    float *carry;             /* streaming conv2d: [B, SUBSAMPLING_CARRY, input_dim] */
    float *positions;         /* abs_pos: sinusoids, one row a frame */
    attn_sinusoids sinusoids; /* rel_pos* */
    float *projected;    /* rel_pos*: the layers' positions in panels, or NULL; see attn_session_options */
    void *packed;        /* holds the next two: what is computed from weights alone */
    float *packed_embed; /* attn_subsampling_pack */
    attn_packed_block *packed_blocks;
    void *memory;            /* holds the next five; NULL where there is no need */
    float *window;           /* [B, carry + new frames, input_dim] of a call, where x cannot serve */
    float *output;           /* [B, call_frames, width], where out cannot serve */
    float *hidden;           /* [B, call_frames, d_model], where out cannot serve */
    float *mixed;            /* [B, call_frames, d_model]: what a bare attention adds */
    void *workspace;         /* of a call */
    size_t attention_bytes;  /* of that for an attention layer */
    size_t *lengths, *valid; /* [B] frames of each utterance: in all, and in this call */
};

/* session_shape.c: what follows from configuration and options alone. What a session in chunks keeps: */
bool attn_streams_conv(const attn_session *session);   /* inputs of causal convolutions */
bool attn_streams_gates(const attn_session *session);  /* and, in a Conformer, their gates */
bool attn_streams_conv2d(const attn_session *session); /* frames before subsampling */

/* Whether the model adds sinusoids to its input. */
bool attn_adds_positions(const attn_config *config);

/* Rows of an utterance are side by side in x and out themselves, whatever the chunk. */
bool attn_session_is_contiguous(const attn_session *session);

/* The most frames of cache that a call finds; SIZE_MAX: all before it. */
size_t attn_session_kept(const attn_session *session);

/* Floats of the convolution cache of one layer. */
size_t attn_session_conv_floats(const attn_session *session);
/* New input frames that `frames` more frames of output take, after what was consumed. */
size_t attn_session_input_frames(const attn_config *config, size_t frames, size_t consumed);

/* session_projected.c. Where memory is refused there is no table, and no error. */
void attn_session_project(attn_session *session);
attn_projected attn_session_projected(const attn_session *session, size_t layer); /* all 0 without one */

/* session_memory.c: caches, positions, packed weights and workspace. */
int attn_session_allocate(attn_session *session, attn_error *error);
void attn_session_release(attn_session *session);

#endif
