/* What a study says on the first screen, and what it chooses by: made-up results of a small study. */
#include "attn/alloc.h"
#include "base/text/json.h"
#include "reports/study/pictures/study_titles.h"
#include "reports/study/study_answer.h"
#include "reports/study/study_findings.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UTTERANCES = 40, WORDS = 5 };

/* `wrong` utterances with an error each. */
static json_t *evaluation(const char *split, int wrong) {
    json_t *id = json_array(), *errors = json_array(), *words = json_array(), *losses = json_array();
    for (int i = 0; i < UTTERANCES; i++) {
        json_array_append_new(id, json_sprintf("%s-%d", split, i));
        json_array_append_new(errors, json_integer(i < wrong));
        json_array_append_new(words, json_integer(WORDS));
        json_array_append_new(losses, json_real(i < wrong));
    }
    return json_pack("{s:s, s:b, s:b, s:i, s:i, s:i, s:i, s:f, s:{s:o, s:o, s:o, s:o}}", "split", split,
                     "dev", !strcmp(split, "dev"), "stream", 0, "words", UTTERANCES * WORDS, "substitutions",
                     wrong, "deletions", 0, "insertions", 0, "loss", 0.1, "utterances", "id", id, "errors",
                     errors, "words", words, "loss", losses);
}

static void add(json_t *root, const char *type, const char *origin, int size, int bytes, int test, int dev) {
    char *name = attn_format(NULL, "%s-%d-%s", type, size, origin);
    json_t *kind = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:{s:i, s:i, s:f, s:i}}", "kind",
                             name, "shape", name, "model", "small", "model_type", "conformer",
                             "attention_type", type, "origin", origin, "d_model", 32, "num_layers", 3,
                             "epochs_in_all", strcmp(origin, "scratch") ? 7 : 5, "whole", "kv_bytes_formula",
                             bytes, "kv_bytes_live", bytes, "seconds", 0.1, "parameters", 1000);
    if (size)
        json_object_set_new(kind, "latent_dim", json_integer(size));
    json_array_append_new(json_object_get(root, "kinds"), kind);
    json_array_append_new(json_object_get(root, "runs"),
                          json_pack("{s:s, s:s, s:i, s:b, s:[], s:[o, o]}", "run", name, "kind", name, "seed",
                                    1, "failed", 0, "log", "evaluations", evaluation("test", test),
                                    evaluation("dev", dev)));
    attn_free(name);
}

static json_t *study_of(bool synthetic) {
    json_t *root =
        json_pack("{s:s, s:s, s:s?, s:[], s:[], s:[{s:s, s:f, s:i}], s:s?}", "study", "made up", "dev", "dev",
                  "corpus", synthetic ? NULL : "digits", "kinds", "runs", "splits", "split", "train",
                  "seconds", 2983.0, "speakers", 6, "synthetic", synthetic ? "Tones" : NULL);
    add(root, "mha", "scratch", 0, 1000, 10, 10);
    add(root, "mha", "control", 0, 1000, 6, 8);
    return root;
}

static study_data open(json_t *root) {
    study_data d;
    attn_error error = {0};
    setenv("ATTNBENCH_HOME", ".", 1);
    if (study_data_make(&d, root, "study", &error))
        fail_msg("%s", error.message);
    return d;
}

