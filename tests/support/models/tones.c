#include "tests/support/models/tones.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/random.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

enum { RATE = 16000, WORD = 3200, PAUSE = 1600 };

static float noise(uint64_t *random) {
    float x;
    attn_random_uniform(&x, 1, 0.01f, random);
    return x;
}

/* A word is two tones one after the other, so that order matters; other letters are noise. */
static size_t speak(float *samples, size_t at, char word, uint64_t *random) {
    static const double tones[4][2] = {{400, 900}, {900, 400}, {1600, 2500}, {3000, 1600}};
    size_t length = WORD + attn_random_below(random, WORD / 4);
    for (size_t i = 0; i < length; i++) {
        double f = word >= 'A' && word <= 'D' ? tones[word - 'A'][i >= length / 2] : 0;
        samples[at + i] = (float)(0.3 * sin(6.283185307 * f * (double)i / RATE)) + noise(random);
    }
    for (size_t i = 0; i < PAUSE; i++)
        samples[at + length + i] = noise(random);
    return at + length + PAUSE;
}

static void write_flac(const char *path, const float *samples, size_t count) {
    SF_INFO info = {.samplerate = RATE, .channels = 1, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    assert_int_equal(sf_write_float(file, samples, (sf_count_t)count), count);
    sf_close(file);
}

void tones_utterance(const char *folder, const char *split, const char *id, const char *words,
                     unsigned seed) {
    uint64_t random = seed;
    char path[512];
    size_t at = PAUSE;
    float *samples = attn_alloc((strlen(words) + 2) * 2 * WORD, sizeof *samples, "samples", NULL);
    for (size_t i = 0; i < PAUSE; i++)
        samples[i] = noise(&random);
    for (const char *word = words; *word; word++)
        if (*word != ' ')
            at = speak(samples, at, *word, &random);
    snprintf(path, sizeof path, "%s/%s/1/2", folder, split);
    assert_int_equal(attn_make_folder(path, NULL), 0);
    snprintf(path, sizeof path, "%s/%s/1/2/1-2-%s.flac", folder, split, id);
    write_flac(path, samples, at);
    attn_free(samples);
    snprintf(path, sizeof path, "%s/%s/1/2/1-2.trans.txt", folder, split);
    FILE *transcripts = fopen(path, "a");
    assert_non_null(transcripts);
    fprintf(transcripts, "1-2-%s %s\n", id, words);
    fclose(transcripts);
}

void tones_corpus(const char *folder, const char *split, size_t count, unsigned seed) {
    uint64_t random = seed;
    for (size_t u = 0; u < count; u++) {
        char words[8] = "", id[32];
        size_t n = 1 + attn_random_below(&random, 4);
        for (size_t i = 0; i < n; i++) {
            words[2 * i] = "ABCD"[attn_random_below(&random, 4)];
            words[2 * i + 1] = i + 1 < n ? ' ' : '\0';
        }
        snprintf(id, sizeof id, "%04zu", u);
        tones_utterance(folder, split, id, words, (unsigned)attn_random_next(&random));
    }
}
