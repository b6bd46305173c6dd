/* A whole pass: embed, blocks, after_norm, output layer, CTC, and back. */
#include "impl/model/model.h"
#include "attn/train.h"
#include "impl/train/passes/block.h"
#include "impl/train/passes/ctc.h"
#include "impl/train/passes/embed/embed.h"
#include "impl/train/passes/stored.h"

#include <string.h>

typedef struct attn_train_tape {
    attn_train_pass pass;
    attn_train_positions positions;
    attn_embed_tape embed;
    attn_block_tape *blocks; /* one a layer; in bf16 and with checkpoints all in the same memory */
    attn_real *inputs;       /* checkpointing: [layers, rows, d_model] */
    attn_real *region;       /* that memory */
    uint16_t *stored;        /* in bf16: [layers - 1, stored_count] of the region, or of inputs */
    size_t stored_count;
    bool checkpoints;
    attn_norm_tape after_norm;
    attn_real *h, *dh;           /* [rows, d_model] */
    attn_real *encoded;          /* [rows, d_model] what the output layer sees */
    attn_real *logits, *dlogits; /* [rows, vocab_size] */
    void *ctc;
} attn_train_tape;

/* ---- Layout ---- */

static void count_rows(attn_ragged *rows, size_t length, size_t u) {
    if (rows->start)
        rows->start[u + 1] = rows->start[u] + length;
    size_t square;
    if (__builtin_mul_overflow(length, length, &square) ||
        __builtin_add_overflow(rows->squares, square, &rows->squares))
        rows->squares = SIZE_MAX;
    rows->rows += length;
    rows->longest = attn_larger(rows->longest, length);
}

static void lay_rows(attn_ragged *rows, size_t utterances, attn_arena *arena) {
    *rows = (attn_ragged){.utterances = utterances,
                          .start = attn_arena_take(arena, utterances + 1, sizeof(size_t))};
    if (rows->start)
        rows->start[0] = 0;
}

static void rows_layout(attn_train_pass *pass, const attn_train_batch *batch, attn_arena *arena) {
    lay_rows(&pass->input, batch->utterances, arena);
    lay_rows(&pass->rows, batch->utterances, arena);
    for (size_t u = 0; u < batch->utterances; u++) {
        size_t length = batch->lengths ? attn_smaller(batch->lengths[u], batch->frames) : batch->frames;
        size_t out = attn_output_frames(pass->config, length);
        count_rows(&pass->input, length, u);
        count_rows(&pass->rows, out, u);
    }
}

static size_t ctc_bytes(const attn_train_pass *pass, const attn_train_batch *batch) {
    size_t most = 0;
    for (size_t u = 0; u < batch->utterances; u++)
        most = attn_larger(most, batch->label_counts[u]);
    return attn_train_ctc_bytes(pass->rows.longest, pass->config->vocab_size,
                                attn_smaller(most, pass->rows.longest));
}

static void block_layout(attn_train_tape *tape, const attn_model *model, size_t i, attn_layouts *at) {
    attn_block_tape measured = {0}, *block = tape->blocks ? &tape->blocks[i] : &measured;
    attn_train_block_layout(block, &model->blocks[i], &tape->positions, &tape->pass, at);
}

/* All blocks in the same memory, of the largest. */
static void shared_layout(attn_train_tape *tape, const attn_model *model, attn_layouts *at) {
    attn_layouts dry = {attn_arena_dry(), attn_arena_dry()};
    for (size_t i = 0; i < model->config.num_layers; i++) {
        attn_block_tape measured = {0};
        attn_arena_release(&dry.keep, 0);
        attn_train_block_layout(&measured, &model->blocks[i], &tape->positions, &tape->pass, &dry);
    }
    tape->stored_count = dry.keep.peak / sizeof(attn_real);
    tape->region = attn_arena_take(&at->keep, dry.keep.peak, 1);
    for (size_t i = 0; i < model->config.num_layers; i++) {
        attn_layouts own = {{.memory = (char *)tape->region, .peak = dry.keep.peak}, at->scratch};
        block_layout(tape, model, i, &own);
        at->scratch = own.scratch;
    }
}

