#include "harness/model/speech/speech.h"

#include "attn/alloc.h"
#include "datasets/audio.h"
#include "datasets/fbank.h"

#include <math.h>
#include <string.h>

int speech_list(speech *s, const char *folder, const char *split, size_t input_dim, attn_error *error) {
    *s = (speech){0};
    if (input_dim != FBANK_BINS)
        return attn_fail(error, "input_dim %zu: features of speech have %d", input_dim, FBANK_BINS);
    if (corpus_read(&s->corpus, folder, split, error))
        return -1;
    s->count = s->corpus.count;
    s->features = attn_alloc(s->count, sizeof *s->features, "features", error);
    s->frames = attn_alloc(s->count, sizeof *s->frames, "features", error);
    return s->features && s->frames ? 0 : -1;
}

int speech_feature_bytes(double *bytes, const speech *s, attn_error *error) {
    *bytes = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t samples;
        if (audio_check(&samples, s->corpus.utterances[i].path, error))
            return -1;
        *bytes += (double)(fbank_frames(samples) * FBANK_BINS * sizeof(float));
    }
    return 0;
}

static int keep_in_memory(speech *s, size_t *samples, attn_error *error) {
    fbank *extractor = fbank_create(error);
    int result = extractor ? 0 : -1;
    for (size_t i = 0; !result && i < s->count; i++) {
        float *features;
        size_t own;
        result = fbank_read(extractor, &features, &s->frames[i], &own, s->corpus.utterances[i].path, error);
        s->features[i] = features;
        *samples += result ? 0 : own;
    }
    fbank_free(extractor);
    return result;
}

int speech_keep(speech *s, const char *folder, const char *split, attn_error *error) {
    size_t samples = 0;
    int result = folder ? feature_file_open(&s->file, folder, split, &s->corpus, s->features, s->frames,
                                            &samples, error)
                        : keep_in_memory(s, &samples, error);
    s->seconds = (double)samples / AUDIO_RATE;
    return result;
}

int speech_read(speech *s, const char *folder, const char *split, size_t input_dim, attn_error *error) {
    return speech_list(s, folder, split, input_dim, error) ? -1 : speech_keep(s, NULL, split, error);
}

static void free_each(void **blocks, size_t count) {
    for (size_t i = 0; blocks && i < count; i++)
        attn_free(blocks[i]);
    attn_free(blocks);
}

void speech_free(speech *s) {
    free_each((void **)(uintptr_t)s->features, s->file.map ? 0 : s->count);
    free_each((void **)s->labels, s->count);
    attn_free(s->frames);
    attn_free(s->label_counts);
    feature_file_close(&s->file);
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
