/* attnbench convert: MHA checkpoints to MLA or GQA. */
#include "attn/alloc.h"
#include "attn/convert.h"
#include "attn/file.h"
#include "cli/frame/command.h"
#include "cli/frame/model_output.h"
#include "harness/conversion/calibration.h"
#include "harness/conversion/convert_print.h"
#include "impl/attention/variant_names.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { MOST_FRAMES = 1 << 24, CALIBRATION_FRAMES = 4096 };

typedef struct arguments {
    char *config, *weights, *to, *method, *calibration, *data, *split, *out_config, *out_weights, *format;
    long long latent_dim, num_kv_heads, budget_bytes, seq_len, max_frames;
    double target_error;
    int balance;
} arguments;

static int parse(arguments *a, int argc, char **argv, int *status) {
    *a = (arguments){.format = "md",
                     .latent_dim = OPTION_NOT_GIVEN,
                     .num_kv_heads = OPTION_NOT_GIVEN,
                     .budget_bytes = OPTION_NOT_GIVEN,
                     .seq_len = 1000,
                     .max_frames = OPTION_NOT_GIVEN,
                     .target_error = NAN};
    char types[ATTN_VARIANT_NAMES_TEXT], to_help[sizeof types + 16], heads[ATTN_VARIANT_NAMES_TEXT],
        heads_help[sizeof heads + 8];
    attn_variant_names_text(types, ATTN_TAKES_SIZE, " or ");
    attn_variant_names_text(heads, ATTN_TAKES_KV_HEADS, " and ");
    snprintf(to_help, sizeof to_help, "needed: %s", types);
    snprintf(heads_help, sizeof heads_help, "of %s", heads);
    struct poptOption options[] = {
        {"config", 'c', POPT_ARG_STRING, &a->config, 0, "needed: the mha model's configuration", "F.yaml"},
        {"weights", 'w', POPT_ARG_STRING, &a->weights, 0, "needed: its checkpoint", "F.safetensors"},
        {"to", 't', POPT_ARG_STRING, &a->to, 0, to_help, "TYPE"},
        {"method", 'm', POPT_ARG_STRING, &a->method, 0,
         "average, split, joint (default) or activation; gqa: mean (default) or activation", "M"},
        {"latent-dim", '\0', POPT_ARG_LONGLONG, &a->latent_dim, 0, "of every layer, 1 to d_model", "R"},
        {"budget-bytes", '\0', POPT_ARG_LONGLONG, &a->budget_bytes, 0,
         "instead: cache of all layers at --cache-frames, spread over them where it helps most", "N"},
        {"target-error", '\0', POPT_ARG_DOUBLE, &a->target_error, 0,
         "instead: the least cache that leaves this relative error (root mean square over layers)", "E"},
        {"cache-frames", '\0', POPT_ARG_LONGLONG, &a->seq_len, 0,
         "frames in the cache that its bytes are for, counted after the input layer (default 1000)", "L"},
        {"seq-len", '\0', POPT_ARG_LONGLONG | POPT_ARGFLAG_DOC_HIDDEN, &a->seq_len, 0, "its older name", "L"},
        {"num-kv-heads", '\0', POPT_ARG_LONGLONG, &a->num_kv_heads, 0, heads_help, "G"},
        {"balance", '\0', POPT_ARG_NONE, &a->balance, 0,
         "weigh keys and values the same, whichever is larger", NULL},
        {"calibration", '\0', POPT_ARG_STRING, &a->calibration, 0, "features [B, T, input_dim], all used",
         "X.npy"},
        {"data", '\0', POPT_ARG_STRING, &a->data, 0, "or speech: a folder laid out as LibriSpeech is", "DIR"},
        {"split", '\0', POPT_ARG_STRING, &a->split, 0, "of the speech", "S"},
        {"max-frames", '\0', POPT_ARG_LONGLONG, &a->max_frames, 0,
         "of speech: enough utterances for N frames after the input layer (default 4096)", "N"},
        {"out-config", '\0', POPT_ARG_STRING, &a->out_config, 0, "needed: where the configuration goes",
         "F.yaml"},
        {"out-weights", '\0', POPT_ARG_STRING, &a->out_weights, 0, "needed: where the checkpoint goes",
         "F.safetensors"},
        {"format", 'f', POPT_ARG_STRING, &a->format, 0, "md, csv, json or tex", "F"},
        POPT_TABLEEND};
    return command_options(
        argc, argv, "",
        "Converts multi-head attention, in one layer or in every layer of an encoder, to a smaller cache.\n"
        "average: keys and values factorised apart, compressors averaged (as published; wrong even at\n"
        "full rank).\n"
        "split: half of the latent each. joint: one SVD of the stacked weights, exact from their rank on.\n"
        "activation: joint for the keys and values that real inputs produce; needs --calibration or --data.\n"
        "Everything else in the checkpoint stays bit for bit.",
        options, NULL, status);
}

