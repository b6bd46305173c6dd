#define _GNU_SOURCE /* sched_getaffinity, sched_getcpu, sched_setaffinity */
#include "harness/plan/plan.h"
#include "harness/plan/plan_machine.h"
#include "harness/plan/plan_turns.h"

#include <sched.h>

#include "attn/alloc.h"
#include "attn/cpu.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void parse(plan *p, const char *text) {
    attn_error error = {0};
    if (plan_parse(p, text, strlen(text), "some/tiny.yaml", &error))
        fail_msg("%s", error.message);
}

static void assert_row(const plan *p, size_t i, const char *name) {
    assert_true(i < p->count);
    assert_string_equal(p->rows[i].name, name);
}

static void test_settings(void **state) {
    (void)state;
    plan p;
    parse(&p, "repetitions: 7\nmin_time: 0.25\nseed: 42\ncases: attention/mha/decode/L:10\n");
    assert_string_equal(p.name, "tiny");
    assert_int_equal(p.repetitions, 7);
    assert_true(p.min_time == 0.25);
    assert_int_equal(p.seed, 42);
    plan_free(&p);
    parse(&p, "machine: [machine/flops]\n");
    assert_int_equal(p.repetitions, 5);
    assert_int_equal(plan_rounds(&p), 3);
    const char *row = p.rows[0].name;
    assert_int_equal(plan_repetitions(&p, row, 0) + plan_repetitions(&p, row, 1), 4);
    assert_int_equal(plan_repetitions(&p, row, 2), 1);
    assert_int_equal(plan_repetitions(&p, row, 3), 0);
    assert_true(p.min_time == 0.05);
    assert_int_equal(p.seed, 1);
    plan_free(&p);
    parse(&p, "repetitions: 2\nrounds: 9\nmachine: [machine/flops]\n");
    assert_int_equal(plan_rounds(&p), 2);
    plan_free(&p);
}

/* A sweep may have its own rounds: a row takes the largest number given for it, and each of its processes has as many
 * samples as the first process of another row. */
static void test_own_rounds(void **state) {
    (void)state;
    plan p, plain;
    char hash[PLAN_HASH], other[PLAN_HASH];
    parse(&plain,
          "repetitions: 5\nrounds: 2\nsweeps:\n- {attention_type: mha, mode: decode, seq_len: [4, 8]}\n");
    parse(&p, "repetitions: 5\nrounds: 2\nsweeps:\n"
              "- {attention_type: mha, mode: decode, seq_len: [4, 8]}\n"
              "- {rounds: 3, attention_type: mha, mode: decode, seq_len: 8}\n"
              "- {rounds: 1, attention_type: mha, mode: decode, seq_len: 8}\n");
    const char *usual = p.rows[0].name, *own = p.rows[1].name;
    assert_int_equal(p.count, 2);
    assert_int_equal(plan_rounds_of(&p, usual), 2);
    assert_int_equal(plan_rounds_of(&p, own), 3);
    assert_int_equal(plan_processes(&p), 5);
    assert_int_equal(plan_repetitions(&p, own, 0), 3);
    assert_int_equal(plan_repetitions(&p, own, 2), 3);
    assert_int_equal(plan_repetitions(&p, own, 3), 0);
    plan_hash(hash, &p, "off");
    plan_hash(other, &plain, "off");
    assert_string_not_equal(hash, other);
    plan_keep_rounds(&p, 2);
    plan_hash(hash, &p, "off");
    assert_string_equal(hash, other);
    assert_int_equal(plan_rounds_of(&p, own), 2);
    plan_free(&p);
    plan_free(&plain);
}

static void check_turn(const plan_turn *turn, const bench_case *row, size_t round) {
    assert_ptr_equal(turn->row, row);
    assert_int_equal(turn->round, round);
}

