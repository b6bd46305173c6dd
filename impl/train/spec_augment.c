/* SpecAugment's masks (Park et al. 2019, section 2): widths and places are uniform. */
#include "attn/train.h"

#include "attn/random.h"
#include "attn/size.h"

/* [*first, *first + width) inside `size`, width uniform in 0 .. most. */
static size_t draw(size_t *first, size_t most, size_t size, uint64_t *random) {
    size_t width = attn_random_below(random, attn_smaller(most, size) + 1);
    *first = attn_random_below(random, size - width + 1);
    return width;
}

static void mask(float *x, size_t rows, size_t width, size_t first, size_t bins, const float *fill) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = first; i < first + bins; i++)
            x[r * width + i] = fill ? fill[i] : 0.0f;
}

void attn_spec_augment_apply(float *x, size_t frames, size_t width, const float *fill,
                             const attn_spec_augment *options, uint64_t seed, uint64_t step,
                             uint64_t utterance) {
    uint64_t random = seed;
    random = attn_random_next(&random) ^ step;
    random = attn_random_next(&random) ^ utterance;
    size_t first, share = (size_t)(options->time_share * (double)frames);
    for (size_t i = 0; i < options->frequency_masks; i++) {
        size_t bins = draw(&first, options->frequency_width, width, &random);
        mask(x, frames, width, first, bins, fill);
    }
    for (size_t i = 0; i < options->time_masks; i++) {
        size_t rows = draw(&first, attn_smaller(options->time_width, share), frames, &random);
        mask(x + first * width, rows, width, 0, width, fill);
    }
}