static int read_method(attn_convert_target *target, const arguments *a, attn_error *error) {
    const char *method = a->method ? a->method : target->variant->has_latent ? "joint" : "mean";
    if (!target->variant->has_latent && !strcmp(method, "average"))
        method = "mean";
    int chosen = option_choice("--method", method, attn_convert_method_names, error);
    target->method = (attn_convert_method)chosen;
    if (chosen == ATTN_CONVERT_ACTIVATION && !a->calibration && !a->data)
        return attn_fail(error, "--method activation: needs --calibration or --data");
    return chosen < 0 ? -1 : 0;
}

/* Exactly one of the ways to say how large. */
static int read_size(attn_convert_options *o, const arguments *a, attn_error *error) {
    static const char *const latent[] = {"--latent-dim", "--budget-bytes", "--target-error"};
    bool given[] = {a->latent_dim != OPTION_NOT_GIVEN, a->budget_bytes != OPTION_NOT_GIVEN,
                    !isnan(a->target_error)};
    bool has_latent = o->target.variant->has_latent;
    char others[ATTN_VARIANT_NAMES_TEXT]; /* the types that take the other kind of size */
    attn_variant_names_text(others, has_latent ? ATTN_TAKES_KV_HEADS : ATTN_TAKES_LATENT, " or ");
    for (size_t i = 0; !has_latent && i < 3; i++)
        if (given[i])
            return attn_fail(error, "%s goes with %s", latent[i], others);
    if (has_latent && a->num_kv_heads != OPTION_NOT_GIVEN)
        return attn_fail(error, "--num-kv-heads goes with %s", others);
    if (!has_latent)
        return a->num_kv_heads == OPTION_NOT_GIVEN
                   ? attn_fail(error, "--num-kv-heads is needed")
                   : option_range("--num-kv-heads", a->num_kv_heads, 0, 1 << 20, error);
    if (given[0] + given[1] + given[2] != 1)
        return attn_fail(error, "exactly one of --latent-dim, --budget-bytes and --target-error is needed");
    if (given[0])
        return option_range("--latent-dim", a->latent_dim, 0, 1 << 20, error);
    if (given[2])
        return a->target_error > 0.0 && a->target_error < 1.0
                   ? 0
                   : attn_fail(error, "--target-error %g: expected between 0 and 1", a->target_error);
    return option_range("--budget-bytes", a->budget_bytes, 1, LLONG_MAX, error);
}

