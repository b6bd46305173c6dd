#include "harness/conversion/calibration.h"

#include "attn/alloc.h"
#include "attn/npy.h"
#include "datasets/corpus.h"
#include "datasets/fbank.h"

#include <math.h>
#include <string.h>

static int check_array(const attn_array *a, const attn_config *config, const char *path, attn_error *error) {
    if (a->rank < 2 || a->rank > 3)
        return attn_fail(error, "%s: %zu axes, expected 3 (utterances, frames, input_dim) or 2", path,
                         a->rank);
    size_t width = a->dims[a->rank - 1], frames = a->dims[a->rank - 2];
    size_t count = frames * width * (a->rank == 3 ? a->dims[0] : 1);
    if (width != config->input_dim)
        return attn_fail(error, "%s: last axis is %zu, expected the model's input_dim %zu", path, width,
                         config->input_dim);
    if (!attn_output_frames(config, frames))
        return attn_fail(error, "%s: %zu frames give none after the input layer", path, frames);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(a->data[i]))
            return attn_fail(error, "%s: frame %zu, value %zu is %g, expected finite numbers", path,
                             i / width, i % width, (double)a->data[i]);
    return 0;
}

static int read_array(calibration *c, const char *path, const attn_config *config, attn_error *error) {
    attn_array array;
    if (attn_npy_read(&array, path, error))
        return -1;
    if (check_array(&array, config, path, error)) {
        attn_free(array.data);
        return -1;
    }
    c->x = array.data;
    c->at.batch = array.rank == 3 ? array.dims[0] : 1;
    c->at.frames = array.dims[array.rank - 2];
    c->frames = c->at.batch * attn_output_frames(config, c->at.frames);
    return 0;
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
