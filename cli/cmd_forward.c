/* attnbench forward: runs a model on features and writes what comes out. */
#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/file.h"
#include "attn/model.h"
#include "attn/npy.h"
#include "cli/command.h"
#include "harness/model/choices.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct forward_options {
    char *config, *weights, *input, *output, *lengths, *path, *impl, *cache_out;
    long long chunk, left_chunks, seed;
    int logits;
    attn_path path_choice;
} forward_options;

static const long long NOT_GIVEN = LLONG_MIN;

/* "a,b,c" into one length for each utterance. NULL text: NULL lengths, everything is valid. */
static int parse_lengths(size_t **lengths, const char *text, size_t batch, size_t frames, attn_error *error) {
    *lengths = NULL;
    if (!text)
        return 0;
    *lengths = attn_alloc(batch, sizeof(size_t), "lengths", error);
    if (!*lengths)
        return -1;
    size_t count = 0;
    for (const char *c = text;; c++) {
        char *end;
        errno = 0;
        unsigned long long value = strtoull(c, &end, 10);
        if (end == c || *c < '0' || *c > '9' || errno || (*end && *end != ','))
            return attn_fail(error, "--lengths %s: expected whole numbers with commas between", text);
        if (value > frames)
            return attn_fail(error, "--lengths %s: %llu is more than the input's %zu frames", text, value,
                             frames);
        if (count < batch)
            (*lengths)[count] = (size_t)value;
        count++;
        c = end;
        if (!*end)
            break;
    }
    if (count != batch)
        return attn_fail(error, "--lengths %s: found %zu, expected one for each of %zu utterances", text,
                         count, batch);
    return 0;
}

/* Padding may hold anything: it must not matter. */
static int check_finite(const attn_array *input, const size_t *lengths, const char *path, size_t batch,
                        size_t frames, size_t width, attn_error *error) {
    for (size_t b = 0; b < batch; b++) {
        size_t count = (lengths ? lengths[b] : frames) * width;
        size_t i = attn_first_nonfinite(input->data + b * frames * width, count);
        if (i < count)
            return attn_fail(error, "%s: utterance %zu, frame %zu, value %zu is not a finite number", path, b,
                             i / width, i % width);
    }
    return 0;
}

static double largest(const attn_array *input, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)input->data[i]));
    return most;
}

/* Finite input and weights may still overflow on the way. */
static int check_output(const float *out, const size_t dims[3], const attn_array *input, const char *path,
                        attn_error *error) {
    size_t count = dims[0] * dims[1] * dims[2], width = dims[2], i = attn_first_nonfinite(out, count);
    if (i == count)
        return 0;
    return attn_fail(
        error,
        "%s: utterance %zu, frame %zu of the output is not a finite number: the largest input is %g, "
        "too large for this model in float32",
        path, i / width / dims[1], i / width % dims[1],
        largest(input, dims[0] * input->dims[input->rank - 2] * input->dims[input->rank - 1]));
}

static int check_weights(const forward_options *o, attn_error *error) {
    if (o->seed == NOT_GIVEN)
        return o->weights ? 0 : attn_fail(error, "--weights is needed (or --seed, for random weights)");
    if (o->weights)
        return attn_fail(
            error, "--seed %lld: random weights, and --weights is given; only one of them can be", o->seed);
    return option_range("--seed", o->seed, 0, 1LL << 62, error);
}

static int check_options(forward_options *o, attn_error *error) {
    int path = option_choice("--path", o->path, attn_path_names, error);
    o->path_choice = (attn_path)path;
    if (path < 0 || option_needs("--config", o->config, error) || check_weights(o, error) ||
        option_needs("--input", o->input, error) || option_needs("--output", o->output, error) ||
        (o->chunk != NOT_GIVEN && option_range("--chunk", o->chunk, 1, 1 << 30, error)) ||
        option_range("--left-chunks", o->left_chunks, -1, 1 << 30, error))
        return -1;
    const char *const sources[][2] = {
        {"--config", o->config}, {"--weights", o->weights}, {"--input", o->input}, {"--output", o->output}};
    for (size_t i = 0; i < 4; i++)
        if ((i < 3 && option_distinct("--output", o->output, sources[i][0], sources[i][1], error)) ||
            option_distinct("--cache-out", o->cache_out, sources[i][0], sources[i][1], error))
            return -1;
    if (o->chunk == NOT_GIVEN)
        o->chunk = 0;
    if (o->left_chunks >= 0 && !o->chunk)
        return attn_fail(error, "--left-chunks %lld: needs --chunk", o->left_chunks);
    return 0;
}

/* Input is [B, T, input_dim], or [T, input_dim] for one utterance. */
static int check_shape(const attn_array *input, const attn_config *config, const char *path,
                       attn_error *error) {
    if (input->rank < 2 || input->rank > 3)
        return attn_fail(error, "%s: %zu axes, expected 3 (utterances, frames, input_dim) or 2", path,
                         input->rank);
    size_t width = input->dims[input->rank - 1], frames = input->dims[input->rank - 2];
    if (width != config->input_dim)
        return attn_fail(error, "%s: last axis is %zu, expected input_dim %zu", path, width,
                         config->input_dim);
    if (!attn_output_frames(config, frames))
        return attn_fail(error, "%s: %zu frames give none after the input layer", path, frames);
    return 0;
}

