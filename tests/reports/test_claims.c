/* The ledger of claims. Its verdicts follow from numbers: those by formula are worked out by hand, and measured ones come
 * from results and studies made up here, in both directions. */
#include "reports/paper/claims/claims.h"
#include "reports/paper/claims/study_file.h"

#include "base/text/json.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

static paper_tables tables;

static int read_tables(void **state) {
    (void)state;
    return paper_read(&tables, "reports/paper/published.json", NULL);
}

static const json_t *row_of(const text_table *t, const char *id) {
    size_t i;
    json_t *row;
    json_array_foreach(t->rows, i, row) {
        if (!strcmp(json_text(row, "claim"), id))
            return row;
    }
    fail_msg("no claim %s", id);
    return NULL;
}

/* The verdict, and words among the numbers found. */
static void expect(const text_table *t, const char *id, const char *verdict, const char *found) {
    const json_t *row = row_of(t, id);
    assert_string_equal(json_text(row, "verdict"), verdict);
    if (!strstr(json_text(row, "measured"), found))
        fail_msg("%s: %s", id, json_text(row, "measured"));
}

static void fill(text_table *t, const claims_evidence *more) {
    claims_evidence e = *more;
    attn_error error = {0};
    e.tables = &tables;
    if (claims_fill(t, &e, &error))
        fail_msg("%s", error.message);
}

static void test_formulas(void **state) {
    (void)state;
    text_table t;
    fill(&t, &(claims_evidence){0});
    expect(&t, "cell/conformer/mha/total", "refuted", "46.875 MiB");
    expect(&t, "cell/conformer/mla_512/reduction", "reproduced", "50 %");
    expect(&t, "cell/conformer/gqa_2/reduction", "refuted", "75 %");
    expect(&t, "linear_order", "reproduced", "2 times");
    expect(&t, "mla_half", "reproduced", "50% at latent_dim 512 (0%");
    expect(&t, "mla_quarter", "reproduced", "75% at latent_dim 256 (50%");
    expect(&t, "mla_capacity", "reproduced", "latent_dim d_model");
    /* 4 d^2 + 4 d, and 5 d^2 + 2 h d_k^2 with their biases */
    expect(&t, "mla_parameters", "reproduced", "1379840 against 1050624");
    expect(&t, "simple_parameters", "reproduced", "1313280 against 1379840");
    expect(&t, "simple_expressive", "refuted", "equals it");
    expect(&t, "slow_latent", "refuted", "1 of 1000 frames new: 1.1");
    expect(&t, "memory_batch", "reproduced", "half as many");
    expect(&t, "memory_checkpoint", "reproduced", "--checkpoint-activations");
    expect(&t, "wer_conformer_mha", "not testable here", "LibriSpeech");
    table_free(&t);
}

/* Nothing is said of what was not measured. */
static void test_no_evidence(void **state) {
    (void)state;
    static const char *const ids[] = {"mla_slower", "simple_faster", "svd_error",    "tuned_error",
                                      "tuned_wer",  "wer_target",    "time_between", "advice_epochs"};
    text_table t;
    fill(&t, &(claims_evidence){0});
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        expect(&t, ids[i], "not measured yet", "");
    table_free(&t);
}

/* ---- Times ---- */

static results_case layer(const char *type, size_t latent_dim, double bytes) {
    return (results_case){.kind = "attention",
                          .type = type,
                          .mode = "decode",
                          .model = "",
                          .kv = "f32",
                          .cache = "warm",
                          .part = "layer",
                          .pos = "none",
                          .input = "",
                          .t = 1,
                          .B = 1,
                          .L = 1000,
                          .q = 1,
                          .h = 8,
                          .d = 512,
                          .dc = latent_dim,
                          .kv_bytes_live = bytes};
}

static results_case encoder(const char *model) {
    results_case c = layer("mha", 0, 0);
    c.kind = "encoder";
    c.mode = "prefill";
    c.model = model;
    c.T = 4000;
    return c;
}

static measured took(const results_case *c, double time) {
    return (measured){.c = c, .runs = 5, .time = time, .low = 0.95 * time, .high = 1.05 * time};
}

