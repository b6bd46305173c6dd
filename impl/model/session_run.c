/* Running a session: the loop over chunks, the input layer, the layers, the output. */
#include "impl/model/session.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

/* The input of a call: utterance b's frames start at x + b * stride floats. */
typedef struct input_rows {
    const float *x;
    size_t stride;
} input_rows;

static void begin(attn_session *session, size_t frames, const size_t *lengths) {
    const attn_config *config = &session->model->config;
    for (size_t i = 0; i < config->num_layers; i++)
        if (session->caches[i].variant)
            attn_cache_reset(&session->caches[i]);
    if (session->conv)
        memset(session->conv, 0, attn_alloc_size(session->conv));
    for (size_t i = 0; session->gates && i < config->num_layers; i++)
        attn_convolution_gate_zeros(session->gates + i * attn_session_conv_floats(session),
                                    session->options.batch * attn_left_context(config),
                                    &session->model->blocks[i].convolution, session->ops);
    session->consumed = session->carried = 0;
    for (size_t b = 0; b < session->options.batch; b++)
        session->lengths[b] = attn_output_frames(config, lengths ? attn_smaller(lengths[b], frames) : frames);
}

static void count_valid(attn_session *session, size_t first, size_t frames) {
    for (size_t b = 0; b < session->options.batch; b++) {
        size_t length = session->lengths[b], left = length > first ? length - first : 0;
        session->valid[b] = attn_smaller(left, frames);
    }
}

/* global_cmvn: x [rows, input_dim] in place. */
static void normalize(float *x, const attn_embed *embed, size_t rows, size_t input_dim) {
    for (size_t r = 0; r < rows; r++, x += input_dim)
        for (size_t i = 0; i < input_dim; i++)
            x[i] = (x[i] - embed->cmvn_mean[i]) * embed->cmvn_istd[i];
}

/* The frames carried over from the call before, then `count` new ones of x [B, total, input_dim]. */
static input_rows take_input(attn_session *session, const float *x, size_t total, size_t count) {
    size_t dim = session->model->config.input_dim, rows = session->carried + count;
    const float *from = x + session->consumed * dim;
    session->consumed += count;
    if (!session->window)
        return (input_rows){from, total * dim};
    for (size_t b = 0; b < session->options.batch; b++) {
        float *to = session->window + b * rows * dim;
        float *carry = session->carry ? session->carry + b * SUBSAMPLING_CARRY * dim : NULL;
        if (carry)
            memcpy(to, carry, session->carried * dim * sizeof(float));
        memcpy(to + session->carried * dim, from + b * total * dim, count * dim * sizeof(float));
        if (carry)
            memcpy(carry, to + (rows - SUBSAMPLING_CARRY) * dim, SUBSAMPLING_CARRY * dim * sizeof(float));
    }
    session->carried = session->carry ? SUBSAMPLING_CARRY : 0;
    if (session->model->embed.has_cmvn)
        normalize(session->window, &session->model->embed, session->options.batch * rows, dim);
    return (input_rows){session->window, rows * dim};
}

static void input_layer(const attn_session *session, float *h, const input_rows *in, size_t frames) {
    const attn_config *config = &session->model->config;
    const attn_embed *embed = &session->model->embed;
    size_t batch = session->options.batch, d_model = config->attention.d_model;
    for (size_t b = 0; b < batch; b++) {
        const float *x = in->x + b * in->stride;
        float *y = h + b * frames * d_model;
        if (config->input_layer == ATTN_INPUT_CONV2D)
            attn_subsampling(y, x, embed, frames, session->ops, session->packed_embed,
                             attn_arena_wet(session->workspace));
        else if (config->input_layer == ATTN_INPUT_LINEAR)
            session->ops->linear(y, d_model, x, config->input_dim, &embed->out, frames);
        else
            memcpy(y, x, frames * d_model * sizeof(float));
    }
    if (embed->has_norm)
        session->ops->layer_norm(h, h, &embed->norm, batch * frames, config->layer_norm_eps);
}

/* Sinusoids are added under abs_pos. */
static void add_positions(const attn_session *session, float *h, size_t first, size_t frames) {
    const attn_config *config = &session->model->config;
    size_t batch = session->options.batch, d_model = config->attention.d_model, row = frames * d_model;
    float scale = sqrtf((float)d_model);
    if (attn_scales_input(config))
        for (size_t i = 0; i < batch * row; i++)
            h[i] *= scale;
    for (size_t b = 0; attn_adds_positions(config) && b < batch; b++)
        session->ops->add_scaled(h + b * row, session->positions + first * d_model, row, 1.0f);
}

static void mark(const attn_session *session, attn_part part) {
    attn_mark(session->options.part, session->options.part_context, part);
}

