/* The ledger of claims. Its verdicts follow from numbers: those by formula are worked out by hand, and measured ones come
 * from results and studies made up here, in both directions. */
#include "reports/paper/claims/claims.h"

#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

static paper_tables tables;

static int read_tables(void **state) {
    (void)state;
    return paper_read(&tables, "reports/paper/published.json", NULL);
}

/* Whether the words of the row begin so: verdict, then numbers. */
static void expect(const table *t, const char *id, const char *verdict, const char *found) {
    size_t i;
    json_t *row;
    json_array_foreach(t->rows, i, row) {
        if (strcmp(json_string_value(json_object_get(row, "claim")), id))
            continue;
        assert_string_equal(json_string_value(json_object_get(row, "verdict")), verdict);
        if (!strstr(json_string_value(json_object_get(row, "measured")), found))
            fail_msg("%s: %s", id, json_string_value(json_object_get(row, "measured")));
        return;
    }
    fail_msg("no claim %s", id);
}

static void fill(table *t, const claims_evidence *more) {
    claims_evidence e = *more;
    attn_error error = {0};
    e.tables = &tables;
    if (claims_fill(t, &e, &error))
        fail_msg("%s", error.message);
}

static void test_formulas(void **state) {
    (void)state;
    table t;
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
    table t;
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
    return (measured){.c = c, .runs = 5, .time = time, .low = 0.9 * time, .high = 1.1 * time};
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
    table t;
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
    expect(&t, "simple_faster", "undecided", "1.15 times"); /* 135 to 165 against 117 to 143 */
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

static void test_study(void **state) {
    (void)state;
    static const char text[] =
        "{'corpus': {'words': 'digits'}, 'runs': ["
        "{'origin': 'control', 'attention_type': 'mha', 'd_model': 32, 'wer_percent': 2.0, 'seed': 1},"
        "{'origin': 'control', 'attention_type': 'mha', 'd_model': 32, 'wer_percent': 3.0, 'seed': 2},"
        "{'origin': 'converted', 'attention_type': 'mla', 'latent_dim': 8, 'wer_percent': 20},"
        "{'origin': 'converted', 'attention_type': 'mla', 'latent_dim': 16, 'wer_percent': 4},"
        "{'origin': 'fine_tuned', 'attention_type': 'mla', 'latent_dim': 32, 'wer_percent': 2.6, 'epochs': 2,"
        " 'loss': 0.5, 'output_error_percent': 30},"
        "{'origin': 'fine_tuned', 'attention_type': 'mla', 'latent_dim': 16, 'wer_percent': 4, 'epochs': 2},"
        "{'origin': 'fine_tuned', 'attention_type': 'mla', 'latent_dim': 16, 'wer_percent': 5, 'epochs': 5},"
        "{'origin': 'scratch', 'attention_type': 'mla', 'latent_dim': 32, 'loss': 0.7, 'seconds_per_epoch': "
        "9},"
        "{'origin': 'scratch', 'attention_type': 'mla_simple', 'latent_dim': 32, 'loss': 0.6,"
        " 'seconds_per_epoch': 10}]}";
    char json[sizeof text];
    for (size_t i = 0; i < sizeof text; i++)
        json[i] = text[i] == '\'' ? '"' : text[i];
    json_t *study = json_loads(json, 0, NULL);
    assert_non_null(study);
    table t;
    fill(&t, &(claims_evidence){.study = study});
    expect(&t, "wer_target", "reproduced", "mla, latent_dim 32: 2.6% WER, +0.1 points");
    expect(&t, "tuned_wer", "refuted",
           "mla, latent_dim 16: 4.5% WER, +2 points"); /* mean of both trainings */
    expect(&t, "advice_latent", "reproduced", "4 against 20");
    expect(&t, "advice_epochs", "refuted", "5% WER with epochs 5, 4% with 2");
    expect(&t, "advice_rate", "not measured yet", "");
    expect(&t, "simple_trains", "reproduced", "0.6 against 0.7");
    expect(&t, "simple_training_time", "refuted", "10 against 9");
    expect(&t, "svd_start", "reproduced", "0.5 against 0.7");
    expect(&t, "tuned_error", "refuted", "30%");
    table_free(&t);
    json_decref(study);
}

static void test_conversion(void **state) {
    (void)state;
    json_t *rows = json_pack("[{s:s, s:s, s:s, s:i, s:i, s:f}]", "subject", "S", "inputs", "I", "method",
                             "joint", "latent_dim", 32, "d_model", 64, "output_error", 0.1);
    table t;
    fill(&t, &(claims_evidence){.conversion = rows});
    expect(&t, "svd_error", "reproduced", "joint, latent_dim 32: 10%");
    table_free(&t);
    json_object_set_new(json_array_get(rows, 0), "output_error", json_real(0.2));
    fill(&t, &(claims_evidence){.conversion = rows});
    expect(&t, "svd_error", "refuted", "20%");
    table_free(&t);
    json_decref(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formulas), cmocka_unit_test(test_no_evidence),
                                       cmocka_unit_test(test_times), cmocka_unit_test(test_study),
                                       cmocka_unit_test(test_conversion)};
    return cmocka_run_group_tests(tests, read_tables, NULL);
}