static void test_times(void **state) {
    (void)state;
    results_case mha = layer("mha", 0, 4096), full = layer("mla", 512, 2048), half = layer("mla", 256, 1024),
                 simple = layer("mla_simple", 512, 2048), gqa = layer("gqa", 0, 1024);
    results_case conformer = encoder("conformer"), branchformer = encoder("branchformer");
    measured cases[] = {took(&mha, 100), took(&full, 124),      took(&half, 500),        took(&simple, 80),
                        took(&gqa, 50),  took(&conformer, 1e9), took(&branchformer, 8e8)};
    const report_data data = {.count = sizeof cases / sizeof *cases, .cases = cases};
    const claims_evidence e = {.results = &data};
    text_table t;
    fill(&t, &e);
    expect(&t, "mla_slower", "reproduced", "mla (latent_dim 512) 1.24 times mha");
    expect(&t, "simple_faster", "reproduced", "0.645 times");
    expect(&t, "slow_gqa", "reproduced", "gqa 0.403 times mla (latent_dim 512)");
    expect(&t, "time_between", "refuted", "branchformer mha 0.8 times conformer mha");
    expect(&t, "time_conformer", "not testable here", "1 s for 4000 input frames");
    table_free(&t);

    cases[1] = took(&full, 130); /* more than a quarter */
    cases[3] = took(&simple, 150);
    gqa.kv_bytes_live = 4096; /* no smaller than what it is compared with */
    fill(&t, &e);
    expect(&t, "mla_slower", "refuted", "1.3 times");
    expect(&t, "simple_faster", "undecided", "1.15 times"); /* a gap of 5 between bars of 15 */
    expect(&t, "slow_gqa", "not measured yet", "");
    table_free(&t);

    cases[3] = took(&simple, 300);
    mha.cache = "cold"; /* another comparison */
    fill(&t, &e);
    expect(&t, "simple_faster", "refuted", "2.31 times");
    expect(&t, "mla_slower", "not measured yet", "");
    table_free(&t);
}

/* ---- Studies ---- */

static double learning_rate = 5e-4; /* of the runs that are added next */

/* A run of study.json, with the kind that it is of. */
static void add_run(json_t *study, const char *kind, const char *type, const char *origin, int latent_dim,
                    int epochs, int seed, int wrong, double loss, double seconds) {
    json_array_append_new(json_object_get(study, "kinds"),
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:f}", "kind", kind,
                                    "model", "small", "model_type", "conformer", "attention_type", type,
                                    "origin", origin, "d_model", 32, "num_layers", 3, "conv_kernel_size", 3,
                                    "epochs", epochs, "latent_dim", latent_dim, "learning_rate",
                                    learning_rate));
    json_array_append_new(json_object_get(study, "runs"),
                          json_pack("{s:s, s:i, s:b, s:[{s:f}], s:[{s:s, s:b, s:i, s:i, s:i, s:i, s:f}, "
                                    "{s:s, s:b, s:i}, {s:s, s:b, s:b, s:i}]}",
                                    "kind", kind, "seed", seed, "failed", 0, "log", "seconds", seconds,
                                    "evaluations", "split", "test", "stream", 0, "words", 1000,
                                    "substitutions", wrong, "deletions", 0, "insertions", 0, "loss", loss,
                                    "split", "test", "stream", 1, "words", 1000000, "split", "dev", "dev", 1,
                                    "stream", 0, "words", 1000000));
}

