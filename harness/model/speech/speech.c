#include "harness/model/speech/speech.h"

#include "attn/alloc.h"
#include "datasets/audio.h"
#include "datasets/fbank.h"

#include <math.h>
#include <string.h>

static int read_features(speech *s, fbank *extractor, attn_error *error) {
    for (size_t i = 0; i < s->count; i++) {
        size_t samples;
        if (fbank_read(extractor, &s->features[i], &s->frames[i], &samples, s->corpus.utterances[i].path,
                       error))
            return -1;
        s->seconds += (double)samples / AUDIO_RATE;
    }
    return 0;
}

int speech_read(speech *s, const char *folder, const char *split, size_t input_dim, attn_error *error) {
    *s = (speech){0};
    if (input_dim != FBANK_BINS)
        return attn_fail(error, "input_dim %zu: features of speech have %d", input_dim, FBANK_BINS);
    if (corpus_read(&s->corpus, folder, split, error))
        return -1;
    s->count = s->corpus.count;
    s->features = attn_alloc(s->count, sizeof *s->features, "features", error);
    s->frames = attn_alloc(s->count, sizeof *s->frames, "features", error);
    fbank *extractor = s->features && s->frames ? fbank_create(error) : NULL;
    int result = extractor ? read_features(s, extractor, error) : -1;
    fbank_free(extractor);
    return result;
}

static void free_each(void **blocks, size_t count) {
    for (size_t i = 0; blocks && i < count; i++)
        attn_free(blocks[i]);
    attn_free(blocks);
}

void speech_free(speech *s) {
    free_each((void **)s->features, s->count);
    free_each((void **)s->labels, s->count);
    attn_free(s->frames);
    attn_free(s->label_counts);
    corpus_free(&s->corpus);
    *s = (speech){0};
}

int speech_label(speech *s, const units *u, attn_error *error) {
    s->labels = attn_alloc(s->count, sizeof *s->labels, "labels", error);
    s->label_counts = attn_alloc(s->count, sizeof *s->label_counts, "labels", error);
    if (!s->labels || !s->label_counts)
        return -1;
    for (size_t i = 0; i < s->count; i++) {
        const corpus_utterance *utterance = &s->corpus.utterances[i];
        if (units_encode(u, utterance->transcript, utterance->id, &s->labels[i], &s->label_counts[i], error))
            return -1;
    }
    return 0;
}

int speech_units(const speech *s, units *u, units_kind kind, attn_error *error) {
    const char **texts = attn_alloc(s->count, sizeof *texts, "transcripts", error);
    *u = (units){0};
    if (!texts)
        return -1;
    for (size_t i = 0; i < s->count; i++)
        texts[i] = s->corpus.utterances[i].transcript;
    int result = units_make(u, kind, texts, s->count, error);
    attn_free(texts);
    return result;
}

void speech_moments(const speech *s, float *mean, float *inverse_deviation) {
    double sum[FBANK_BINS] = {0}, squares[FBANK_BINS] = {0}, frames = 0;
    for (size_t u = 0; u < s->count; u++, frames += (double)s->frames[u - 1])
        for (size_t i = 0; i < s->frames[u] * FBANK_BINS; i++)
            sum[i % FBANK_BINS] += (double)s->features[u][i];
    for (size_t b = 0; b < FBANK_BINS; b++)
        mean[b] = (float)(sum[b] / frames);
    for (size_t u = 0; u < s->count; u++)
        for (size_t i = 0; i < s->frames[u] * FBANK_BINS; i++) {
            double d = (double)s->features[u][i] - (double)mean[i % FBANK_BINS];
            squares[i % FBANK_BINS] += d * d;
        }
    for (size_t b = 0; b < FBANK_BINS; b++)
        inverse_deviation[b] = (float)(1.0 / fmax(sqrt(squares[b] / frames), 1e-3));
}
