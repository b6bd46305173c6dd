/* attnbench analyze: what a conversion lost and what it saves; trade-off curves; MLA folded back into MHA. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/random.h"
#include "base/home.h"
#include "cli/command.h"
#include "harness/conversion/analyze.h"
#include "harness/conversion/calibration.h"
#include "harness/conversion/tradeoff.h"
#include "reports/paper/paper_data.h"
#include "reports/plots/draw.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FRAMES = 1 << 24, RANDOM_FRAMES = 256, PAPER_CALIBRATION = 2, PAPER_TEST_FRAMES = 512 };

typedef struct arguments {
    char *mha, *mha_weights, *mla, *mla_weights, *input, *data, *split, *plots, *out_config, *out_weights;
    char *format;
    long long seq_len, runs, max_frames, seed;
    int spectrum, sweep, paper, fold;
} arguments;

static int parse(arguments *a, int argc, char **argv, int *status) {
    *a = (arguments){.format = "md", .seq_len = 1000, .runs = 5, .max_frames = 4096, .seed = 1};
    struct poptOption options[] = {
        {"mha", '\0', POPT_ARG_STRING, &a->mha, 0, "configuration of the mha model", "F.yaml"},
        {"mha-weights", '\0', POPT_ARG_STRING, &a->mha_weights, 0, "its checkpoint (default: F.safetensors)",
         "F"},
        {"mla", '\0', POPT_ARG_STRING, &a->mla, 0, "configuration of what stands in for it", "G.yaml"},
        {"mla-weights", '\0', POPT_ARG_STRING, &a->mla_weights, 0, "its checkpoint (default: G.safetensors)",
         "F"},
        {"input", 'i', POPT_ARG_STRING, &a->input, 0,
         "features [B, T, input_dim] (default: 256 frames of random ones)", "X.npy"},
        {"data", '\0', POPT_ARG_STRING, &a->data, 0, "or speech: a folder laid out as LibriSpeech is", "DIR"},
        {"split", '\0', POPT_ARG_STRING, &a->split, 0, "of the speech", "S"},
        {"max-frames", '\0', POPT_ARG_LONGLONG, &a->max_frames, 0,
         "of speech: enough utterances for so many frames after the input layer (default 4096)", "N"},
        {"seq-len", '\0', POPT_ARG_LONGLONG, &a->seq_len, 0,
         "frames that cache bytes are for, and keys when decoding (default 1000)", "L"},
        {"runs", '\0', POPT_ARG_LONGLONG, &a->runs, 0,
         "of each decode time, whose median counts (default 5; 0: no times)", "N"},
        {"spectrum", '\0', POPT_ARG_NONE, &a->spectrum, 0,
         "json: all singular values of each layer's stacked weights", NULL},
        {"sweep", '\0', POPT_ARG_NONE, &a->sweep, 0, "instead: every method at many sizes, on the mha model",
         NULL},
        {"paper", '\0', POPT_ARG_NONE, &a->paper, 0,
         "the same for one layer of random weights at the paper's geometries", NULL},
        {"plots", '\0', POPT_ARG_STRING, &a->plots, 0, "draw the curves into this folder", "DIR"},
        {"fold", '\0', POPT_ARG_NONE, &a->fold, 0, "instead: write the mla model as mha", NULL},
        {"out-config", '\0', POPT_ARG_STRING, &a->out_config, 0, "of --fold", "F.yaml"},
        {"out-weights", '\0', POPT_ARG_STRING, &a->out_weights, 0, "of --fold", "F.safetensors"},
        {"seed", '\0', POPT_ARG_LONGLONG, &a->seed, 0, "of random weights and features (default 1)", "N"},
        {"format", 'f', POPT_ARG_STRING, &a->format, 0, "md, csv, json or tex", "F"},
        POPT_TABLEEND};
    return command_options(
        argc, argv, "",
        "analyze --mha F --mla G: layer by layer and at the output, what the second model loses against the\n"
        "first and what it saves; bounds beside the errors reached; cache, parameters and decode time.\n"
        "analyze --mha F --sweep (or --paper): error against cached bytes, for every method.\n"
        "analyze --mla G --fold: mla, mla_simple or gqa as mha weights, for programs that know only those.",
        options, NULL, status);
}

static int count_modes(const arguments *a) {
    return (a->sweep || a->paper) + a->fold;
}

static int check_arguments(const arguments *a, attn_error *error) {
    bool sweeps = a->sweep || a->paper;
    if (count_modes(a) > 1)
        return attn_fail(error, "--fold: goes alone, without --sweep and --paper");
    if (a->paper && (a->mha || a->input || a->data))
        return attn_fail(error,
                         "--paper: has weights and inputs of its own, without --mha, --input and --data");
    if (!a->fold && !a->paper && option_needs("--mha", a->mha, error))
        return -1;
    if ((!sweeps || a->fold) && option_needs("--mla", a->mla, error))
        return -1;
    if (sweeps && a->mla)
        return attn_fail(error, "--mla: is not used by a sweep");
    if (a->plots && !sweeps)
        return attn_fail(error, "--plots: goes with --sweep or --paper");
    if (a->spectrum && (sweeps || a->fold))
        return attn_fail(error, "--spectrum: goes with --mha and --mla");
    if (!a->fold && (a->out_config || a->out_weights))
        return attn_fail(error, "%s goes with --fold", a->out_config ? "--out-config" : "--out-weights");
    if (a->fold && (option_needs("--out-config", a->out_config, error) ||
                    option_needs("--out-weights", a->out_weights, error)))
        return -1;
    if (a->fold && !strcmp(a->out_config, a->out_weights))
        return attn_fail(error, "--out-config and --out-weights: both are %s", a->out_config);
    return option_range("--seq-len", a->seq_len, 1, MOST_FRAMES, error) ||
                   option_range("--runs", a->runs, 0, 1000, error) ||
                   option_range("--max-frames", a->max_frames, 1, MOST_FRAMES, error) ||
                   option_range("--seed", a->seed, 0, 1LL << 62, error)
               ? -1
               : 0;
}

/* ---- Models and inputs ---- */