/* Rounds are spread over the run, however many a case has. */
static void test_turns(void **state) {
    (void)state;
    plan p;
    attn_error error = {0};
    parse(&p, "repetitions: 2\nrounds: 2\nsweeps:\n"
              "- {attention_type: mha, mode: decode, seq_len: 4}\n"
              "- {rounds: 4, attention_type: mha, mode: decode, seq_len: 8}\n");
    const bench_case *usual = &p.rows[0], *own = &p.rows[1];
    plan_turn *turns = plan_turns(&p, &error);
    assert_non_null(turns);
    check_turn(&turns[0], usual, 0);
    check_turn(&turns[1], own, 0);
    check_turn(&turns[2], own, 1);
    check_turn(&turns[3], usual, 1);
    check_turn(&turns[4], own, 2);
    check_turn(&turns[5], own, 3);
    attn_free(turns);
    plan_keep_rounds(&p, 2);
    turns = plan_turns(&p, &error);
    assert_non_null(turns);
    for (size_t i = 0; i < 4; i++)
        check_turn(&turns[i], &p.rows[i % 2], i / 2);
    attn_free(turns);
    plan_free(&p);
}

static void test_cross_product(void **state) {
    (void)state;
    plan p;
    parse(&p,
          "machine: [machine/sgemm/n:64]\n"
          "cases: [attention/linear/decode/L:5/h:2/d:8, attention/mha/decode/L:4/q:1/h:2/d:8/impl:scalar]\n"
          "sweeps:\n"
          "- {attention_type: [mha, gqa, mla], mode: [decode, chunk], seq_len: [4, 8], queries: [2],\n"
          "   num_heads: 2, d_model: 8, num_kv_heads: [1, 2], latent_dim: 4, path: [expand, absorb],\n"
          "   impl: scalar}\n");
    /* mha: 2 modes x 2 lengths; gqa: twice that; mla: twice that. Then a case that is new and one that is
     * not, then the machine. */
    assert_int_equal(p.count, 4 + 8 + 8 + 1 + 1);
    assert_row(&p, 0, "attention/mha/decode/L:4/q:1/h:2/d:8/kv:f32/impl:scalar");
    assert_row(&p, 1, "attention/mha/decode/L:8/q:1/h:2/d:8/kv:f32/impl:scalar");
    assert_row(&p, 2, "attention/mha/chunk/L:4/q:2/h:2/d:8/kv:f32/impl:scalar");
    assert_row(&p, 4, "attention/gqa/decode/L:4/q:1/h:2/d:8/hkv:1/kv:f32/impl:scalar");
    assert_row(&p, 12, "attention/mla/decode/L:4/q:1/h:2/d:8/dc:4/kv:f32/path:expand/impl:scalar");
    assert_row(&p, 13, "attention/mla/decode/L:4/q:1/h:2/d:8/dc:4/kv:f32/path:absorb/impl:scalar");
    assert_string_equal(p.rows[20].subject, "linear");
    assert_row(&p, 21, "machine/sgemm/n:64");
    assert_int_equal(p.skipped, 0);
    plan_free(&p);
}

static void check_machine_rows(const machine *m, const char *row, const char *const *expected, int count) {
    char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW];
    int found = plan_machine_rows(rows, row, m);
    assert_int_equal(found, count);
    for (int i = 0; i < count; i++)
        assert_string_equal(rows[i], expected[i]);
}

static void check_curve(const machine *m, const char *row, int count, const char *first, const char *last) {
    char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW];
    int found = plan_machine_rows(rows, row, m);
    assert_int_equal(found, count);
    assert_string_equal(rows[0], first);
    if (last)
        assert_string_equal(rows[count - 1], last);
}

/* On all CPUs that may be used at once, together no further than one alone; with one CPU there are none. */
static void check_all(const machine *m) {
    cpu_set_t before, one;
    char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], last[PLAN_MACHINE_ROW];
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    size_t cpus = (size_t)CPU_COUNT(&before), bytes = 4096;
    while (bytes * 2 * cpus <= (size_t)512 << 20)
        bytes *= 2;
    int count = plan_machine_rows(rows, "machine/all/curves/read", m);
    snprintf(last, sizeof last, "machine/read/bytes:%zu/t:%zu", bytes, cpus);
    assert_true(cpus > 1 ? count > 0 && !strcmp(rows[count - 1], last) : !count);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(plan_machine_rows(rows, "machine/all/curves/read", m), 0);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