static void close_all(study_data *d) {
    study_data_free(d);
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_quarter(void **state) {
    (void)state;
    json_t *root = study_of(false);
    char lead[STUDY_ANSWER], text[STUDY_ANSWER];
    add(root, "mla", "converted", 16, 250, 0, 0); /* not tuned */
    add(root, "mla_simple", "fine_tuned", 16, 250, 1, 1);
    add(root, "mla", "fine_tuned", 16, 250, 30, 8);
    add(root, "mla", "fine_tuned", 8, 125, 7, 7);
    study_data d = open(root);
    assert_string_equal(json_text(study_quarter(&d), "kind"), "mla-16-fine_tuned");
    study_answer(&d, lead, text);
    assert_string_equal(
        lead, "In recognition: MLA costs +12.0 points of word error rate with 25% of the KV cache.");
    const char *said = "MLA with a latent of 16, tuned after conversion, has 15.00% WER (95%: ";
    assert_memory_equal(text, said, strlen(said));
    assert_non_null(strstr(text, "), MHA trained as long 3.00%: +12.00 points (95%: +"));
    assert_non_null(strstr(
        text,
        "). A small Conformer (3 layers, d_model 32), trained on 49.7 minutes of speech (digits/train, 6 "
        "speakers, real speech as far as the corpus says), 40 test utterances, 1 seed."));
    study_small mha = study_small_at(&d, "mha", 1), mla = study_small_at(&d, "mla", 0.25);
    assert_true(mha.wer == 3 && mha.tuned);
    assert_true(mla.wer == 15 && mla.mha == 3 && mla.tuned && mla.shares);
    assert_string_equal(mla.name, "MLA with a latent of 16");
    assert_true(study_small_at(&d, "mla", 0.125).wer == 3.5);
    assert_true(isnan(study_small_at(&d, "gqa", 0.25).wer) && isnan(study_small_at(&d, "mla", 0.5).wer));
    close_all(&d);
}

static void test_no_difference_and_synthetic(void **state) {
    (void)state;
    json_t *root = study_of(true);
    char lead[STUDY_ANSWER], text[STUDY_ANSWER];
    add(root, "mla", "fine_tuned", 16, 250, 7, 8);
    study_data d = open(root);
    study_answer(&d, lead, text);
    assert_string_equal(lead, "In recognition: no difference found between MHA and MLA with 25% of the KV "
                              "cache (synthetic speech).");
    assert_non_null(strstr(text, "49.7 minutes of SYNTHETIC speech (split train, 6 speakers), 40 test"));
    close_all(&d);
    d = open(study_of(false));
    study_answer(&d, lead, text);
    assert_string_equal(lead, "In recognition: a study, without a tuned model of a smaller cache.");
    assert_true(isnan(study_small_at(&d, "mha", 1).wer));
    close_all(&d);
}

static void price_is(const study_data *d, const char *type, double share, const char *start,
                     const char *end) {
    char text[300] = "";
    study_price(text, sizeof text, d, type, share);
    assert_memory_equal(text, start, strlen(start));
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

/* What the first screen adds where it praises a type for something else: of which model it is, and how sure. */
static void test_price(void **state) {
    (void)state;
    json_t *root = study_of(false);
    char text[300] = "";
    add(root, "mla", "fine_tuned", 16, 250, 7, 8);
    add(root, "gqa", "fine_tuned", 0, 250, 30, 30);
    json_t *gqa = json_array_get(json_object_get(root, "kinds"), 3);
    json_object_set_new(gqa, "num_kv_heads", json_integer(1));
    json_object_set_new(gqa, "num_heads", json_integer(4));
    add(root, "linear", "scratch", 0, 18, 34, 30);
    study_data d = open(root);
    study_price(text, sizeof text, &d, "mla", 0.125); /* not that share */
    study_price(text, sizeof text, &d, "gqa", 0.5);
    study_price(text, sizeof text, &d, "mha", 1);
    assert_string_equal(text, "");
    price_is(&d, "linear", 0.008,
             " In the study linear attention, trained from scratch, costs +12.00 points of WER (95%: +",
             "; 17.00%, MHA 5.00%).");
    price_is(
        &d, "mla", 0.25,
        " In the study MLA with a latent of 16, the same share of the cache, converted and tuned, shows no "
        "difference in WER (95%: ",
        "; 3.50%, MHA 3.00%).");
    price_is(
        &d, "gqa", 0.25,
        " In the study GQA with 1 of 4 key/value heads, the same share of the cache, converted and tuned, "
        "costs +12.00 points of WER (95%: +",
        "; 15.00%, MHA 3.00%).");
    study_small linear = study_small_at(&d, "linear", 0.008);
    assert_true(linear.wer == 17 && linear.mha == 5 && !linear.tuned && !linear.shares);
    close_all(&d);
}

/* Of two alike ones the one that is best on dev is named, with its result of the test, which is the worse one. */
static void test_chosen_by_dev(void **state) {
    (void)state;
    json_t *root = study_of(false);
    add(root, "mla", "fine_tuned", 16, 250, 2, 9);
    add(root, "mla_simple", "fine_tuned", 16, 250, 5, 3);
    study_data d = open(root);
    json_t *findings = study_findings(&d), *one;
    size_t i, named = 0;
    json_array_foreach(findings, i, one) {
        const char *text = json_string_value(one);
        assert_null(strstr(text, "mla 16"));
        named +=
            strstr(text, "least WER of dev") && strstr(text, "mla_simple 16, fine_tuned, 7 epochs: 2.50%");
    }
    assert_int_equal(named, 1);
    assert_string_equal(
        d.heard,
        "WER and loss are those of test, without dev, which judges each epoch; nothing was chosen on test.");
    json_decref(findings);
    close_all(&d);
}

static void check_title(const study_data *d, study_group group, const char *expected) {
    char title[160];
    study_lines lines;
    study_lines_of(&lines, d, "small", "kv_bytes", "wer_percent", group);
    study_title_cache(title, sizeof title, &lines, "wer_percent", group);
    assert_string_equal(title, expected);
}

/* A picture's title says what its own points say: down to which cache nothing was lost, above it nowhere. */
static void test_titles(void **state) {
    (void)state;
    json_t *root = study_of(false);
    add(root, "mla", "fine_tuned", 16, 500, 6, 6);
    add(root, "mla", "fine_tuned", 8, 250, 30, 30); /* worse */
    add(root, "mla", "fine_tuned", 4, 125, 6, 6);   /* not worse, below what is */
    add(root, "mla", "converted", 16, 500, 30, 30);
    add(root, "mla", "converted", 8, 250, 10, 10);
    add(root, "gqa", "converted", 0, 250, 40, 40);
    add(root, "mla", "fine_tuned", 20, 600, 40, 40); /* worse at a rate of its own: not in the picture */
    const json_t *kinds = json_object_get(root, "kinds");
    json_object_set_new(json_array_get(kinds, json_array_size(kinds) - 1), "own_learning_rate",
                        json_real(0.1));
    study_data d = open(root);
    check_title(&d, STUDY_TUNED, "MLA tuned: no difference from MHA in WER found down to 50% of its cache");
    check_title(&d, STUDY_SCRATCH, "");
    check_title(&d, STUDY_CONVERTED, "2 of 3 smaller caches, converted, have a higher WER than MHA");
    close_all(&d);
}

/* The last kind with its run. */
static void set_rate(json_t *root, const char *name, double rate) {
    json_t *kinds = json_object_get(root, "kinds"), *runs = json_object_get(root, "runs");
    json_t *kind = json_array_get(kinds, json_array_size(kinds) - 1);
    json_object_set_new(kind, "kind", json_string(name));
    json_object_set_new(kind, "learning_rate", json_real(rate));
    json_object_set_new(json_array_get(runs, json_array_size(runs) - 1), "kind", json_string(name));
}

/* A tuned model is compared with the control at its own rate, wherever that stands among others; with the first one
 * where none has its rate. */
static void test_control_of_the_rate(void **state) {
    (void)state;
    static const struct {
        const char *kind, *control;
        double rate;
    } rows[] = {
        {"fast", "mha-0-control", 1e-3}, {"usual", "usual control", 5e-4}, {"slow", "slow control", 5e-5}};
    json_t *root = study_of(false);
    add(root, "mha", "control", 0, 1000, 6, 8);
    set_rate(root, "usual control", 5e-4);
    add(root, "mha", "control", 0, 1000, 6, 8);
    set_rate(root, "slow control", 5e-5);
    for (size_t i = 0; i < 3; i++) {
        add(root, "mla", "fine_tuned", 16, 250, 6, 8);
        set_rate(root, rows[i].kind, rows[i].rate);
    }
    study_data d = open(root);
    size_t first = json_array_size(d.models) - 3;
    for (size_t i = 0; i < 3; i++) {
        const json_t *row = json_array_get(d.models, first + i);
        assert_string_equal(json_text(row, "kind"), rows[i].kind);
        assert_string_equal(json_text(row, "reference_kind"), rows[i].control);
    }
    close_all(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quarter), cmocka_unit_test(test_no_difference_and_synthetic),
        cmocka_unit_test(test_price),   cmocka_unit_test(test_chosen_by_dev),
        cmocka_unit_test(test_titles),  cmocka_unit_test(test_control_of_the_rate)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