/* What the option says, or the configuration's name with .safetensors for its ending; attn_free it. */
static char *weights_path(const char *config, const char *given, attn_error *error) {
    const char *slash = strrchr(config, '/'), *dot = strrchr(config, '.');
    if (given)
        return attn_strdup(given, error);
    const char *base = slash ? slash + 1 : config;
    size_t length = dot && dot > base ? (size_t)(dot - config) : strlen(config);
    return attn_format(error, "%.*s.safetensors", (int)length, config);
}

static int load(attn_model **model, attn_config *config, const char *path, const char *given,
                attn_error *error) {
    char note[256];
    char *weights = NULL;
    *model = NULL;
    int result = -1;
    if (!attn_config_read(config, path, note, error) && (weights = weights_path(path, given, error)) &&
        !attn_model_create(model, config, error) && !attn_model_load(*model, weights, error)) {
        if (*attn_model_load_note(*model))
            fprintf(stderr, "attnbench analyze: %s\n", attn_model_load_note(*model));
        if (note[0])
            fprintf(stderr, "attnbench analyze: %s\n", note);
        result = 0;
    }
    attn_free(weights);
    return result;
}

/* Random features, where none are given: as many as leave `frames` after the input layer. */
static int make_features(calibration *c, const attn_config *config, size_t frames, uint64_t seed,
                         attn_error *error) {
    size_t in = config->input_layer == ATTN_INPUT_CONV2D ? 4 * frames + 3 : frames;
    uint64_t state = seed + 1; /* not the weights' numbers */
    *c = (calibration){0};
    c->x = attn_alloc(in, config->input_dim * sizeof(float), "random features", error);
    if (!c->x)
        return -1;
    attn_random_uniform(c->x, in * config->input_dim, 1, &state);
    c->at = (attn_calibration){.x = c->x, .batch = 1, .frames = in};
    c->frames = frames;
    return 0;
}

static int read_features(calibration *c, const arguments *a, const attn_config *config, attn_error *error) {
    const calibration_source source = {"--input", a->input, a->data, a->split, (size_t)a->max_frames};
    if (!a->input && !a->data && !a->split)
        return make_features(c, config, RANDOM_FRAMES, (uint64_t)a->seed, error);
    return calibration_read(c, &source, config, error);
}

static char *features_text(const arguments *a, const calibration *c, attn_error *error) {
    const char *file = a->input && strrchr(a->input, '/') ? strrchr(a->input, '/') + 1 : a->input;
    if (a->data)
        return attn_format(error, "speech, split %s, %zu utterances, %zu frames", a->split ? a->split : "",
                           c->at.batch, c->frames);
    return file ? attn_format(error, "%s, %zu frames", file, c->frames)
                : attn_format(error, "%zu frames of random features", c->frames);
}

/* ---- Comparing ---- */

