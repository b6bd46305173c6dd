/* Shards of the shipped plans: for any number of shards, each run is in exactly one, together with the run that it starts
 * from. A folder takes one split at a time. Names of kinds of runs. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "harness/study/study_lock.h"
#include "harness/study/study_shard.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

static void check_partition(study_runs *r, size_t count) {
    char *seen = attn_alloc(r->count, 1, "runs", NULL);
    assert_non_null(seen);
    memset(seen, 0, r->count);
    for (size_t k = 1; k <= count; k++) {
        const shard own = {k, count};
        attn_error error = {0};
        for (size_t i = 0; i < r->count; i++)
            r->at[i].state = STUDY_WAITS;
        if (study_shard_keep(r, &own, &error))
            fail_msg("%s", error.message);
        for (size_t i = 0; i < r->count; i++) {
            const study_run *run = &r->at[i];
            if (run->base != STUDY_NONE)
                assert_int_equal(run->state, r->at[run->base].state);
            if (run->state == STUDY_WAITS && seen[i]++)
                fail_msg("%s is in two shards", run->name);
        }
    }
    for (size_t i = 0; i < r->count; i++)
        if (!seen[i])
            fail_msg("%s is in no shard of %zu", r->at[i].name, count);
    attn_free(seen);
}

static void test_shipped_plans(void **state) {
    (void)state;
    static const size_t counts[] = {1, 2, 3, 7, 100};
    char one[] = "1", two[] = "2", three[] = "3", *speakers[] = {one, two, three};
    const corpus_survey speech = {.speakers = speakers, .speaker_count = 3};
    glob_t plans;
    assert_int_equal(glob("harness/study/plans/*.yaml", 0, NULL, &plans), 0);
    for (size_t i = 0; i < plans.gl_pathc; i++) {
        study_plan p;
        study_runs r;
        attn_error error = {0};
        if (study_plan_read(&p, plans.gl_pathv[i], &error) || study_runs_make(&r, &p, &speech, "out", &error))
            fail_msg("%s", error.message);
        for (size_t n = 0; n < sizeof counts / sizeof *counts; n++)
            check_partition(&r, counts[n]);
        study_runs_free(&r);
        study_plan_free(&p);
    }
    globfree(&plans);
    assert_int_equal(attn_alloc_live(), 0);
}

static bool has_kind(const study_plan *p, const char *name) {
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->kinds[i].name, name))
            return true;
    return false;
}

/* Kinds that are trained differently have different names; with one name, one of them would be left out. */
static void test_names(void **state) {
    (void)state;
    static const char text[] =
        "models:\n  - {model_type: conformer, d_model: 32, num_heads: 4, num_layers: 1}\nruns:\n"
        "  - {origin: fine_tuned, attention_type: mla, latent_dim: 8}\n"
        "  - {origin: fine_tuned, attention_type: mla, latent_dim: 8, epochs: 6}\n"
        "  - {origin: fine_tuned, attention_type: mla, latent_dim: 8, learning_rate: 5e-5}\n"
        "  - {origin: fine_tuned, attention_type: mla, latent_dim: 8, learning_rate: 5.0000001e-5}\n";
    study_plan p;
    assert_int_equal(study_plan_read(&p, scratch_file("names.yaml", text, sizeof text - 1), NULL), 0);
    assert_int_equal(p.count, 5);
    assert_true(has_kind(&p, "conformer-d32-l1-k31-mha-scratch"));
    assert_true(has_kind(&p, "conformer-d32-l1-k31-mla-8-fine_tuned"));
    assert_true(has_kind(&p, "conformer-d32-l1-k31-mla-8-fine_tuned-e6"));
    assert_true(has_kind(&p, "conformer-d32-l1-k31-mla-8-fine_tuned-lr5e-05"));
    assert_true(has_kind(&p, "conformer-d32-l1-k31-mla-8-fine_tuned-lr5.0000001e-05"));
    study_plan_free(&p);
}

static void take(study_lock *lock, const char *folder, size_t index, size_t count) {
    const shard own = {index, count};
    attn_error error = {0};
    if (study_lock_take(lock, folder, &own, &error))
        fail_msg("%s", error.message);
}

static void refuse(const char *folder, size_t index, size_t count, const char *expected) {
    const shard own = {index, count};
    study_lock lock;
    attn_error error = {0};
    assert_int_equal(study_lock_take(&lock, folder, &own, &error), -1);
    if (!strstr(error.message, expected))
        fail_msg("%s", error.message);
    assert_int_equal(lock.folder, -1);
}

static void test_one_split_at_a_time(void **state) {
    (void)state;
    study_lock first, second, other;
    attn_error error = {0};
    char folder[256];
    snprintf(folder, sizeof folder, "%s", scratch_path("study"));
    assert_int_equal(attn_make_folder(folder, &error), 0);
    take(&first, folder, 1, 3);
    take(&second, folder, 2, 3);
    refuse(folder, 3, 7, "study/.lock: shards of 3 are at work there, and this is one of 7: one N at a time");
    study_lock_drop(&first);
    refuse(folder, 3, 7, "one N at a time");
    study_lock_drop(&second);
    take(&other, folder, 3, 7);
    refuse(folder, 2, 3, "shards of 7 are at work there, and this is one of 3");
    study_lock_drop(&other);
    assert_int_equal(attn_alloc_live(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped_plans), cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_one_split_at_a_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
