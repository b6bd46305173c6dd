/* Shards of the shipped plans: each run in exactly one, with the run that it begins with, whatever their number. */
#include "attn/alloc.h"
#include "harness/study/study_shard.h"
#include "tests/support/cmocka_all.h"

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
    static const char *const plans[] = {"harness/study/plans/quick.yaml", "harness/study/plans/full.yaml"};
    static const size_t counts[] = {1, 2, 3, 7, 100};
    char one[] = "1", two[] = "2", three[] = "3", *speakers[] = {one, two, three};
    const corpus_survey speech = {.speakers = speakers, .speaker_count = 3};
    for (size_t i = 0; i < 2; i++) {
        study_plan p;
        study_runs r;
        attn_error error = {0};
        if (study_plan_read(&p, plans[i], &error) || study_runs_make(&r, &p, &speech, "out", &error))
            fail_msg("%s", error.message);
        for (size_t n = 0; n < sizeof counts / sizeof *counts; n++)
            check_partition(&r, counts[n]);
        study_runs_free(&r);
        study_plan_free(&p);
    }
    assert_int_equal(attn_alloc_live(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped_plans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