static int compare(const arguments *a, table_format format, attn_error *error) {
    attn_config configs[2];
    attn_model *models[2] = {NULL, NULL};
    calibration inputs = {0};
    char *what = NULL, *title = NULL;
    int result = -1;
    if (load(&models[0], &configs[0], a->mha, a->mha_weights, error) ||
        load(&models[1], &configs[1], a->mla, a->mla_weights, error) ||
        analyze_check(&configs[0], &configs[1], error) || read_features(&inputs, a, &configs[0], error) ||
        !(what = features_text(a, &inputs, error)))
        goto done;
    analyze_plan plan = {.mha = models[0],
                         .other = models[1],
                         .inputs = &inputs.at,
                         .seq_len = (size_t)a->seq_len,
                         .runs = (size_t)a->runs,
                         .spectrum = a->spectrum};
    title = attn_format(error,
                        "%s against mha on %s; cache at %lld frames, decoding with %lld keys: median of %lld "
                        "runs, random weights of that size, one thread",
                        configs[1].variant->name, what, a->seq_len, a->seq_len, a->runs);
    table t;
    table_init(&t, title, analyze_columns);
    if (title && !analyze_models(&t, &plan, error))
        result = table_write(&t, format, stdout, error);
    table_free(&t);
done:
    attn_free(what);
    attn_free(title);
    calibration_free(&inputs);
    attn_model_free(models[0]);
    attn_model_free(models[1]);
    return result;
}

/* ---- Sweeping ---- */

/* Half of the utterances calibrate, the others test; where there is one, it does both. */
static void part_inputs(tradeoff_plan *plan, const attn_calibration *all, size_t width) {
    size_t half = all->batch / 2;
    plan->held_out = half > 0;
    plan->calibration = plan->test = *all;
    if (!half)
        return;
    plan->calibration.batch = half;
    plan->test.batch = all->batch - half;
    plan->test.x += half * all->frames * width;
    if (all->lengths)
        plan->test.lengths += half;
}

static int sweep_model(table *t, const arguments *a, attn_error *error) {
    attn_config config;
    attn_model *model = NULL;
    calibration inputs = {0};
    size_t latent_dims[16];
    char *what = NULL, *subject = NULL;
    int result = -1;
    if (load(&model, &config, a->mha, a->mha_weights, error))
        goto done;
    if (strcmp(config.variant->name, "mha")) {
        attn_fail(error, "--mha: its attention_type is %s, expected mha", config.variant->name);
        goto done;
    }
    const char *slash = strrchr(a->mha, '/');
    subject = attn_format(error, "%s (%s, %zu layers, d_model %zu, %zu heads)", slash ? slash + 1 : a->mha,
                          attn_model_type_names[config.model_type], config.num_layers,
                          config.attention.d_model, config.attention.num_heads);
    if (!subject || read_features(&inputs, a, &config, error) || !(what = features_text(a, &inputs, error)))
        goto done;
    tradeoff_plan plan = {.subject = subject,
                          .inputs = what,
                          .model = model,
                          .latent_dims = latent_dims,
                          .count = tradeoff_latent_dims(latent_dims, config.attention.d_model),
                          .seq_len = (size_t)a->seq_len};
    part_inputs(&plan, &inputs.at, config.input_dim);
    result = tradeoff_measure(t, &plan, error);
done:
    attn_free(what);
    attn_free(subject);
    calibration_free(&inputs);
    attn_model_free(model);
    return result;
}

/* Dimension i of d varies as 10^(-2 i / d), two decades from the first to the last; frames are then scaled to
 * a mean square of 1, as a LayerNorm leaves them. */
static void make_decay(float *x, size_t frames, size_t d) {
    for (size_t t = 0; t < frames; t++) {
        double squares = 0.0;
        for (size_t i = 0; i < d; i++) {
            x[t * d + i] *= (float)pow(10.0, -2.0 * (double)i / (double)d);
            squares += (double)x[t * d + i] * (double)x[t * d + i];
        }
        for (size_t i = 0; i < d; i++)
            x[t * d + i] *= (float)sqrt((double)d / squares);
    }
}

/* As torch.nn.MultiheadAttention starts: uniform in +-sqrt(3 / d), which is Xavier's for square matrices, and
 * no biases. */
static void make_weights(attn_layer *layer, uint64_t seed) {
    attn_linear *const all[] = {&layer->q_proj, &layer->k_proj, &layer->v_proj, &layer->out_proj};
    for (size_t i = 0; i < 4; i++) {
        attn_random_uniform(all[i]->weight, all[i]->out * all[i]->in, sqrtf(3.0f / (float)all[i]->in), &seed);
        memset(all[i]->bias, 0, all[i]->out * sizeof(float));
    }
}