/* Rows that stand for what a machine has: half of each data cache, and memory far beyond the last. */
static void test_machine_rows(void **state) {
    (void)state;
    static const machine server = {.caches = 4,
                                   .cache = {{1, "Data", 48 << 10, 2},
                                             {1, "Instruction", 32 << 10, 2},
                                             {2, "Unified", 2 << 20, 2},
                                             {3, "Unified", 64 << 20, 32}},
                                   .memory_bytes = (size_t)64 << 30};
    static const char *const of_server[] = {
        "machine/read/bytes:24576",    "machine/read/bytes:98304",     "machine/read/bytes:196608",
        "machine/read/bytes:393216",   "machine/read/bytes:786432",    "machine/read/bytes:1048576",
        "machine/read/bytes:4194304",  "machine/read/bytes:8388608",   "machine/read/bytes:16777216",
        "machine/read/bytes:33554432", "machine/read/bytes:134217728", "machine/read/bytes:268435456",
        "machine/read/bytes:536870912"};
    static const machine unknown = {.memory_bytes = (size_t)512 << 20};
    static const char *const of_unknown[] = {
        "machine/read/bytes:16384",    "machine/read/bytes:65536",    "machine/read/bytes:131072",
        "machine/read/bytes:262144",   "machine/read/bytes:524288",   "machine/read/bytes:2097152",
        "machine/read/bytes:4194304",  "machine/read/bytes:8388608",  "machine/read/bytes:33554432",
        "machine/read/bytes:67108864", "machine/read/bytes:134217728"};
    check_machine_rows(&server, "machine/levels", of_server, 13);
    check_machine_rows(&unknown, "machine/levels", of_unknown, 11);
    check_machine_rows(&server, "machine/flops", NULL, -1);
    check_machine_rows(&server, "machine/curves/flops", NULL, -1);
    check_curve(&server, "machine/curves/nt_write", 18, "machine/nt_write/bytes:4096",
                "machine/nt_write/bytes:536870912");
    check_curve(&server, "machine/curves/latency/small", 18, "machine/latency/bytes:4096/pages:small",
                "machine/latency/bytes:536870912/pages:small");
    check_curve(&server, "machine/curves/latency/huge", 35, "machine/latency/bytes:4096/pages:huge",
                "machine/latency/bytes:536870912/pages:huge");
    check_curve(&unknown, "machine/curves/read", 16, "machine/read/bytes:4096",
                "machine/read/bytes:134217728");
    check_curve(&server, "machine/curves/tlb/small", 11, "machine/tlb/bytes:65536/pages:small",
                "machine/tlb/bytes:67108864/pages:small");
    check_machine_rows(&server, "machine/all/flops", NULL, -1);
    check_all(&server);
    check_curve(&server, "machine/clocks", (int)attn_cpu_isa() + 1, "machine/clock/isa:base", NULL);
    plan p;
    parse(&p, "machine: [machine/flops/isa:base, machine/instruction_sets, machine/levels]\n");
    assert_row(&p, 0, "machine/flops/isa:base");
    size_t sets = 0;
    for (size_t i = 0; i < p.count; i++)
        sets += !strcmp(p.rows[i].subject, "flops");
    assert_int_equal(sets, attn_cpu_isa() + 1);
    assert_true(p.count >= sets + 2);
    plan_free(&p);
}