static int run(const forward_options *o, const attn_config *config, attn_model *model, attn_error *error) {
    attn_array input = {0};
    attn_session *session = NULL;
    size_t *lengths = NULL;
    float *out = NULL;
    int result = -1;
    if (attn_npy_read(&input, o->input, error) || check_shape(&input, config, o->input, error))
        goto done;
    size_t batch = input.rank == 3 ? input.dims[0] : 1, frames = input.dims[input.rank - 2];
    if (parse_lengths(&lengths, o->lengths, batch, frames, error) ||
        check_finite(&input, lengths, o->input, batch, frames, config->input_dim, error))
        goto done;
    attn_session_options options = {.batch = batch,
                                    .max_frames = frames,
                                    .chunk = (size_t)o->chunk,
                                    .left_chunks = (long)o->left_chunks,
                                    .impl = o->impl,
                                    .path = o->path_choice,
                                    .logits = o->logits};
    if (attn_session_open(&session, model, &options, error))
        goto done;
    size_t dims[3] = {batch, attn_output_frames(config, frames), attn_session_width(session)};
    out = attn_alloc(dims[0] * dims[1], dims[2] * sizeof(float), "output", error);
    if (!out)
        goto done;
    attn_session_run(session, out, input.data, frames, lengths, NULL, NULL);
    if (check_output(out, dims, &input, o->input, error))
        goto done;
    if (o->cache_out && attn_session_save_cache(session, o->cache_out, error))
        goto done;
    result = attn_npy_write(o->output, out, input.rank, dims + 3 - input.rank, error);
    if (result && o->cache_out)
        attn_output_remove(o->cache_out); /* both or none */
done:
    attn_free(out);
    attn_session_close(session);
    attn_free(lengths);
    attn_free(input.data);
    return result;
}

static int fill_weights(attn_model *model, const forward_options *o, attn_error *error) {
    if (o->weights)
        return attn_model_load(model, o->weights, error);
    attn_model_randomize(model, (uint64_t)o->seed);
    return 0;
}

static int forward(const forward_options *o, attn_error *error) {
    attn_config config;
    attn_model *model = NULL;
    char note[256];
    int result = -1;
    if (attn_config_read(&config, o->config, note, error) ||
        choose_path(o->path_choice, config.variant, error) || attn_model_create(&model, &config, error) ||
        fill_weights(model, o, error))
        goto done;
    if (*attn_model_load_note(model))
        fprintf(stderr, "attnbench forward: %s\n", attn_model_load_note(model));
    if (note[0])
        fprintf(stderr, "attnbench forward: %s\n", note);
    if (o->chunk && *attn_stream_note(&config))
        fprintf(stderr, "attnbench forward: %s\n", attn_stream_note(&config));
    result = run(o, &config, model, error);
    if (!result && !o->weights)
        fprintf(stderr, "attnbench forward: %s comes from random weights, seed %lld\n", o->output, o->seed);
done:
    attn_model_free(model);
    return result;
}

int cmd_forward(int argc, char **argv) {
    forward_options o = {
        .path = "auto", .impl = "auto", .chunk = NOT_GIVEN, .left_chunks = -1, .seed = NOT_GIVEN};
    struct poptOption table[] = {
        {"config", 'c', POPT_ARG_STRING, &o.config, 0, "needed: model configuration (YAML)", "F"},
        {"weights", 'w', POPT_ARG_STRING, &o.weights, 0, "needed, or --seed: checkpoint (safetensors)", "F"},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0,
         "instead of --weights: random weights, as benchmarks have them", "N"},
        {"input", 'i', POPT_ARG_STRING, &o.input, 0, "needed: features [B, T, input_dim], float32", "X.npy"},
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "needed: where the result goes", "Y.npy"},
        {"lengths", 'l', POPT_ARG_STRING, &o.lengths, 0,
         "valid input frames of each utterance (default: all)", "a,b"},
        {"chunk", '\0', POPT_ARG_LONGLONG, &o.chunk, 0,
         "frames at a time, counted after the input layer: under conv2d N are 4 N input frames (default: all "
         "at "
         "once)",
         "N"},
        {"left-chunks", '\0', POPT_ARG_LONGLONG, &o.left_chunks, 0,
         "chunks of N frames of cache kept before the current one; -1 keeps all", "M"},
        {"path", '\0', POPT_ARG_STRING, &o.path, 0, "mla*: auto, expand or absorb", "P"},
        {"impl", '\0', POPT_ARG_STRING, &o.impl, 0, CHOOSE_IMPL_HELP, "I"},
        {"cache-out", '\0', POPT_ARG_STRING, &o.cache_out, 0,
         "also write the caches (safetensors): attention, and those of streaming convolutions", "F"},
        {"logits", '\0', POPT_ARG_NONE, &o.logits, 0, "end with the output layer, ctc.ctc_lo", NULL},
        POPT_TABLEEND};
    int status;
    if (!command_options(argc, argv, "",
                         "Runs a model on features [B, T, input_dim] and writes [B, frames, d_model].", table,
                         NULL, &status))
        return status;
    attn_error error = {0};
    status = check_options(&o, &error) ? STATUS_BAD_INPUT : choose_impl(o.impl, &error);
    if (status == STATUS_OK && forward(&o, &error))
        status = STATUS_BAD_INPUT;
    if (status != STATUS_OK)
        command_fail("forward", &error);
    return status;
}
