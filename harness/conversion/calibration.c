#include "harness/conversion/calibration.h"

#include "attn/alloc.h"
#include "datasets/corpus.h"
#include "datasets/fbank.h"
#include "harness/model/utterances.h"

#include <string.h>

static int read_array(calibration *c, const char *path, const attn_config *config, attn_error *error) {
    utterance_batch u;
    int result = utterances_read(&u, path, NULL, config, error);
    if (!result) {
        c->x = u.input.data;
        u.input.data = NULL;
        c->at.batch = u.count;
        c->at.frames = u.frames;
        c->frames = u.count * attn_output_frames(config, u.frames);
    }
    utterances_free(&u);
    return result;
}

typedef struct utterance {
    float *features;
    size_t frames;
} utterance;

static size_t common_divisor(size_t a, size_t b) {
    return b ? common_divisor(b, a % b) : a;
}

/* A step that visits all of `count` once, far from where it was each time. */
static size_t far_step(size_t count) {
    size_t step = (size_t)(0.618 * (double)count) + 1;
    while (common_divisor(step, count) != 1)
        step++;
    return step;
}

/* Reads utterances until there are frames enough; *taken of them. */
static int read_utterances(utterance *list, size_t *taken, calibration *c, const corpus *speech,
                           size_t max_frames, const attn_config *config, attn_error *error) {
    fbank *extractor = fbank_create(error);
    int result = extractor ? 0 : -1;
    size_t step = far_step(speech->count);
    for (size_t i = 0; !result && i < speech->count && c->frames < max_frames; i++) {
        utterance *u = &list[*taken];
        const char *path = speech->utterances[i * step % speech->count].path;
        result = fbank_read(extractor, &u->features, &u->frames, NULL, path, error);
        if (result)
            break;
        ++*taken;
        c->frames += attn_output_frames(config, u->frames);
        if (c->at.frames < u->frames)
            c->at.frames = u->frames;
    }
    fbank_free(extractor);
    return result;
}

static int pack(calibration *c, const utterance *list, size_t count, attn_error *error) {
    c->at.batch = count;
    c->x = attn_alloc(count * c->at.frames, FBANK_BINS * sizeof(float), "calibration features", error);
    c->lengths = attn_alloc(count, sizeof *c->lengths, "calibration features", error);
    if (!c->x || !c->lengths)
        return -1;
    for (size_t i = 0; i < count; i++) {
        c->lengths[i] = list[i].frames;
        memcpy(c->x + i * c->at.frames * FBANK_BINS, list[i].features,
               list[i].frames * FBANK_BINS * sizeof(float));
    }
    return 0;
}

static int read_corpus(calibration *c, const calibration_source *source, const attn_config *config,
                       attn_error *error) {
    corpus speech = {0};
    utterance *list = NULL;
    size_t taken = 0;
    int result = -1;
    if (config->input_dim != FBANK_BINS)
        return attn_fail(error,
                         "--data %s: its features have %d dimensions, but the model's input_dim is %zu",
                         source->data, FBANK_BINS, config->input_dim);
    if (corpus_read(&speech, source->data, source->split, error))
        goto done;
    list = attn_alloc(speech.count, sizeof *list, "utterances", error);
    if (list && !read_utterances(list, &taken, c, &speech, source->max_frames, config, error))
        result = pack(c, list, taken, error);
done:
    for (size_t i = 0; i < taken; i++)
        attn_free(list[i].features);
    attn_free(list);
    corpus_free(&speech);
    return result;
}

int calibration_read(calibration *c, const calibration_source *source, const attn_config *config,
                     attn_error *error) {
    *c = (calibration){0};
    if (source->npy && source->data)
        return attn_fail(error, "%s and --data: only one of them can be the input", source->npy_option);
    if (source->split && !source->data)
        return attn_fail(error, "--split needs --data");
    if (source->npy ? read_array(c, source->npy, config, error)
                    : source->data && read_corpus(c, source, config, error))
        return -1;
    c->at.x = c->x;
    c->at.lengths = c->lengths;
    return 0;
}

void calibration_free(calibration *c) {
    attn_free(c->x);
    attn_free(c->lengths);
    *c = (calibration){0};
}