static int read_options(attn_convert_options *o, const arguments *a, attn_error *error) {
    const char *const from[][2] = {
        {"--config", a->config}, {"--weights", a->weights}, {"--calibration", a->calibration}};
    const char *types[ATTN_VARIANT_NAMES];
    attn_variant_names(types, ATTN_TAKES_SIZE);
    *o = (attn_convert_options){0};
    if (option_needs("--config", a->config, error) || option_needs("--weights", a->weights, error) ||
        option_needs("--to", a->to, error) ||
        model_output_check(a->out_config, a->out_weights, from, 3, error) ||
        option_choice("--to", a->to, types, error) < 0 ||
        option_range("--cache-frames", a->seq_len, 1, MOST_FRAMES, error) ||
        option_range_given("--max-frames", a->max_frames, 1, MOST_FRAMES, error))
        return -1;
    if (a->max_frames != OPTION_NOT_GIVEN && !a->data)
        return attn_fail(error, "--max-frames needs --data");
    o->target.variant = attn_variant_find(a->to);
    o->target.balance = a->balance;
    if (read_method(&o->target, a, error) || read_size(o, a, error))
        return -1;
    o->target.latent_dim = a->latent_dim == OPTION_NOT_GIVEN ? 0 : (size_t)a->latent_dim;
    o->target.num_kv_heads = a->num_kv_heads == OPTION_NOT_GIVEN ? 0 : (size_t)a->num_kv_heads;
    o->target_error = isnan(a->target_error) ? 0.0 : a->target_error;
    if (a->budget_bytes != OPTION_NOT_GIVEN) {
        o->total_ranks = (size_t)a->budget_bytes / (sizeof(float) * (size_t)a->seq_len);
        if (!o->total_ranks)
            return attn_fail(error, "--budget-bytes %lld: less than one number a frame at %lld frames",
                             a->budget_bytes, a->seq_len);
    }
    return 0;
}

static int write_model(const attn_conversion *made, const attn_config *from, const arguments *a,
                       attn_error *error) {
    char *text = attn_config_format(&made->config, error);
    int result = text ? attn_conversion_save(made, from, a->weights, a->out_weights, error) : -1;
    if (!result && attn_write_file(a->out_config, text, strlen(text), error)) {
        attn_output_remove(a->out_weights); /* both or none */
        result = -1;
    }
    attn_free(text);
    return result;
}

static int run(const arguments *a, attn_convert_options *o, table_format format, attn_error *error) {
    attn_config config;
    attn_model *model = NULL;
    attn_conversion made = {0};
    calibration data = {0};
    size_t max_frames = a->max_frames == OPTION_NOT_GIVEN ? CALIBRATION_FRAMES : (size_t)a->max_frames;
    calibration_source source = {"--calibration", a->calibration, a->data, a->split, max_frames};
    attn_error why = {0};
    char note[256];
    int result = -1;
    if (attn_config_read(&config, a->config, note, error))
        goto done;
    if (attn_convert_options_check(o, &config, &why)) {
        attn_fail_as(error, why.code, "%s: %s", a->config, why.message);
        goto done;
    }
    if (attn_output_try(a->out_config, error) || attn_output_try(a->out_weights, error) ||
        calibration_read(&data, &source, &config, error) || attn_model_create(&model, &config, error) ||
        attn_model_load(model, a->weights, error))
        goto done;
    if (*attn_model_load_note(model))
        fprintf(stderr, "attnbench convert: %s\n", attn_model_load_note(model));
    if (note[0])
        fprintf(stderr, "attnbench convert: %s\n", note);
    if (a->data && *attn_speech_note(&config))
        fprintf(stderr, "attnbench convert: %s\n", attn_speech_note(&config));
    o->calibration = data.at;
    o->progress = convert_print_progress;
    if (attn_convert_model(&made, model, o, error))
        goto done;
    attn_model_free(model); /* before the checkpoint is mapped again */
    model = NULL;
    if (!write_model(&made, &config, a, error))
        result = convert_print(&made, &config, o, (size_t)a->seq_len, format, stdout, error);
done:
    attn_model_free(model);
    attn_conversion_free(&made);
    calibration_free(&data);
    return result;
}

int cmd_convert(int argc, char **argv) {
    arguments a;
    int status;
    if (!parse(&a, argc, argv, &status))
        return status;
    attn_error error = {0};
    attn_convert_options options;
    int format = option_choice("--format", a.format, table_format_names, &error);
    if (format < 0 || read_options(&options, &a, &error) || run(&a, &options, (table_format)format, &error))
        return command_fail("convert", &error);
    return STATUS_OK;
}
