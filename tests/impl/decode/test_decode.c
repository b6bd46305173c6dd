/* Greedy decoding and the prefix beam search, on tiny cases against the sum over all paths. */
#include "attn/alloc.h"
#include "attn/decode.h"
#include "attn/random.h"
#include "attn/train.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

enum { FRAMES = 6, VOCAB = 4, PATHS = 4096 };

static float logits[200 * 30];
static size_t frames, vocab;

static size_t collapse(int32_t *labels, const size_t *path) {
    size_t count = 0;
    for (size_t t = 0; t < frames; t++)
        if (path[t] && !(t && path[t] == path[t - 1]))
            labels[count++] = (int32_t)path[t];
    return count;
}

static double log_path(const size_t *path) {
    double sum = 0;
    for (size_t t = 0; t < frames; t++) {
        double all = 0;
        for (size_t k = 0; k < vocab; k++)
            all += exp((double)logits[t * vocab + k]);
        sum += (double)logits[t * vocab + path[t]] - log(all);
    }
    return sum;
}

typedef struct labelling {
    int32_t labels[FRAMES];
    size_t count;
    double probability;
} labelling;
static labelling all[PATHS];

/* Every labelling with its probability; returns the best. */
static const labelling *enumerate(void) {
    size_t path[FRAMES] = {0}, known = 0, best = 0;
    for (;;) {
        labelling l = {.probability = exp(log_path(path))};
        l.count = collapse(l.labels, path);
        size_t i = 0;
        while (i < known && (all[i].count != l.count || memcmp(all[i].labels, l.labels, sizeof l.labels)))
            i++;
        if (i == known)
            all[known++] = l;
        else
            all[i].probability += l.probability;
        size_t t = 0;
        while (t < frames && ++path[t] == vocab)
            path[t++] = 0;
        if (t == frames)
            break;
    }
    for (size_t i = 1; i < known; i++)
        best = all[i].probability > all[best].probability ? i : best;
    return &all[best];
}

static size_t search(int32_t *out, double *log_probability, size_t beam) {
    size_t bytes = attn_decode_beam_bytes(frames, vocab, beam);
    void *workspace = attn_alloc(bytes, 1, "workspace", NULL);
    memset(workspace, 0xff, bytes);
    size_t count = attn_decode_beam(out, log_probability, logits, frames, vocab, beam, workspace);
    attn_free(workspace);
    return count;
}

/* Wide enough, the search is exact; and its probability is CTC's. */
static void test_wide_beam_is_exact(void **state) {
    (void)state;
    uint64_t random = 4;
    size_t other = 0;
    for (size_t draw = 0; draw < 200; draw++) {
        frames = 1 + attn_random_below(&random, FRAMES);
        vocab = 2 + attn_random_below(&random, VOCAB - 1);
        attn_random_uniform(logits, frames * vocab, 1.5f, &random);
        const labelling *best = enumerate();
        int32_t out[FRAMES] = {0}, greedy[FRAMES] = {0};
        double log_probability;
        size_t count = search(out, &log_probability, PATHS);
        assert_int_equal(count, best->count);
        assert_memory_equal(out, best->labels, count * sizeof *out);
        assert_true(fabs(log_probability - log(best->probability)) < 1e-9);
        void *workspace = attn_alloc(attn_train_ctc_bytes(frames, vocab, count), 1, "workspace", NULL);
        assert_true(fabs(log_probability +
                         attn_train_ctc(NULL, 1, logits, frames, vocab, out, count, workspace, NULL)) < 1e-9);
        attn_free(workspace);
        size_t n = attn_decode_greedy(greedy, logits, frames, vocab, NULL);
        other += n != count || memcmp(greedy, out, sizeof out);
    }
    assert_in_range(other, 20, 180); /* the best path is often not of the best labels */
}

/* What is kept is no more than all there is; a wider beam finds better labels, on the whole. */
static void test_narrow_beams(void **state) {
    (void)state;
    uint64_t random = 8;
    double sums[4] = {0};
    frames = 60, vocab = 12;
    for (size_t draw = 0; draw < 20; draw++) {
        attn_random_uniform(logits, frames * vocab, 4.0f, &random);
        for (size_t i = 0, beam = 1; i < 4; i++, beam *= 4) {
            int32_t out[60];
            double log_probability;
            size_t count = search(out, &log_probability, beam);
            void *workspace = attn_alloc(attn_train_ctc_bytes(frames, vocab, count), 1, "workspace", NULL);
            double whole = -attn_train_ctc(NULL, 1, logits, frames, vocab, out, count, workspace, NULL);
            attn_free(workspace);
            assert_true(log_probability <= whole + 1e-9);
            sums[i] += whole;
        }
    }
    for (size_t i = 1; i < 4; i++)
        assert_true(sums[i] > sums[i - 1]);
}

/* Where each frame is sure of its token, both say the same. */
static void test_sure_frames(void **state) {
    (void)state;
    static const int32_t tokens[] = {0, 3, 3, 0, 3, 1, 1, 2, 0, 0, 2}, labels[] = {3, 3, 1, 2, 2};
    frames = 11, vocab = 4;
    for (size_t i = 0; i < frames * vocab; i++)
        logits[i] = i % vocab == (size_t)tokens[i / vocab] ? 20 : 0;
    int32_t out[11];
    assert_int_equal(attn_decode_greedy(out, logits, frames, vocab, NULL), 5);
    assert_memory_equal(out, labels, sizeof labels);
    assert_int_equal(search(out, NULL, 4), 5);
    assert_memory_equal(out, labels, sizeof labels);
    size_t count = 0;
    int32_t last = 0;
    for (size_t t = 0; t < frames; t += 2) /* chunk by chunk */
        count += attn_decode_greedy(out + count, logits + t * vocab, frames - t < 2 ? 1 : 2, vocab, &last);
    assert_int_equal(count, 5);
    assert_memory_equal(out, labels, sizeof labels);
    frames = 0;
    assert_int_equal(search(out, NULL, 4), 0);
}

/* A frame with a NaN gives no label. It does not matter which token has the NaN. */
static void test_frames_with_nan(void **state) {
    (void)state;
    for (size_t at = 0; at < 4; at++) {
        const float rows[] = {0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0, 9};
        int32_t out[3];
        memcpy(logits, rows, sizeof rows);
        logits[4 + at] = NAN;
        assert_int_equal(attn_decode_greedy(out, logits, 3, 4, NULL), 2);
        assert_int_equal(out[0], 2);
        assert_int_equal(out[1], 3);
        memcpy(logits, rows + 4, 4 * sizeof *rows); /* the frame alone */
        logits[at] = NAN;
        assert_int_equal(attn_decode_greedy(out, logits, 1, 4, NULL), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wide_beam_is_exact), cmocka_unit_test(test_narrow_beams),
        cmocka_unit_test(test_sure_frames), cmocka_unit_test(test_frames_with_nan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