static int sweep_random(table *t, const char *name, const attn_geometry *g, const arguments *a,
                        attn_error *error) {
    attn_config config = {.model_type = ATTN_MODEL_ATTENTION,
                          .variant = attn_variant_find("mha"),
                          .attention = {.d_model = g->d_model, .num_heads = g->num_heads},
                          .num_layers = 1,
                          .input_dim = g->d_model,
                          .layer_norm_eps = 1e-5};
    calibration seen = {0}, test = {0};
    attn_model *model = NULL;
    size_t latent_dims[16], d = g->d_model;
    char *subject =
        attn_format(error, "%s: a layer of random weights, d_model %zu, %zu heads", name, d, g->num_heads);
    int result = -1;
    if (!subject || attn_model_create(&model, &config, error) ||
        make_features(&seen, &config, PAPER_CALIBRATION * d, (uint64_t)a->seed, error) ||
        make_features(&test, &config, PAPER_TEST_FRAMES, (uint64_t)a->seed + 1, error))
        goto done;
    make_weights(attn_model_attention(model, 0), (uint64_t)a->seed);
    make_decay(seen.x, seen.frames, d);
    make_decay(test.x, test.frames, d);
    tradeoff_plan plan = {.subject = subject,
                          .inputs = "random inputs whose deviations fall by two decades over the dimensions",
                          .model = model,
                          .calibration = seen.at,
                          .test = test.at,
                          .held_out = true,
                          .latent_dims = latent_dims,
                          .count = tradeoff_latent_dims(latent_dims, d),
                          .seq_len = (size_t)a->seq_len};
    result = tradeoff_measure(t, &plan, error);
done:
    attn_free(subject);
    calibration_free(&seen);
    calibration_free(&test);
    attn_model_free(model);
    return result;
}

static int sweep_paper(table *t, const arguments *a, attn_error *error) {
    paper_tables paper;
    char *path = home_path("reports/paper/published.json", error);
    int result = path ? paper_read(&paper, path, error) : -1;
    for (size_t i = 0; !result && i < paper.models; i++)
        result = sweep_random(t, paper.model[i].name, &paper.model[i].row[0].identified.geometry, a, error);
    attn_free(path);
    return result;
}

/* Missing pictures do not take the numbers away. */
static int draw(const table *t, const char *folder, int *status, attn_error *error) {
    tradeoffs curves = {0};
    drawing pictures = {0};
    int result = tradeoffs_add(&curves, t->rows, "sweep", error);
    if (!result)
        result = tradeoffs_draw(&curves, folder, &pictures, error);
    if (!result && pictures.undrawn) {
        fprintf(stderr, "attnbench analyze: %s: %s\n",
                pictures.drawn ? "pictures are missing" : "no pictures", pictures.why);
        *status = STATUS_UNDECIDED;
    }
    tradeoffs_free(&curves);
    return result;
}

static int sweep(const arguments *a, table_format format, int *status, attn_error *error) {
    table t;
    table_init(&t, "Error against cached numbers, every method", tradeoff_columns);
    int result = a->plots ? attn_make_folder(a->plots, error) : 0;
    if (!result)
        result = a->paper ? sweep_paper(&t, a, error) : sweep_model(&t, a, error);
    if (!result)
        result = table_write(&t, format, stdout, error);
    if (!result && a->plots)
        result = draw(&t, a->plots, status, error);
    table_free(&t);
    return result;
}

/* ---- Folding ---- */

static int fold(const arguments *a, attn_error *error) {
    attn_config config;
    attn_model *model = NULL;
    attn_conversion made = {0};
    char *text = NULL, *weights = weights_path(a->mla, a->mla_weights, error);
    int result = -1;
    if (!weights || load(&model, &config, a->mla, a->mla_weights, error) ||
        attn_fold_model(&made, model, error) || !(text = attn_config_format(&made.config, error)) ||
        attn_conversion_save(&made, &config, weights, a->out_weights, error))
        goto done;
    result = attn_write_file(a->out_config, text, strlen(text), error);
    if (result)
        unlink(a->out_weights); /* both or none */
done:
    attn_free(text);
    attn_free(weights);
    attn_conversion_free(&made);
    attn_model_free(model);
    return result;
}

int cmd_analyze(int argc, char **argv) {
    arguments a;
    int status;
    if (!parse(&a, argc, argv, &status))
        return status;
    attn_error error = {0};
    int format = option_choice("--format", a.format, table_format_names, &error), result = -1;
    status = STATUS_OK;
    if (format >= 0 && !check_arguments(&a, &error))
        result = a.fold               ? fold(&a, &error)
                 : a.sweep || a.paper ? sweep(&a, (table_format)format, &status, &error)
                                      : compare(&a, (table_format)format, &error);
    return result ? command_fail("analyze", &error) : status;
}