/* h [B, frames, d_model] = what the layers see. */
static void embed_rows(const attn_session *session, float *h, const input_rows *in, size_t first,
                       size_t frames) {
    mark(session, ATTN_PART_SUBSAMPLING);
    input_layer(session, h, in, frames);
    mark(session, ATTN_PART_OTHER);
    add_positions(session, h, first, frames);
}

static attn_call attention_call(const attn_session *session, size_t layer, const float *x, size_t frames) {
    return (attn_call){.x = x,
                       .batch = session->options.batch,
                       .frames = frames,
                       .lengths = session->lengths,
                       .path = session->options.path,
                       .sinusoids = &session->sinusoids,
                       .projected = attn_session_projected(session, layer)};
}

static attn_cache *layer_cache(const attn_session *session, size_t layer) {
    attn_cache *cache = &session->caches[session->options.one_cache ? 0 : layer];
    if (session->options.one_cache && cache->variant)
        attn_cache_reset(cache);
    if (cache->variant)
        attn_cache_keep(cache, attn_session_kept(session));
    return cache;
}

static void attend(attn_session *session, float *out, size_t layer, const float *x, size_t frames) {
    attn_call call = attention_call(session, layer, x, frames);
    mark(session, ATTN_PART_ATTENTION);
    if (session->options.input)
        session->options.input(session->options.input_context, layer, x, call.batch, frames, session->valid);
    session->impl->forward(out, &session->model->blocks[layer].attention, layer_cache(session, layer), &call,
                           session->workspace);
    mark(session, ATTN_PART_OTHER);
}

/* Bare attention. One layer: h = attn(x). Several: x = x + attn(x) in each. */
static void run_attention(attn_session *session, float *h, const input_rows *in, size_t first,
                          size_t frames) {
    const attn_config *config = &session->model->config;
    size_t count = session->options.batch * frames * config->attention.d_model;
    if (config->num_layers == 1) {
        if (session->mixed)
            embed_rows(session, session->mixed, in, first, frames);
        attend(session, h, 0, session->mixed ? session->mixed : in->x, frames);
        return;
    }
    embed_rows(session, h, in, first, frames);
    for (size_t layer = 0; layer < config->num_layers; layer++) {
        attend(session, session->mixed, layer, h, frames);
        session->ops->add_scaled(h, session->mixed, count, 1.0f);
    }
}

static void clear_padding(const attn_session *session, float *rows, size_t frames, size_t width) {
    for (size_t b = 0; b < session->options.batch; b++)
        memset(rows + (b * frames + session->valid[b]) * width, 0,
               (frames - session->valid[b]) * width * sizeof(float));
}

static void run_encoder(attn_session *session, float *h, const input_rows *in, size_t first, size_t frames) {
    attn_model *model = session->model;
    const attn_config *config = &model->config;
    attn_encoder_call call = {.config = config,
                              .ops = session->ops,
                              .attention = session->impl,
                              .batch = session->options.batch,
                              .frames = frames,
                              .valid = session->valid,
                              .part = session->options.part,
                              .part_context = session->options.part_context,
                              .input = session->options.input,
                              .input_context = session->options.input_context,
                              .attention_bytes = session->attention_bytes};
    attn_arena arena = attn_arena_wet(session->workspace);
    embed_rows(session, h, in, first, frames);
    clear_padding(session, h, frames, config->attention.d_model);
    for (size_t layer = 0; layer < config->num_layers; layer++) {
        size_t at = layer * attn_session_conv_floats(session);
        call.layer = layer;
        call.attend = attention_call(session, layer, NULL, frames);
        attn_block_state state = {.kv = layer_cache(session, layer),
                                  .conv = session->conv ? session->conv + at : NULL,
                                  .gates = session->gates ? session->gates + at : NULL,
                                  .packed = &session->packed_blocks[layer]};
        if (config->model_type == ATTN_MODEL_CONFORMER)
            attn_conformer_block(h, &model->blocks[layer], &state, &call, arena);
        else
            attn_branchformer_block(h, &model->blocks[layer], &state, &call, arena);
    }
    if (attn_has_after_norm(config))
        session->ops->layer_norm(h, h, &model->after_norm, call.batch * frames, config->layer_norm_eps);
}

/* One call: out [B, frames, width]. */
static void run_call(attn_session *session, float *out, const input_rows *in, size_t first, size_t frames) {
    const attn_config *config = &session->model->config;
    size_t d_model = config->attention.d_model, width = attn_session_width(session);
    float *h = session->hidden ? session->hidden : out;
    bool bare = config->model_type == ATTN_MODEL_ATTENTION;
    count_valid(session, first, frames);
    (bare ? run_attention : run_encoder)(session, h, in, first, frames);
    if (session->hidden)
        session->ops->linear(out, width, h, d_model, &session->model->ctc, session->options.batch * frames);
    clear_padding(session, out, frames, width);
    session->widest = attn_larger(session->widest, session->caches[0].length);
}

