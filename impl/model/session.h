/* What a session holds. Private to impl/model/. */
#ifndef ATTN_SESSION_PRIVATE_H
#define ATTN_SESSION_PRIVATE_H

#include "impl/model/model.h"

struct attn_session {
    attn_model *model;
    attn_session_options options;
    const attn_impl *impl;
    bool is_scalar;
    size_t max_frames;  /* after the input layer */
    size_t call_frames; /* most frames in one call */
    size_t capacity;    /* frames of cache */
    size_t widest;      /* most frames held since opening */
    attn_cache *caches; /* one a layer */
    float *positions;   /* sinusoids; row r is position r - positions_origin */
    size_t positions_origin;
    float *input, *output; /* [B, call_frames, ..]: rows of a chunk side by side, where x and out are not */
    float *hidden;         /* [B, call_frames, d_model], where out cannot serve */
    float *mixed;          /* [B, call_frames, d_model]: what attention adds */
    float *workspace;      /* of attention */
};

#endif
