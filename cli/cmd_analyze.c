/* attnbench analyze: what a conversion lost and what it saves; trade-off curves; MLA folded back into MHA. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "base/option_values.h"
#include "base/text/table_write.h"
#include "cli/frame/command.h"
#include "cli/frame/kept_steps.h"
#include "cli/frame/model_output.h"
#include "harness/conversion/analysis.h"
#include "harness/conversion/analyze.h"
#include "harness/conversion/tradeoff.h"
#include "reports/paper/paper_sweep.h"
#include "reports/plots/draw.h"

#include <stdio.h>

enum { MOST_FRAMES = 1 << 24 };

typedef struct arguments {
    const char **mla, **mla_weights; /* ended by NULL */
    char *mha, *mha_weights, *input, *data, *split, *plots, *out_config, *out_weights;
    char *format, *out;
    long long seq_len, runs, max_frames, seed;
    int spectrum, sweep, paper, fold;
} arguments;

static int parse(arguments *a, int argc, char **argv, int *status) {
    *a = (arguments){.format = "md", .seq_len = 1000, .runs = 5, .max_frames = 4096, .seed = 1};
    struct poptOption options[] = {
        {"mha", '\0', POPT_ARG_STRING, &a->mha, 0, "configuration of the mha model", "F.yaml"},
        {"mha-weights", '\0', POPT_ARG_STRING, &a->mha_weights, 0, "its checkpoint (default: F.safetensors)",
         "F"},
        {"mla", '\0', POPT_ARG_ARGV, &a->mla, 0,
         "configuration of what stands in for it; given several times: a row a model", "G.yaml"},
        {"mla-weights", '\0', POPT_ARG_ARGV, &a->mla_weights, 0,
         "its checkpoint (default: G.safetensors); of several models: one for each, in their order", "F"},
        {"input", 'i', POPT_ARG_STRING, &a->input, 0,
         "features [B, T, input_dim] (default: 256 frames of random ones)", "X.npy"},
        {"data", '\0', POPT_ARG_STRING, &a->data, 0, "or speech: a folder laid out as LibriSpeech is", "DIR"},
        {"split", '\0', POPT_ARG_STRING, &a->split, 0, "of the speech", "S"},
        {"max-frames", '\0', POPT_ARG_LONGLONG, &a->max_frames, 0,
         "of speech: enough utterances for N frames after the input layer (default 4096)", "N"},
        {"cache-frames", '\0', POPT_ARG_LONGLONG, &a->seq_len, 0,
         "frames in the cache that its bytes are for, and keys when decoding, counted after the input layer "
         "(default 1000)",
         "L"},
        {"seq-len", '\0', POPT_ARG_LONGLONG | POPT_ARGFLAG_DOC_HIDDEN, &a->seq_len, 0, "its older name", "L"},
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
        {"out", '\0', POPT_ARG_STRING, &a->out, 0, "of --sweep or --paper: " KEPT_STEPS_HELP, "R.json"},
        {"seed", '\0', POPT_ARG_LONGLONG, &a->seed, 0, "of random weights and features (default 1)", "N"},
        {"format", 'f', POPT_ARG_STRING, &a->format, 0, "md, csv, json or tex", "F"},
        POPT_TABLEEND};
    return command_options(
        argc, argv, "",
        "analyze --mha F --mla G: layer by layer and at the output, what the second model loses against the\n"
        "first and what it saves; bounds next to the errors reached; cache, parameters and decode time.\n"
        "Several --mla: a row each, of the output.\n"
        "analyze --mha F --sweep (or --paper): error against cached bytes, for every method.\n"
        "analyze --mla G --fold: mla, mla_simple or gqa as mha weights, for programs that know only those.",
        options, NULL, status);
}

static const char *first(const char *const *words) {
    return words ? words[0] : NULL;
}