static void test_encoders(void **state) {
    (void)state;
    plan p;
    parse(&p,
          "sweeps:\n"
          "- {model_type: [conformer, branchformer], attention_type: [mha, mla], mode: [prefill, chunk],\n"
          "   seq_len: [75, 100], left_chunks: [0, 2, 5], queries: 4, num_layers: 2, num_heads: 2,\n"
          "   d_model: 8, latent_dim: 3, merge_method: [concat, fixed_ave], input_layer: linear,\n"
          "   batch: [1, 2], kv_dtype: f32}\n"
          "- {model_type: [attention, conformer], attention_type: mha, mode: decode, seq_len: 9}\n"
          "- {model_type: conformer, attention_type: mha, mode: chunk}\n");
    /* Both types: 2 lengths and 3 left contexts, for a Branchformer twice; nothing from batch. */
    assert_int_equal(p.count, 2 * 5 + 2 * 10 + 2 + 1);
    assert_row(&p, 0,
               "encoder/conformer/mha/prefill/T:75/layers:2/h:2/d:8/input:linear/pos:rel_pos/impl:fused");
    assert_row(&p, 2,
               "encoder/conformer/mha/chunk/q:4/left:0/layers:2/h:2/d:8/input:linear/pos:rel_pos/impl:fused");
    assert_row(&p, 29,
               "encoder/branchformer/mla/chunk/q:4/left:5/layers:2/h:2/d:8/dc:3/input:linear/merge:fixed_ave/"
               "pos:rel_pos/path:auto/impl:fused");
    assert_row(&p, 30, "attention/mha/decode/L:9/q:1/h:8/d:512/kv:f32/impl:fused");
    assert_row(
        &p, 31,
        "encoder/conformer/mha/decode/q:1/left:8/layers:12/h:8/d:512/input:conv2d/pos:rel_pos/impl:fused");
    plan_free(&p);
}

static void test_impossible_combinations(void **state) {
    (void)state;
    plan p;
    parse(&p, "sweeps:\n"
              "- {attention_type: [gqa, linear], mode: chunk, seq_len: [4, 16], queries: 8,\n"
              "   num_heads: [2, 4, 3], d_model: 8, num_kv_heads: [2, 4], pos_enc: [none, rel_pos]}\n");
    /* gqa: heads 2 with 2, heads 4 with 2 and 4, only L 16, both positions; linear: heads 2 and 4, no rel_pos */
    assert_int_equal(p.count, 3 * 2 + 2);
    assert_int_equal(p.skipped, 2 * 3 * 2 * 2 + 2 * 3 * 2 - 8);
    assert_string_equal(p.note, "queries 8 are more than seq_len 4");
    plan_free(&p);
    parse(&p,
          "sweeps:\n- {attention_type: [mha, linear], mode: decode, seq_len: 4, kv_dtype: [f32, q8_0]}\n");
    assert_int_equal(p.count, 3);
    assert_row(&p, 1, "attention/mha/decode/L:4/q:1/h:8/d:512/kv:q8_0/impl:fused");
    assert_string_equal(p.note, "linear keeps its state in f32");
    plan_free(&p);
    parse(&p, "sweeps:\n- {attention_type: mha, mode: decode, seq_len: 4, kv_dtype: [f32, f16], impl: [blas, "
              "fused]}\n");
    assert_int_equal(p.count, 3);
    assert_string_equal(p.note, "blas reads caches in f32 only");
    plan_free(&p);
    attn_error error = {0};
    const char *none = "sweeps:\n- {attention_type: mha, mode: decode, seq_len: 9, num_heads: 3, d_model: 8}";
    assert_int_equal(plan_parse(&p, none, strlen(none), "p.yaml", &error), -1);
    assert_string_equal(
        error.message, "p.yaml:2: sweeps: no combination is possible: num_heads 3 does not divide d_model 8");
}

static void test_too_many(void **state) {
    (void)state;
    char text[20000] = "sweeps:\n- attention_type: mha\n  mode: decode\n  seq_len: &many [1", *end = text;
    for (int i = 2; i < 500; i++) {
        end += strlen(end);
        snprintf(end, 16, ", %d", 8 * i);
    }
    strcat(text, "]\n  batch: *many\n");
    plan p;
    attn_error error = {0};
    assert_int_equal(plan_parse(&p, text, strlen(text), "p.yaml", &error), -1);
    assert_string_equal(error.message, "p.yaml:2: sweeps: more than 20000 rows");
    /* The same row again and again ends too. */
    strcpy(text, "sweeps:\n- attention_type: mha\n  mode: decode\n  seq_len: &many [1");
    for (int i = 0; i < 700; i++)
        strcat(text, ",1");
    strcat(text, "]\n  batch: *many\n");
    error = (attn_error){0};
    assert_int_equal(plan_parse(&p, text, strlen(text), "p.yaml", &error), -1);
    assert_string_equal(error.message, "p.yaml:2: sweeps: more than 80000 combinations");
}