static void blocks_layout(attn_train_tape *tape, const attn_model *model, const attn_train_options *options,
                          attn_layouts *at) {
    size_t layers = model->config.num_layers, d_model = model->config.attention.d_model;
    tape->checkpoints = options->checkpoint_activations;
    tape->blocks = attn_arena_take(&at->keep, layers, sizeof *tape->blocks);
    if (tape->checkpoints || options->bf16_activations) {
        shared_layout(tape, model, at);
    } else {
        for (size_t i = 0; i < layers; i++)
            block_layout(tape, model, i, at);
    }
    if (tape->checkpoints)
        tape->stored_count = tape->pass.rows.rows * d_model;
    if (tape->checkpoints && !options->bf16_activations)
        tape->inputs = attn_arena_reals(&at->keep, layers * tape->pass.rows.rows, d_model);
    if (options->bf16_activations) {
        size_t count;
        if (__builtin_mul_overflow(layers - 1, tape->stored_count, &count))
            count = SIZE_MAX;
        tape->stored = attn_arena_take(&at->keep, count, sizeof *tape->stored);
    }
}

static void tape_layout(attn_train_tape *tape, const attn_model *model, const attn_train_batch *batch,
                        const attn_train_options *options, attn_layouts *at) {
    size_t d_model = model->config.attention.d_model, vocab = model->config.vocab_size;
    *tape = (attn_train_tape){.pass = {.config = &model->config,
                                       .dropout = options->dropout,
                                       .seed = options->seed,
                                       .step = options->step,
                                       .fixed_statistics = options->fixed_statistics}};
    rows_layout(&tape->pass, batch, &at->keep);
    size_t rows = tape->pass.rows.rows;
    tape->h = attn_arena_reals(&at->keep, rows, d_model);
    tape->dh = attn_arena_reals(&at->keep, rows, d_model);
    tape->encoded = attn_arena_reals(&at->keep, rows, d_model);
    tape->logits = attn_arena_reals(&at->keep, rows, vocab);
    tape->dlogits = attn_arena_reals(&at->keep, rows, vocab);
    tape->ctc = attn_arena_take(&at->scratch, ctc_bytes(&tape->pass, batch), 1);
    attn_arena_release(&at->scratch, 0);
    attn_train_layer_norm_layout(&tape->after_norm, rows, d_model, at);
    attn_train_positions_layout(&tape->positions, &tape->pass, at);
    attn_train_embed_layout(&tape->embed, &model->embed, &tape->pass, at);
    blocks_layout(tape, model, options, at);
}

/* The bytes of `keep`, then those of `scratch` behind it. */
static void measure(size_t bytes[2], const attn_model *model, const attn_train_batch *batch,
                    const attn_train_options *options) {
    attn_train_tape tape;
    attn_layouts at = {attn_arena_dry(), attn_arena_dry()};
    tape_layout(&tape, model, batch, options, &at);
    bytes[0] = at.keep.peak;
    bytes[1] = at.scratch.peak;
}

size_t attn_train_bytes(const attn_model *model, const attn_train_batch *batch,
                        const attn_train_options *options) {
    size_t bytes[2], sum;
    measure(bytes, model, batch, options);
    return __builtin_add_overflow(bytes[0], bytes[1], &sum) ? SIZE_MAX : sum;
}

/* ---- Forward ---- */

/* The batch's statistics, for the running ones. */
static void leave_statistics(const attn_norm *dnorm, const attn_norm_tape *tape, size_t rows) {
    attn_real *mean = attn_gradients(dnorm->mean), *variance = attn_gradients(dnorm->variance);
    attn_real unbiased = rows > 1 ? (attn_real)rows / (attn_real)(rows - 1) : 1;
    for (size_t c = 0; rows && c < dnorm->width; c++) {
        mean[c] = tape->mean[c];
        variance[c] = tape->variance[c] * unbiased;
    }
}

/* Before a block: what makes its tape again. */
static void keep_input(attn_train_tape *tape, size_t layer, size_t count) {
    if (tape->inputs)
        memcpy(tape->inputs + layer * count, tape->h, count * sizeof *tape->h);
    else
        attn_train_store(tape->stored + layer * count, tape->h, count);
}

/* The last block's tape is there when the way back begins, so that it is kept as it is. */
static void run_blocks(attn_train_tape *tape, attn_model *gradient, const attn_model *model) {
    const attn_config *config = &model->config;
    size_t rows = tape->pass.rows.rows, count = rows * config->attention.d_model, layers = config->num_layers;
    bool batch_norm = attn_has_batch_norm(config);
    for (size_t i = 0; i < layers; i++) {
        attn_block_tape *block = &tape->blocks[i];
        tape->pass.layer = i;
        if (tape->checkpoints && i + 1 < layers)
            keep_input(tape, i, count);
        attn_train_block(tape->h, block, &model->blocks[i], &tape->positions, &tape->pass);
        if (tape->stored && !tape->checkpoints && i + 1 < layers)
            attn_train_store(tape->stored + i * tape->stored_count, tape->region, tape->stored_count);
        if (batch_norm && gradient)
            leave_statistics(&gradient->blocks[i].convolution.norm, &block->convolution.norm, rows);
    }
}

