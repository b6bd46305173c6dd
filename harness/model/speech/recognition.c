#include "harness/model/speech/recognition.h"

#include "attn/alloc.h"
#include "attn/decode.h"
#include "attn/train.h"
#include "base/clock.h"
#include "datasets/audio.h"
#include "datasets/fbank.h"

typedef struct recognizer {
    attn_model *model;
    const recognition_options *options;
    const units *units;
    fbank *extractor;
} recognizer;

static int spell(recognized *to, const recognizer *r, const float *logits, size_t frames, attn_error *error) {
    size_t vocab = attn_model_config(r->model)->vocab_size, beam = r->options->beam, count;
    int32_t *labels = attn_alloc(frames, sizeof *labels, "labels", error);
    void *workspace = NULL;
    int result = -1;
    if (!labels)
        return -1;
    if (beam) {
        workspace = attn_alloc(attn_decode_beam_bytes(frames, vocab, beam), 1, "beam search", error);
        if (!workspace)
            goto done;
        count = attn_decode_beam(labels, NULL, logits, frames, vocab, beam, workspace);
    } else {
        count = attn_decode_greedy(labels, logits, frames, vocab, NULL);
    }
    to->text = units_decode(r->units, labels, count, error);
    result = to->text ? 0 : -1;
done:
    attn_free(workspace);
    attn_free(labels);
    return result;
}

static int score(recognized *to, const speech *s, size_t index, const float *logits, size_t frames,
                 size_t vocab, size_t *infeasible, attn_error *error) {
    const char *said = s->corpus.utterances[index].transcript;
    size_t labels = s->label_counts[index];
    void *workspace = attn_alloc(attn_train_ctc_bytes(frames, vocab, labels), 1, "loss", error);
    if (!workspace)
        return -1;
    bool feasible;
    to->loss = attn_train_ctc(NULL, 1, logits, frames, vocab, s->labels[index], labels, workspace, &feasible);
    *infeasible += !feasible;
    attn_free(workspace);
    return word_errors_count(&to->words, said, to->text, error) ||
                   character_errors_count(&to->characters, said, to->text, error)
               ? -1
               : 0;
}

/* An utterance too short for the input layer gives no frames, and nothing is heard. */
static int recognize(recognition *r, const recognizer *with, const speech *s, size_t index, const float *x,
                     size_t length, attn_error *error) {
    const attn_config *config = attn_model_config(with->model);
    size_t frames = attn_output_frames(config, length), vocab = config->vocab_size;
    attn_session_options options = {.batch = 1,
                                    .max_frames = length,
                                    .chunk = with->options->chunk,
                                    .left_chunks = with->options->left_chunks,
                                    .one_cache = false,
                                    .logits = true};
    attn_session *session = NULL;
    recognized *to = &r->utterances[index];
    float *logits = attn_alloc(frames * vocab, sizeof *logits, "output", error);
    int result = -1;
    if (!logits || (frames && attn_session_open(&session, with->model, &options, error)))
        goto done;
    double begin = clock_now();
    if (frames)
        attn_session_run(session, logits, x, length, NULL, NULL, NULL);
    if (spell(to, with, logits, frames, error))
        goto done;
    r->seconds += clock_now() - begin;
    size_t held = frames ? attn_session_kv_bytes_live(session) : 0;
    r->kv_bytes_live = held > r->kv_bytes_live ? held : r->kv_bytes_live;
    result = score(to, s, index, logits, frames, vocab, &r->infeasible, error);
done:
    attn_session_close(session);
    attn_free(logits);
    return result;
}

/* Of speech that keeps no features. */
static int recognize_file(recognition *r, const recognizer *with, const speech *s, size_t index,
                          attn_error *error) {
    float *x;
    size_t length, samples;
    if (fbank_read(with->extractor, &x, &length, &samples, s->corpus.utterances[index].path, error))
        return -1;
    int result = recognize(r, with, s, index, x, length, error);
    r->audio_seconds += (double)samples / AUDIO_RATE;
    attn_free(x);
    return result;
}

int recognition_run(recognition *r, attn_model *model, const speech *s, const units *u,
                    const recognition_options *options, attn_error *error) {
    recognizer with = {model, options, u, fbank_create(error)};
    int result = with.extractor ? 0 : -1;
    *r = (recognition){.count = s->count, .audio_seconds = s->seconds};
    r->utterances = attn_alloc(s->count, sizeof *r->utterances, "results", error);
    if (!r->utterances)
        result = -1;
    for (size_t i = 0; !result && i < s->count; i++) {
        result = s->features[i] ? recognize(r, &with, s, i, s->features[i], s->frames[i], error)
                                : recognize_file(r, &with, s, i, error);
        word_errors_add(&r->words, &r->utterances[i].words);
        word_errors_add(&r->characters, &r->utterances[i].characters);
        r->loss += r->utterances[i].loss / (double)s->count;
    }
    fbank_free(with.extractor);
    return result;
}

void recognition_free(recognition *r) {
    for (size_t i = 0; r->utterances && i < r->count; i++)
        attn_free(r->utterances[i].text);
    attn_free(r->utterances);
    *r = (recognition){0};
}
