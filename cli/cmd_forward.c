/* attnbench forward: runs a model on features and writes what comes out. */
#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/file.h"
#include "attn/model.h"
#include "attn/npy.h"
#include "cli/frame/command.h"
#include "harness/model/choices.h"
#include "harness/model/utterances.h"

#include <math.h>
#include <stdio.h>

typedef struct forward_options {
    char *config, *weights, *input, *output, *lengths, *path, *impl, *kv_dtype, *cache_out;
    long long chunk, left_chunks, seed, threads;
    int logits;
    attn_path path_choice;
} forward_options;

static double largest(const attn_array *input, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double size = fabs((double)input->data[i]);
        most = size > most ? size : most;
    }
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
    if (o->seed == OPTION_NOT_GIVEN)
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
        option_range_given("--chunk", o->chunk, 1, 1 << 30, error) ||
        option_range("--left-chunks", o->left_chunks, -1, 1 << 30, error) ||
        option_range("--threads", o->threads, 1, CHOOSE_THREADS_MOST, error))
        return -1;
    const char *const sources[][2] = {
        {"--config", o->config}, {"--weights", o->weights}, {"--input", o->input}, {"--output", o->output}};
    for (size_t i = 0; i < 4; i++)
        if ((i < 3 && option_distinct("--output", o->output, sources[i][0], sources[i][1], error)) ||
            option_distinct("--cache-out", o->cache_out, sources[i][0], sources[i][1], error))
            return -1;
    if (o->chunk == OPTION_NOT_GIVEN)
        o->chunk = 0;
    if (o->left_chunks >= 0 && !o->chunk)
        return attn_fail(error, "--left-chunks %lld: needs --chunk", o->left_chunks);
    return 0;
}

static int run(const forward_options *o, const attn_config *config, attn_model *model, attn_error *error) {
    utterance_batch u;
    attn_threads *threads = NULL;
    attn_session *session = NULL;
    float *out = NULL;
    int result = -1;
    if (utterances_read(&u, o->input, o->lengths, config, error) ||
        choose_threads(&threads, (size_t)o->threads, error))
        goto done;
    attn_session_options options = {.batch = u.count,
                                    .max_frames = u.frames,
                                    .chunk = (size_t)o->chunk,
                                    .left_chunks = (long)o->left_chunks,
                                    .impl = o->impl,
                                    .path = o->path_choice,
                                    .threads = threads,
                                    .keep_positions = o->chunk > 0,
                                    .logits = o->logits};
    if (attn_session_open(&session, model, &options, error))
        goto done;
    size_t dims[3] = {u.count, attn_output_frames(config, u.frames), attn_session_width(session)};
    out = attn_alloc(dims[0] * dims[1], dims[2] * sizeof(float), "output", error);
    if (!out)
        goto done;
    attn_session_run(session, out, u.input.data, u.frames, u.lengths, NULL, NULL);
    if (check_output(out, dims, &u.input, o->input, error))
        goto done;
    if (o->cache_out && attn_session_save_cache(session, o->cache_out, error))
        goto done;
    result = attn_npy_write(o->output, out, u.input.rank, dims + 3 - u.input.rank, error);
    if (result && o->cache_out)
        attn_output_remove(o->cache_out); /* both or none */
done:
    attn_free(out);
    attn_session_close(session);
    attn_threads_close(threads);
    utterances_free(&u);
    return result;
}

static int fill_weights(attn_model *model, const forward_options *o, attn_error *error) {
    if (!o->weights)
        attn_model_randomize(model, (uint64_t)o->seed);
    else if (attn_model_load(model, o->weights, error))
        return -1;
    return choose_packing(model, o->impl, "forward", error);
}

static int forward(const forward_options *o, attn_error *error) {
    attn_config config;
    attn_model *model = NULL;
    char note[256];
    int result = -1;
    if (attn_config_read(&config, o->config, note, error) ||
        choose_path(o->path_choice, config.variant, error) || choose_kv_dtype(&config, o->kv_dtype, error) ||
        attn_model_create(&model, &config, error) || fill_weights(model, o, error))
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
    forward_options o = {.path = "auto",
                         .impl = "auto",
                         .chunk = OPTION_NOT_GIVEN,
                         .left_chunks = -1,
                         .seed = OPTION_NOT_GIVEN,
                         .threads = 1};
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
         "frames at a time, counted after the input layer: under conv2d N are 4 N input frames (default: "
         "all at once)",
         "N"},
        {"left-chunks", '\0', POPT_ARG_LONGLONG, &o.left_chunks, 0,
         "chunks of N frames of cache kept before the current one; -1 keeps all", "M"},
        {"path", '\0', POPT_ARG_STRING, &o.path, 0, "mla*: auto, expand or absorb", "P"},
        {"impl", '\0', POPT_ARG_STRING, &o.impl, 0, CHOOSE_IMPL_HELP, "I"},
        {"kv-dtype", '\0', POPT_ARG_STRING, &o.kv_dtype, 0, CHOOSE_KV_DTYPE_HELP, "T"},
        {"threads", '\0', POPT_ARG_LONGLONG, &o.threads, 0, CHOOSE_THREADS_HELP, "N"},
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
