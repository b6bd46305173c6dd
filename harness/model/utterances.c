#include "harness/model/utterances.h"

#include "attn/alloc.h"
#include "attn/compare.h"

#include <errno.h>
#include <stdlib.h>

/* "a,b,c" into one length for each utterance. NULL text: NULL lengths, everything is valid. */
static int parse_lengths(size_t **lengths, const char *text, size_t batch, size_t frames, attn_error *error) {
    *lengths = NULL;
    if (!text)
        return 0;
    *lengths = attn_alloc(batch, sizeof(size_t), "lengths", error);
    if (!*lengths)
        return -1;
    size_t count = 0;
    for (const char *c = text;; c++) {
        char *end;
        errno = 0;
        unsigned long long value = strtoull(c, &end, 10);
        if (end == c || *c < '0' || *c > '9' || errno || (*end && *end != ','))
            return attn_fail(error, "--lengths %s: expected whole numbers with commas between", text);
        if (value > frames)
            return attn_fail(error, "--lengths %s: %llu is more than the input's %zu frames", text, value,
                             frames);
        if (count < batch)
            (*lengths)[count] = (size_t)value;
        count++;
        c = end;
        if (!*end)
            break;
    }
    if (count != batch)
        return attn_fail(error, "--lengths %s: found %zu, expected one for each of %zu utterances", text,
                         count, batch);
    return 0;
}

/* Padding may hold anything: it must not matter. */
static int check_finite(const attn_array *input, const size_t *lengths, const char *path, size_t batch,
                        size_t frames, size_t width, attn_error *error) {
    for (size_t b = 0; b < batch; b++) {
        size_t count = (lengths ? lengths[b] : frames) * width;
        const float *row = input->data + b * frames * width;
        size_t i = attn_first_nonfinite(row, count);
        if (i < count)
            return attn_fail(error, "%s: utterance %zu, frame %zu, value %zu is %g, expected a finite number",
                             path, b, i / width, i % width, (double)row[i]);
    }
    return 0;
}

/* Input is [B, T, input_dim], or [T, input_dim] for one utterance. */
static int check_shape(const attn_array *input, const attn_config *config, const char *path,
                       attn_error *error) {
    if (input->rank < 2 || input->rank > 3)
        return attn_fail(error, "%s: %zu axes, expected 3 (utterances, frames, input_dim) or 2", path,
                         input->rank);
    size_t width = input->dims[input->rank - 1], frames = input->dims[input->rank - 2];
    if (width != config->input_dim)
        return attn_fail(error, "%s: last axis is %zu, expected the model's input_dim %zu", path, width,
                         config->input_dim);
    if (!attn_output_frames(config, frames))
        return attn_fail(error, "%s: %zu frames give none after the input layer", path, frames);
    return 0;
}

int utterances_read(utterance_batch *u, const char *path, const char *lengths, const attn_config *config,
                    attn_error *error) {
    *u = (utterance_batch){0};
    if (attn_npy_read(&u->input, path, error) || check_shape(&u->input, config, path, error))
        return -1;
    u->count = u->input.rank == 3 ? u->input.dims[0] : 1;
    u->frames = u->input.dims[u->input.rank - 2];
    if (parse_lengths(&u->lengths, lengths, u->count, u->frames, error))
        return -1;
    return check_finite(&u->input, u->lengths, path, u->count, u->frames, config->input_dim, error);
}

void utterances_free(utterance_batch *u) {
    attn_free(u->lengths);
    attn_free(u->input.data);
    *u = (utterance_batch){0};
}
