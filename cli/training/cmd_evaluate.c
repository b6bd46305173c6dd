/* attnbench evaluate: the word error rate of a model on the utterances of a split. */
#include "attn/file.h"
#include "base/text/json.h"
#include "base/text/json_write.h"
#include "cli/frame/command.h"
#include "harness/model/choices.h"
#include "harness/model/speech/recognition.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct evaluate_options {
    char *config, *weights, *units, *data, *split, *kv_dtype, *hyp;
    const char *format;
    long long chunk, left_chunks, beam;
} evaluate_options;

static const char *const formats[] = {"md", "json", NULL};

static int check_options(const evaluate_options *o, attn_error *error) {
    const char *const needed[][2] = {{"--config", o->config},
                                     {"--weights", o->weights},
                                     {"--units", o->units},
                                     {"--data", o->data},
                                     {"--split", o->split}};
    for (size_t i = 0; i < 5; i++)
        if (option_needs(needed[i][0], needed[i][1], error))
            return -1;
    for (size_t i = 0; i < 3; i++)
        if (option_distinct("--hyp", o->hyp, needed[i][0], needed[i][1], error))
            return -1;
    if (option_choice("--format", o->format, formats, error) < 0 ||
        option_range("--chunk", o->chunk, 0, 1 << 30, error) ||
        option_range("--left-chunks", o->left_chunks, -1, 1 << 30, error) ||
        option_range("--beam", o->beam, 0, 4096, error))
        return -1;
    if (o->left_chunks >= 0 && !o->chunk)
        return attn_fail(error, "--left-chunks %lld: needs --chunk", o->left_chunks);
    return o->hyp ? attn_output_try(o->hyp, error) : 0;
}

static void print_text(const json_t *o) {
    if (*json_text(o, "synthetic"))
        printf("Synthetic speech, not people's: %s\n", json_text(o, "synthetic"));
    printf("WER %.2f%% (95%% interval %.2f to %.2f), CER %.2f%%\n", json_number(o, "wer_percent"),
           json_number(o, "wer_low_percent"), json_number(o, "wer_high_percent"),
           json_number(o, "cer_percent"));
    printf("%lld words: %lld substitutions, %lld deletions, %lld insertions; %zu utterances\n",
           (long long)json_integer_value(json_object_get(o, "words")),
           (long long)json_integer_value(json_object_get(o, "substitutions")),
           (long long)json_integer_value(json_object_get(o, "deletions")),
           (long long)json_integer_value(json_object_get(o, "insertions")),
           json_array_size(json_object_get(o, "utterances")));
    printf("CTC loss %.4f an utterance, real-time factor %.4f, KV cache %lld bytes at most\n",
           json_number(o, "loss"), json_number(o, "rtf"),
           (long long)json_integer_value(json_object_get(o, "kv_bytes_live")));
}

static int report(const evaluate_options *o, const recognition *r, const speech *s, attn_error *error) {
    json_t *result = recognition_json(r, s, error);
    if (!result)
        return -1;
    int failed = o->hyp ? recognition_write_trn(r, s, o->hyp, error) : 0;
    if (!failed && !strcmp(o->format, "json"))
        failed = json_print(result, JSON_INDENT(1) | JSON_REAL_PRECISION(9), "result", stdout, error);
    else if (!failed)
        print_text(result);
    json_decref(result);
    return failed;
}

static int open_model(attn_model **model, units *u, const evaluate_options *o, attn_error *error) {
    attn_config config;
    char note[256];
    if (attn_config_read(&config, o->config, note, error) || choose_kv_dtype(&config, o->kv_dtype, error) ||
        units_read(u, o->units, error))
        return -1;
    if (config.vocab_size != u->count)
        return attn_fail(error, "%s: %zu units, and %s has vocab_size %zu", o->units, u->count, o->config,
                         config.vocab_size);
    if (note[0])
        fprintf(stderr, "attnbench evaluate: %s\n", note);
    if (o->chunk && *attn_stream_note(&config))
        fprintf(stderr, "attnbench evaluate: %s\n", attn_stream_note(&config));
    return attn_model_create(model, &config, error) || attn_model_load(*model, o->weights, error) ||
                   choose_packing(*model, "auto", "evaluate", error)
               ? -1
               : 0;
}

static int evaluate(const evaluate_options *o, attn_error *error) {
    attn_model *model = NULL;
    units u = {0};
    speech s = {0};
    recognition r = {0};
    recognition_options options = {(size_t)o->chunk, (long)o->left_chunks, (size_t)o->beam};
    int failed = -1;
    if (!open_model(&model, &u, o, error) &&
        !speech_list(&s, o->data, o->split, attn_model_config(model)->input_dim, error) &&
        !speech_label(&s, &u, error) && !recognition_run(&r, model, &s, &u, &options, error))
        failed = report(o, &r, &s, error);
    recognition_free(&r);
    speech_free(&s);
    units_free(&u);
    attn_model_free(model);
    return failed;
}

int cmd_evaluate(int argc, char **argv) {
    /* A person reads a few lines, a program all of it. */
    evaluate_options o = {.format = isatty(STDOUT_FILENO) ? "md" : "json", .left_chunks = -1};
    struct poptOption table[] = {
        {"config", 'c', POPT_ARG_STRING, &o.config, 0, "needed: model configuration (YAML)", "F"},
        {"weights", 'w', POPT_ARG_STRING, &o.weights, 0, "needed: checkpoint (safetensors)", "F"},
        {"units", 'u', POPT_ARG_STRING, &o.units, 0, "needed: tokens and their numbers", "units.txt"},
        {"tokens", '\0', POPT_ARG_STRING, &o.units, 0, "the same as --units", "units.txt"},
        {"data", 'd', POPT_ARG_STRING, &o.data, 0, "needed: a corpus laid out as LibriSpeech is", "DIR"},
        {"split", 's', POPT_ARG_STRING, &o.split, 0, "needed: which of its splits", "S"},
        {"chunk", '\0', POPT_ARG_LONGLONG, &o.chunk, 0,
         "frames at a time, counted after the input layer (default: whole utterances)", "N"},
        {"left-chunks", '\0', POPT_ARG_LONGLONG, &o.left_chunks, 0,
         "chunks of cache kept before the current one; -1 keeps all", "M"},
        {"kv-dtype", '\0', POPT_ARG_STRING, &o.kv_dtype, 0, CHOOSE_KV_DTYPE_HELP, "T"},
        {"beam", '\0', POPT_ARG_LONGLONG, &o.beam, 0, "prefixes of a beam search (default: greedy)", "N"},
        {"hyp", '\0', POPT_ARG_STRING, &o.hyp, 0, "also write what was heard, a line WORDS (ID) each",
         "F.trn"},
        {"format", '\0', POPT_ARG_STRING, &o.format, 0, "md (default on a terminal) or json (elsewhere)",
         "F"},
        POPT_TABLEEND};
    int status;
    if (!command_options(argc, argv, "", "Word error rate of a model on the utterances of a split.", table,
                         NULL, &status))
        return status;
    attn_error error = {0};
    if (check_options(&o, &error) || evaluate(&o, &error))
        return command_fail("evaluate", &error);
    return STATUS_OK;
}