static void scatter_rows(float *out, const float *rows, size_t batch, size_t total, size_t first,
                         size_t frames, size_t width) {
    for (size_t b = 0; b < batch; b++)
        memcpy(out + (b * total + first) * width, rows + b * frames * width, frames * width * sizeof(float));
}

/* The call that begins at frame `first` of the output, out of `frames` input frames in all. Returns its
 * frames. */
static size_t run_next(attn_session *session, float *out, const float *x, size_t frames, size_t first) {
    const attn_config *config = &session->model->config;
    size_t width = attn_session_width(session), total = attn_output_frames(config, frames);
    size_t count = attn_smaller(session->call_frames, total - first);
    session->newest = (attn_call_start){.first = first,
                                        .frames = count,
                                        .consumed = session->consumed,
                                        .carried = session->carried,
                                        .held = session->caches[0].length,
                                        .held_first = session->caches[0].first};
    size_t taken = attn_session_input_frames(config, count, session->consumed);
    input_rows in = take_input(session, x, frames, taken);
    float *rows = session->output ? session->output : out + first * width;
    run_call(session, rows, &in, first, count);
    if (session->output)
        scatter_rows(out, rows, session->options.batch, total, first, count, width);
    return count;
}

/* What the calling thread had before a session ran on it. */
typedef struct caller {
    attn_isa limit;
    attn_threads *threads;
} caller;

static caller enter(const attn_session *session) {
    return (caller){attn_cpu_limit(session->isa), attn_threads_use(session->options.threads)};
}

static void leave(caller before) {
    attn_threads_use(before.threads);
    attn_cpu_limit(before.limit);
}

void attn_session_run(attn_session *session, float *out, const float *x, size_t frames, const size_t *lengths,
                      attn_chunk_hook *hook, void *context) {
    size_t total = attn_output_frames(&session->model->config, frames);
    caller before = enter(session);
    begin(session, frames, lengths);
    for (size_t first = 0, index = 0; first < total; index++) {
        size_t count = run_next(session, out, x, frames, first);
        first += count;
        if (hook)
            hook(context, index, count);
    }
    leave(before);
}

/* Brings the cache to `frames` frames by repeating the rows that it holds. */
static void fill_cache(attn_cache *cache, size_t frames) {
    size_t held = cache->length, most = attn_smaller(frames, cache->capacity);
    for (size_t slot = 0; slot < cache->slots; slot++) {
        size_t heads = cache->slot[slot].heads ? cache->slot[slot].heads : 1,
               bytes = attn_cache_row_bytes(cache, slot);
        for (size_t i = 0; i < cache->batch * heads && !cache->slot[slot].rows; i++) {
            char *rows = attn_cache_rows(cache, slot, i / heads, i % heads);
            for (size_t row = held; held && row < most; row++)
                memcpy(rows + row * bytes, rows + (row - held) * bytes, bytes);
        }
    }
    cache->length = most;
    cache->first = frames - most;
}

static void skip_to(attn_session *session, size_t first, size_t from) {
    const attn_config *config = &session->model->config;
    for (size_t i = 0; i < config->num_layers; i++)
        if (session->caches[i].variant)
            fill_cache(&session->caches[i], first);
    session->consumed += attn_session_input_frames(config, first - from, session->consumed);
}

void attn_session_run_end(attn_session *session, float *out, const float *x, size_t frames) {
    size_t total = attn_output_frames(&session->model->config, frames), first = 0;
    size_t last = total ? (total - 1) / session->call_frames * session->call_frames : 0;
    caller before = enter(session);
    begin(session, frames, NULL);
    for (size_t call = 0; call < 2 && first < last; call++)
        first += run_next(session, out, x, frames, first);
    if (first < last)
        skip_to(session, last, first);
    if (total)
        run_next(session, out, x, frames, last);
    leave(before);
}

void attn_session_repeat(attn_session *session, float *out, const float *x, size_t frames) {
    const attn_call_start *newest = &session->newest;
    const attn_config *config = &session->model->config;
    for (size_t i = 0; attn_uses_attention(config) && i < config->num_layers; i++) {
        session->caches[i].length = newest->held;
        session->caches[i].first = newest->held_first;
    }
    session->consumed = newest->consumed;
    session->carried = newest->carried;
    caller before = enter(session);
    if (newest->frames)
        run_next(session, out, x, frames, newest->first);
    leave(before);
}