static void test_filter(void **state) {
    (void)state;
    plan p;
    attn_error error = {0};
    parse(&p, "cases: [attention/mha/decode/L:10, attention/linear/decode/L:10, attention/mha/prefill/L:4]");
    assert_int_equal(plan_filter(&p, "mha/(decode|chunk)", &error), 0);
    assert_int_equal(p.count, 1);
    assert_int_equal(plan_filter(&p, "gqa", &error), -1);
    assert_string_equal(error.message, "--filter gqa: finds none of the 1 rows of plan tiny");
    error = (attn_error){0};
    assert_int_equal(plan_filter(&p, "mha(", &error), -1);
    assert_non_null(strstr(error.message, "--filter mha(: "));
    plan_free(&p);
}

static void test_hash(void **state) {
    (void)state;
    const char *const texts[] = {"cases: [attention/mha/decode/L:10]",
                                 "cases: [attention/mha/decode/L:11]",
                                 "cases: [attention/mha/decode/L:10]\nrepetitions: 6",
                                 "cases: [attention/mha/decode/L:10]\nrounds: 2",
                                 "cases: [attention/mha/decode/L:10]\nmin_time: 0.06",
                                 "cases: [attention/mha/decode/L:10]\nseed: 2",
                                 "cases: [attention/mha/decode/L:10, attention/mha/decode/L:11]"};
    enum { TEXTS = sizeof texts / sizeof *texts };
    char hashes[TEXTS + 1][PLAN_HASH], same[PLAN_HASH];
    plan p;
    for (size_t i = 0; i < TEXTS; i++) {
        parse(&p, texts[i]);
        plan_hash(hashes[i], &p, "auto");
        plan_hash(same, &p, "auto");
        assert_string_equal(hashes[i], same);
        if (!i)
            plan_hash(hashes[TEXTS], &p, "off");
        plan_free(&p);
    }
    for (size_t i = 0; i <= TEXTS; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hashes[i], hashes[j]);
}

static void test_shipped_plans(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob("harness/plan/plans/*.yaml", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 10);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        plan p;
        attn_error error = {0};
        char name[64];
        snprintf(name, sizeof name, "%s", strrchr(found.gl_pathv[i], '/') + 1);
        *strrchr(name, '.') = '\0';
        if (plan_read(&p, found.gl_pathv[i], &error))
            fail_msg("%s", error.message);
        assert_string_equal(name, p.name);
        plan_free(&p);
    }
    globfree(&found);
}

static void test_no_memory(void **state) {
    (void)state;
    const char *text = "sweeps:\n- {attention_type: [mha, mla], mode: decode, seq_len: [1, 2, 3]}\n"
                       "cases: attention/linear/decode/L:5\n";
    size_t live = attn_alloc_live();
    for (size_t nth = 1;; nth++) {
        plan p;
        attn_error error = {0};
        attn_alloc_fail_at(nth);
        int result = plan_parse(&p, text, strlen(text), "p.yaml", &error);
        attn_alloc_fail_at(0);
        if (!result) {
            assert_int_equal(p.count, 7);
            assert_true(nth > 2);
            plan_free(&p);
            break;
        }
        assert_non_null(strstr(error.message, "out of memory"));
        assert_int_equal(attn_alloc_live(), live);
    }
    assert_int_equal(attn_alloc_live(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_own_rounds),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_cross_product),
        cmocka_unit_test(test_machine_rows),
        cmocka_unit_test(test_encoders),
        cmocka_unit_test(test_impossible_combinations),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_shipped_plans),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
