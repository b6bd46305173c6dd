/* CTC: against PyTorch (tests/golden/train/ctc.json), and on tiny cases against the sum over all paths. */
#include "attn/alloc.h"
#include "attn/random.h"
#include "attn/train.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FRAMES = 200, MAX_VOCAB = 32, MAX_LABELS = 64 };

typedef struct problem {
    float logits[MAX_FRAMES * MAX_VOCAB], gradient[MAX_FRAMES * MAX_VOCAB];
    int32_t labels[MAX_LABELS];
    size_t frames, vocab, count;
    double loss;
    bool feasible;
} problem;

static problem p;

static void solve(double factor) {
    size_t bytes = attn_train_ctc_bytes(p.frames, p.vocab, p.count);
    void *workspace = attn_alloc(bytes, 1, "workspace", NULL);
    memset(workspace, 0xff, bytes);
    p.loss = attn_train_ctc(p.gradient, factor, p.logits, p.frames, p.vocab, p.labels, p.count, workspace,
                            &p.feasible);
    double alone = attn_train_ctc(NULL, 1, p.logits, p.frames, p.vocab, p.labels, p.count, workspace, NULL);
    assert_true(p.loss == alone || (isnan(p.loss) && isnan(alone)));
    attn_free(workspace);
}

static void test_against_pytorch(void **state) {
    (void)state;
    json_t *cases = json_load_file("tests/golden/train/ctc.json", 0, NULL), *row;
    size_t index;
    assert_int_equal(json_array_size(cases), 9);
    json_array_foreach(cases, index, row) {
        const json_t *labels = json_object_get(row, "labels"), *gradient = json_object_get(row, "gradient");
        char name[32];
        p.frames = (size_t)json_integer_value(json_object_get(row, "frames"));
        p.vocab = (size_t)json_integer_value(json_object_get(row, "vocab"));
        p.count = json_array_size(labels);
        for (size_t i = 0; i < p.count; i++)
            p.labels[i] = (int32_t)json_integer_value(json_array_get(labels, i));
        snprintf(name, sizeof name, "ctc %zu", index);
        training_draw(p.logits, p.frames * p.vocab, name);
        for (size_t i = 0; i < p.frames * p.vocab; i++)
            p.logits[i] *= 4;
        solve(1);
        double expected = json_number_value(json_object_get(row, "loss"));
        assert_true(p.feasible == (index != 4));
        assert_true(fabs(p.loss - expected) <= 1e-9 + 1e-9 * expected);
        for (size_t i = 0; i < p.frames * p.vocab; i++)
            assert_true(fabs((double)p.gradient[i] - json_number_value(json_array_get(gradient, i))) <= 1e-6);
    }
    json_decref(cases);
}

/* The labels that a path means: repeats joined, then blanks dropped. */
static bool means(const size_t *path) {
    size_t used = 0;
    for (size_t t = 0; t < p.frames; t++) {
        if (!path[t] || (t && path[t] == path[t - 1]))
            continue;
        if (used == p.count || (size_t)p.labels[used] != path[t])
            return false;
        used++;
    }
    return used == p.count;
}

/* Sum of the probabilities of all paths that mean the labels. */
static double enumerate(void) {
    double y[8][4], sum = 0;
    size_t path[8] = {0};
    for (size_t t = 0; t < p.frames; t++) {
        double all = 0;
        for (size_t k = 0; k < p.vocab; k++)
            all += exp((double)p.logits[t * p.vocab + k]);
        for (size_t k = 0; k < p.vocab; k++)
            y[t][k] = exp((double)p.logits[t * p.vocab + k]) / all;
    }
    for (;;) {
        double product = 1;
        for (size_t t = 0; t < p.frames; t++)
            product *= y[t][path[t]];
        sum += means(path) ? product : 0;
        size_t t = 0;
        while (t < p.frames && ++path[t] == p.vocab)
            path[t++] = 0;
        if (t == p.frames)
            return sum;
    }
}

static void draw_problem(uint64_t *random) {
    p.frames = 1 + attn_random_below(random, 6);
    p.vocab = 2 + attn_random_below(random, 3);
    p.count = attn_random_below(random, 5);
    for (size_t i = 0; i < p.count; i++)
        p.labels[i] = (int32_t)(1 + attn_random_below(random, p.vocab - 1));
    attn_random_uniform(p.logits, p.frames * p.vocab, 2.0f, random);
}

/* The gradient by differences of the sum over paths. */
static void check_gradient(size_t i) {
    const float h = 0x1p-7f;
    float kept = p.logits[i];
    p.logits[i] = kept + h;
    double above = -log(enumerate());
    p.logits[i] = kept - h;
    double below = -log(enumerate());
    p.logits[i] = kept;
    assert_true(fabs((double)p.gradient[i] - (above - below) / (2 * (double)h)) <= 2e-5);
}

static void test_against_all_paths(void **state) {
    (void)state;
    uint64_t random = 11;
    size_t feasible = 0;
    enum { DRAWS = 300 };
    for (size_t draw = 0; draw < DRAWS; draw++) {
        draw_problem(&random);
        solve(1);
        double probability = enumerate();
        assert_true(p.feasible == (probability > 0));
        assert_true(p.feasible == (attn_train_ctc_least_frames(p.labels, p.count) <= p.frames));
        feasible += p.feasible;
        double expected = p.feasible ? -log(probability) : 0;
        assert_true(fabs(p.loss - expected) <= 1e-10);
        for (size_t i = 0; i < p.frames * p.vocab; i++)
            if (p.feasible)
                check_gradient(i);
            else
                assert_true(p.gradient[i] == 0);
    }
    assert_in_range(feasible, 100, 299);
}

static void test_factor_no_frames_and_nan(void **state) {
    (void)state;
    uint64_t random = 5;
    float once[MAX_VOCAB];
    p.frames = 3, p.vocab = 4, p.count = 1, p.labels[0] = 2;
    attn_random_uniform(p.logits, 12, 2.0f, &random);
    solve(1);
    memcpy(once, p.gradient, 12 * sizeof *once);
    solve(0.25);
    for (size_t i = 0; i < 12; i++)
        assert_true(fabsf(p.gradient[i] - 0.25f * once[i]) <= 1e-7f);
    p.logits[5] = NAN;
    solve(1);
    assert_true(isnan(p.loss) && isnan(p.gradient[0]));
    p.frames = 0;
    solve(1);
    assert_true(!p.feasible && p.loss == 0);
    p.count = 0;
    solve(1);
    assert_true(p.feasible && p.loss == 0);
    p.frames = 3;
    p.logits[5] = 1e30f; /* the blank may have no chance at all */
    solve(1);
    assert_true(p.loss > 1e29);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_pytorch),
                                       cmocka_unit_test(test_against_all_paths),
                                       cmocka_unit_test(test_factor_no_frames_and_nan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