static int check_arguments(const arguments *a, attn_error *error) {
    bool sweeps = a->sweep || a->paper;
    if (sweeps && a->fold)
        return attn_fail(error, "--fold: goes alone, without --sweep and --paper");
    if (a->paper && (a->mha || a->input || a->data))
        return attn_fail(error,
                         "--paper: has weights and inputs of its own, without --mha, --input and --data");
    if (!a->fold && !a->paper && option_needs("--mha", a->mha, error))
        return -1;
    if (!sweeps && option_needs("--mla", first(a->mla), error))
        return -1;
    if (sweeps && a->mla)
        return attn_fail(error, "--mla: is not used by a sweep");
    if (a->mla_weights && word_count(a->mla_weights) != word_count(a->mla))
        return attn_fail(error, "--mla-weights: found %zu of them for %zu --mla, expected one for each",
                         word_count(a->mla_weights), word_count(a->mla));
    if ((a->spectrum || a->fold) && word_count(a->mla) > 1)
        return attn_fail(error, "%s: goes with one --mla", a->fold ? "--fold" : "--spectrum");
    if (a->out && !sweeps)
        return attn_fail(error, "--out: goes with --sweep or --paper");
    if (a->plots && !sweeps)
        return attn_fail(error, "--plots: goes with --sweep or --paper");
    if (a->spectrum && (sweeps || a->fold))
        return attn_fail(error, "--spectrum: goes with --mha and --mla");
    if (!a->fold && (a->out_config || a->out_weights))
        return attn_fail(error, "%s goes with --fold", a->out_config ? "--out-config" : "--out-weights");
    const char *const folded[][2] = {{"--mla", first(a->mla)}, {"--mla-weights", first(a->mla_weights)}};
    if (a->fold && model_output_check(a->out_config, a->out_weights, folded, 2, error))
        return -1;
    return option_distinct("--out", a->out, "--mha", a->mha, error) ||
                   option_distinct("--out", a->out, "--mha-weights", a->mha_weights, error) ||
                   option_distinct("--out", a->out, "--input", a->input, error) ||
                   option_range("--cache-frames", a->seq_len, 1, MOST_FRAMES, error) ||
                   option_range("--runs", a->runs, 0, 1000, error) ||
                   option_range("--max-frames", a->max_frames, 1, MOST_FRAMES, error) ||
                   option_range("--seed", a->seed, 0, 1LL << 62, error)
               ? -1
               : 0;
}

static void note(const char *text) {
    fprintf(stderr, "attnbench analyze: %s\n", text);
}

static analysis analysis_of(const arguments *a) {
    return (analysis){.mha = a->mha,
                      .mha_weights = a->mha_weights,
                      .other = first(a->mla),
                      .other_weights = first(a->mla_weights),
                      .input = a->input,
                      .data = a->data,
                      .split = a->split,
                      .max_frames = (size_t)a->max_frames,
                      .seq_len = (size_t)a->seq_len,
                      .runs = (size_t)a->runs,
                      .seed = (uint64_t)a->seed,
                      .spectrum = a->spectrum,
                      .note = note};
}

/* Of one model a row a layer, of several a row each. */
static int compare(const arguments *a, const analysis *s, table_format format, attn_error *error) {
    text_table t;
    char *title = NULL;
    bool several = word_count(a->mla) > 1;
    table_init(&t, NULL, several ? analyze_model_columns : analyze_columns);
    int result = several ? analysis_compare_several(&t, &title, s, a->mla, a->mla_weights, error)
                         : analysis_compare(&t, &title, s, error);
    if (!result)
        result = table_write(&t, format, stdout, error);
    table_free(&t);
    attn_free(title);
    return result;
}

/* Missing pictures do not take the numbers away. */
static int draw(const text_table *t, const char *folder, int *status, attn_error *error) {
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

static int print_json(const void *made, FILE *stream, attn_error *error) {
    return table_write(made, TABLE_JSON, stream, error);
}

/* Opens the journal of --out, where it was given. `work` is of the command line. */
static int keep_steps(analysis *s, const arguments *a, uint64_t work, attn_error *error) {
    return a->out && (analysis_hash_files(&work, s, error) ||
                      kept_steps_open(&s->steps, "analyze", a->out, work, error))
               ? -1
               : 0;
}

static int sweep(const arguments *a, const analysis *s, table_format format, int *status, attn_error *error) {
    text_table t;
    table_init(&t, "Error against cached numbers, every method", tradeoff_columns);
    int result = a->plots ? attn_make_folder(a->plots, error) : 0;
    if (!result)
        result = a->paper ? paper_sweep(&t, s, error) : analysis_sweep(&t, s, error);
    if (!result && a->out)
        result = kept_steps_write(s->steps, a->out, print_json, &t, error);
    if (!result)
        result = table_write(&t, format, stdout, error);
    if (!result && a->plots)
        result = draw(&t, a->plots, status, error);
    table_free(&t);
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
    if (format >= 0 && !check_arguments(&a, &error)) {
        analysis s = analysis_of(&a);
        result = keep_steps(&s, &a, kept_steps_hash(argc, argv), &error) ? -1
                 : a.fold             ? analysis_fold(&s, a.out_config, a.out_weights, &error)
                 : a.sweep || a.paper ? sweep(&a, &s, (table_format)format, &status, &error)
                                      : compare(&a, &s, (table_format)format, &error);
        steps_close(s.steps);
    }
    return result ? command_fail("analyze", &error) : status;
}