/* The tape of a block that others have written over. */
static void take_up_block(attn_train_tape *tape, const attn_model *model, size_t layer) {
    size_t count = tape->stored_count;
    if (!tape->checkpoints) {
        attn_train_take(tape->region, tape->stored + layer * count, count);
        return;
    }
    if (tape->inputs)
        memcpy(tape->h, tape->inputs + layer * count, count * sizeof *tape->h);
    else
        attn_train_take(tape->h, tape->stored + layer * count, count);
    attn_train_block(tape->h, &tape->blocks[layer], &model->blocks[layer], &tape->positions, &tape->pass);
}

/* Dropout's sites of the input layer are those of layer 0. */
static void encode(attn_train_tape *tape, attn_model *gradient, const attn_model *model,
                   const attn_train_batch *batch) {
    size_t rows = tape->pass.rows.rows, d_model = model->config.attention.d_model;
    tape->pass.layer = 0;
    attn_train_positions_fill(&tape->positions, &tape->pass);
    attn_train_embed(tape->h, &tape->embed, batch->x, batch->frames, &model->embed, &tape->pass);
    run_blocks(tape, gradient, model);
    if (attn_has_after_norm(&model->config))
        attn_train_layer_norm(tape->encoded, &tape->after_norm, tape->h, &model->after_norm, rows,
                              model->config.layer_norm_eps);
    else
        memcpy(tape->encoded, tape->h, rows * d_model * sizeof *tape->h);
    attn_train_linear(tape->logits, tape->encoded, &model->ctc, rows);
}

/* Sets dlogits, too. */
static void take_losses(attn_train_tape *tape, const attn_train_batch *batch, attn_train_result *result) {
    size_t vocab = tape->pass.config->vocab_size;
    const int32_t *labels = batch->labels;
    result->loss = 0;
    result->infeasible = 0;
    for (size_t u = 0; u < batch->utterances; u++) {
        size_t at = tape->pass.rows.start[u] * vocab;
        bool feasible;
        double loss = attn_train_ctc_real(tape->dlogits + at, 1.0 / (double)batch->utterances,
                                          tape->logits + at, attn_ragged_length(&tape->pass.rows, u), vocab,
                                          labels, batch->label_counts[u], tape->ctc, &feasible);
        labels += batch->label_counts[u];
        result->infeasible += !feasible;
        result->loss += loss / (double)batch->utterances;
        if (result->losses)
            result->losses[u] = loss;
    }
}

/* ---- Backward ---- */

static void blocks_backward(attn_train_tape *tape, attn_model *gradient, const attn_model *model) {
    size_t layers = model->config.num_layers;
    for (size_t i = layers; i-- > 0;) {
        tape->pass.layer = i;
        if (tape->region && i + 1 < layers)
            take_up_block(tape, model, i);
        attn_train_block_backward(tape->dh, &tape->blocks[i], &model->blocks[i], &gradient->blocks[i],
                                  &tape->positions, &tape->pass);
    }
}

static void decode_backward(attn_train_tape *tape, attn_model *gradient, const attn_model *model) {
    size_t rows = tape->pass.rows.rows, count = rows * model->config.attention.d_model;
    bool norms = attn_has_after_norm(&model->config);
    attn_real *dencoded = norms ? tape->h : tape->dh; /* h is not needed again */
    attn_train_linear_backward(dencoded, 0, tape->dlogits, tape->encoded, &model->ctc, &gradient->ctc, rows);
    if (!norms)
        return;
    memset(tape->dh, 0, count * sizeof *tape->dh);
    attn_train_layer_norm_backward(tape->dh, dencoded, &tape->after_norm, &model->after_norm,
                                   &gradient->after_norm, rows);
}

void attn_train_gradients(attn_model *gradient, const attn_model *model, const attn_train_batch *batch,
                          const attn_train_options *options, void *workspace, attn_train_result *result) {
    attn_train_tape tape;
    size_t bytes[2];
    measure(bytes, model, batch, options);
    attn_layouts at = {attn_arena_wet(workspace), attn_arena_wet((char *)workspace + bytes[0])};
    tape_layout(&tape, model, batch, options, &at);
    encode(&tape, gradient, model, batch);
    take_losses(&tape, batch, result);
    if (!gradient)
        return;
    decode_backward(&tape, gradient, model);
    blocks_backward(&tape, gradient, model);
    tape.pass.layer = 0;
    attn_train_embed_backward(tape.dh, &tape.embed, &model->embed, &gradient->embed, &tape.pass);
}