static void test_study(void **state) {
    (void)state;
    json_t *study = json_pack("{s:[], s:[], s:s, s:s, s:[{s:s, s:f}]}", "kinds", "runs", "train", "train",
                              "synthetic", "espeak-ng", "splits", "split", "train", "seconds", 3000.0);
    attn_error error = {0};
    add_run(study, "control", "mha", "control", 0, 2, 1, 20, 0.5, 8);
    add_run(study, "control", "mha", "control", 0, 2, 2, 30, 0.5, 8); /* 2.5% of both */
    add_run(study, "c8", "mla", "converted", 8, 0, 1, 200, 2, 8);
    add_run(study, "c16", "mla", "converted", 16, 0, 1, 40, 1, 8);
    add_run(study, "t32", "mla", "fine_tuned", 32, 2, 1, 26, 0.5, 8);
    add_run(study, "t16", "mla", "fine_tuned", 16, 2, 1, 60, 0.8, 8);
    add_run(study, "t16long", "mla", "fine_tuned", 16, 5, 1, 120, 0.9, 8);
    add_run(study, "s32", "mla", "scratch", 32, 5, 1, 30, 0.7, 9);
    add_run(study, "p32", "mla_simple", "scratch", 32, 5, 1, 30, 0.6, 10);
    json_t *models = study_by_model(study, "study.json", &error);
    assert_non_null(models);
    text_table t;
    fill(&t, &(claims_evidence){.study = models});
    expect(&t, "wer_target", "reproduced", "mla, latent_dim 32, tuned for 2 epochs: 2.6% WER, +0.1 points");
    expect(&t, "tuned_wer", "refuted", "mla, latent_dim 16, tuned for 2 epochs: 6% WER, +3.5 points");
    assert_null(
        strstr(json_text(row_of(&t, "tuned_wer"), "measured"), "5 epochs")); /* no control of as many */
    expect(&t, "advice_latent", "reproduced", "4% WER at latent_dim 16, 20% at 8");
    expect(&t, "advice_epochs", "refuted", "12% WER with epochs 5, 6% with 2");
    expect(&t, "advice_rate", "not measured yet", ""); /* nothing is tuned alike at two rates */
    expect(&t, "simple_trains", "undecided", "0.6 against 0.7 (1 and 1 seeds");
    expect(&t, "simple_training_time", "undecided", "10 against 9");
    expect(&t, "svd_start", "undecided", "0.5 against 0.7");
    table_free(&t);
    json_decref(models);

    add_run(study, "t32c", "mla", "fine_tuned", 32, 2, 2, 26, 0.52, 8);
    add_run(study, "s32b", "mla", "scratch", 32, 5, 2, 30, 0.72, 9.1);
    add_run(study, "p32b", "mla_simple", "scratch", 32, 5, 2, 30, 0.71,
            10.2); /* worse than the other's first */
    models = study_by_model(study, "study.json", &error);
    fill(&t, &(claims_evidence){.study = models});
    expect(&t, "simple_trains", "undecided", "0.655 against 0.71 (2 and 2 seeds");
    expect(&t, "simple_training_time", "refuted", "10.1 against 9.05");
    expect(&t, "svd_start", "reproduced", "0.51 against 0.71");
    table_free(&t);
    json_decref(models);

    json_array_remove(json_object_get(study, "runs"), 9);
    add_run(study, "t32b", "mla", "fine_tuned", 32, 2, 2, 36, 0.5, 8); /* +0.6 points of 2000 words: chance */
    json_array_remove(json_object_get(study, "runs"), 5);
    json_array_remove(json_object_get(study, "runs"), 5);
    models = study_by_model(study, "study.json", &error);
    fill(&t, &(claims_evidence){.study = models});
    expect(&t, "tuned_wer", "undecided", "+0.6 points");
    table_free(&t);
    json_decref(models);

    learning_rate = 5e-5;
    add_run(study, "slow", "mla", "fine_tuned", 32, 2, 1, 100, 0.9, 8);
    learning_rate = 5e-4;
    models = study_by_model(study, "study.json", &error);
    fill(&t, &(claims_evidence){.study = models});
    expect(&t, "advice_rate", "refuted", "10% WER with learning_rate 5e-05, 3.1% with 0.0005");
    expect(&t, "tuned_wer", "undecided", "+0.6 points"); /* the control was trained at the other rate */
    table_free(&t);
    json_decref(models);
    json_decref(study);

    study = json_object();
    assert_null(study_by_model(study, "other.json", &error));
    assert_non_null(strstr(error.message, "other.json: found no lists"));
    json_decref(study);
}

static void test_conversion(void **state) {
    (void)state;
    json_t *rows = json_pack("[{s:s, s:s, s:s, s:i, s:i, s:f}]", "subject", "S", "inputs", "I", "method",
                             "joint", "latent_dim", 32, "d_model", 64, "output_error", 0.1);
    text_table t;
    fill(&t, &(claims_evidence){.conversion = rows});
    expect(&t, "svd_error", "reproduced", "joint, latent_dim 32: 10%");
    table_free(&t);
    json_object_set_new(json_array_get(rows, 0), "output_error", json_real(0.2));
    fill(&t, &(claims_evidence){.conversion = rows});
    expect(&t, "svd_error", "refuted", "20%");
    table_free(&t);
    json_decref(rows);
    rows = json_pack("[{s:s, s:f}, {s:s, s:f, s:i, s:i, s:s, s:s}]", "where", "layer 0", "relative_error",
                     0.01, "where", "output, sums", "relative_error", 0.2, "cache_bytes", 1,
                     "cache_bytes_mha", 2, "subject", "S", "inputs", "I");
    fill(&t, &(claims_evidence){.tuned = rows});
    expect(&t, "tuned_error", "refuted", "20%, 0.5 times the cache");
    assert_string_equal(json_text(row_of(&t, "tuned_error"), "size"), "S; I");
    table_free(&t);
    json_decref(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formulas), cmocka_unit_test(test_no_evidence),
                                       cmocka_unit_test(test_times), cmocka_unit_test(test_study),
                                       cmocka_unit_test(test_conversion)};
    return cmocka_run_group_tests(tests, read_tables, NULL);
}
