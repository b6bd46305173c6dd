/* Rows of text into cases: canonical names, defaults, and what is refused with which message. */
#include "bench/row.h"

#include "attn/cpu.h"
#include "attn/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const valid[][2] = {
    {"attention/mla/decode/L:1000/q:1/h:8/d:512/dc:256/kv:f32/path:absorb/impl:fused",
     "attention/mla/decode/L:1000/q:1/h:8/d:512/dc:256/kv:f32/path:absorb/impl:fused"},
    {"attention/mha/prefill/L:100/impl:scalar",
     "attention/mha/prefill/L:100/q:100/h:8/d:512/kv:f32/impl:scalar"},
    {"attention/mha/prefill/q:100/L:100", "attention/mha/prefill/L:100/q:100/h:8/d:512/kv:f32/impl:fused"},
    {"attention/gqa/chunk/L:50/h:16/d:1024",
     "attention/gqa/chunk/L:50/q:16/h:16/d:1024/hkv:4/kv:f32/impl:fused"},
    {"attention/gqa/decode/L:1/h:2/d:8/B:3",
     "attention/gqa/decode/L:1/q:1/B:3/h:2/d:8/hkv:1/kv:f32/impl:fused"},
    {"attention/mla_simple/chunk/L:64/q:5/d:64",
     "attention/mla_simple/chunk/L:64/q:5/h:8/d:64/dc:64/kv:f32/path:auto/impl:fused"},
    {"attention/linear/decode/L:16777216/impl:auto",
     "attention/linear/decode/L:16777216/q:1/h:8/d:512/kv:f32/impl:fused"},
    {"attention/mha/decode/L:9/pos:rel_pos",
     "attention/mha/decode/L:9/q:1/h:8/d:512/kv:f32/pos:rel_pos/impl:fused"},
    {"attention/mha/decode/L:9/pos:none/B:1", "attention/mha/decode/L:9/q:1/h:8/d:512/kv:f32/impl:fused"},
    {"encoder/conformer/mha/prefill/T:1000",
     "encoder/conformer/mha/prefill/T:1000/layers:12/h:8/d:512/input:conv2d/pos:rel_pos/impl:fused"},
    {"encoder/branchformer/mla/chunk/merge:learned_ave/layers:2/d:64/k:15/dc:16/path:absorb",
     "encoder/branchformer/mla/chunk/q:16/left:8/layers:2/h:8/d:64/dc:16/k:15/input:conv2d/"
     "merge:learned_ave/pos:rel_pos/path:absorb/impl:fused"},
    {"encoder/conformer/linear/decode/left:0/input:linear/pos:none/impl:scalar",
     "encoder/conformer/linear/decode/q:1/left:0/layers:12/h:8/d:512/input:linear/pos:none/impl:scalar"},
    {"encoder/conformer/gqa/chunk/q:4/h:4/d:32/k:4",
     "encoder/conformer/gqa/chunk/q:4/left:8/layers:12/h:4/d:32/hkv:1/k:4/input:conv2d/pos:rel_pos/"
     "impl:fused"},
    {"attention/mla/decode/L:1000/q:1/h:8/d:512/dc:256/kv:f32/path:absorb/impl:avx512",
     "attention/mla/decode/L:1000/q:1/h:8/d:512/dc:256/kv:f32/path:absorb/impl:avx512"},
    {"encoder/conformer/mha/prefill/T:1000/impl:base",
     "encoder/conformer/mha/prefill/T:1000/layers:12/h:8/d:512/input:conv2d/pos:rel_pos/impl:base"},
    {"machine/read/bytes:4/isa:base", "machine/read/bytes:4/isa:base"},
    {"attention/mha/decode/L:9/kv:q8_0", "attention/mha/decode/L:9/q:1/h:8/d:512/kv:q8_0/impl:fused"},
    {"encoder/conformer/mha/prefill/T:1000/kv:f32",
     "encoder/conformer/mha/prefill/T:1000/layers:12/h:8/d:512/input:conv2d/pos:rel_pos/impl:fused"},
    {"encoder/conformer/mha/prefill/T:1000/kv:bf16",
     "encoder/conformer/mha/prefill/T:1000/layers:12/h:8/d:512/kv:bf16/input:conv2d/pos:rel_pos/impl:fused"},
    {"attention/mha/decode/L:9/t:1/cache:warm/part:layer",
     "attention/mha/decode/L:9/q:1/h:8/d:512/kv:f32/impl:fused"},
    {"attention/mha/decode/t:4/cache:cold/part:core/L:9",
     "attention/mha/decode/L:9/q:1/h:8/d:512/kv:f32/impl:fused/part:core/cache:cold/t:4"},
    {"machine/sgemm", "machine/sgemm/n:1024"},
    {"machine/triad/isa:base", "machine/triad/bytes:67108864/isa:base"},
    {"machine/latency/bytes:4096", "machine/latency/bytes:4096/pages:small"},
    {"machine/tlb/pages:huge", "machine/tlb/bytes:67108864/pages:huge"},
    {"machine/clock/isa:base", "machine/clock/isa:base"},
    {"machine/handoff/cpu:0", "machine/handoff/cpu:0"},
    {"machine/flops/isa:avx512", "machine/flops/isa:avx512"}};

static void test_valid_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        bench_case c, again;
        attn_error error = {0};
        if (bench_case_parse(&c, valid[i][0], &error))
            fail_msg("%s: %s", valid[i][0], error.message);
        assert_string_equal(c.name, valid[i][1]);
        assert_int_equal(bench_case_parse(&again, c.name, &error), 0);
        assert_string_equal(again.name, c.name);
    }
}

static void test_fields(void **state) {
    (void)state;
    bench_case c;
    attn_error error = {0};
    assert_int_equal(
        bench_case_parse(&c, "attention/mla/chunk/L:40/q:7/B:2/h:4/d:32/dc:12/path:expand/impl:scalar",
                         &error),
        0);
    assert_int_equal(c.kind, BENCH_ATTENTION);
    assert_string_equal(c.subject, "mla");
    assert_string_equal(c.mode, "chunk");
    assert_ptr_equal(c.variant, attn_variant_find("mla"));
    assert_ptr_equal(c.impl, &c.variant->impls[0]);
    assert_int_equal(c.keys, 40);
    assert_int_equal(c.queries, 7);
    assert_int_equal(c.batch, 2);
    assert_int_equal(c.geometry.num_heads, 4);
    assert_int_equal(c.geometry.d_model, 32);
    assert_int_equal(c.geometry.latent_dim, 12);
    assert_int_equal(c.path, ATTN_PATH_EXPAND);
    assert_int_equal(bench_case_parse(&c, "attention/mla/decode/L:40/impl:avx2", &error), 0);
    assert_ptr_equal(c.impl, attn_impl_find(c.variant, "fused"));
    assert_int_equal(c.isa, ATTN_ISA_AVX2);
    assert_string_equal(c.impl_name, "avx2");
    assert_int_equal(bench_case_parse(&c, "machine/read/bytes:4096", &error), 0);
    assert_int_equal(c.kind, BENCH_MACHINE);
    assert_int_equal(c.bytes, 4096);
    assert_int_equal(c.isa, attn_cpu_isa());
}

static const char *const invalid[][2] = {
    {"", "starts with \"\", expected one of attention, encoder, machine, kernel"},
    {"/", "starts with"},
    {"attention", "expected attention/<type>/<mode>/<key:value>/..."},
    {"attention/mha", "expected attention/<type>/<mode>/<key:value>/..."},
    {"attention/nosuch/decode/L:1",
     "\"nosuch\": not a type of attention, expected one of mha, mla, mla_simple, gqa, linear"},
    {"attention/mha/train/L:1", "\"train\": not a mode, expected one of prefill, chunk, decode"},
    {"attention/mha/decode", "L: missing"},
    {"attention/mha/decode/L:0", "L: found \"0\", expected a number from 1 to 16777216"},
    {"attention/mha/decode/L:-1", "L: found \"-1\""},
    {"attention/mha/decode/L:", "L: found \"\""},
    {"attention/mha/decode/L:1e3", "L: found \"1e3\""},
    {"attention/mha/decode/L: 7", "L: found \" 7\""},
    {"attention/mha/decode/L:16777217", "L: found \"16777217\""},
    {"attention/mha/decode/L:18446744073709551617", "L: found"},
    {"attention/mha/decode/L:99999999999999999999999999999999", "L: found"},
    {"encoder/conformer/mha", "expected encoder/<model>/<type>/<mode>/<key:value>/..."},
    {"encoder/attention/mha/prefill/T:9",
     "\"attention\": not an encoder, expected conformer or branchformer"},
    {"encoder/zipformer/mha/prefill/T:9", "\"zipformer\": not an encoder"},
    {"encoder/conformer/nosuch/prefill/T:9", "\"nosuch\": not a type of attention"},
    {"encoder/conformer/mha/whole/T:9", "\"whole\": not a mode, expected one of prefill, chunk, decode"},
    {"encoder/conformer/mha/prefill", "T: missing, expected the number of input frames"},
    {"encoder/conformer/mha/prefill/T:6", "T: found 6, expected at least 7 for conv2d"},
    {"encoder/conformer/mha/prefill/T:9/left:2", "left: not a key of encoder/conformer/mha"},
    {"encoder/conformer/mha/chunk/T:9", "T: not a key of encoder/conformer/mha"},
    {"encoder/conformer/mha/chunk/left:-1", "left: found \"-1\", expected a number from 0 to 65536"},
    {"encoder/conformer/mha/chunk/left:65536/q:4194304", "left: found 65536 chunks of 4194304 frames"},
    {"encoder/conformer/mha/decode/q:2", "q: found 2, expected 1"},
    {"encoder/conformer/mha/chunk/merge:concat", "merge: not a key of encoder/conformer/mha"},
    {"encoder/branchformer/mha/chunk/merge:sum", "merge: found \"sum\", expected one of concat"},
    {"encoder/conformer/mha/prefill/T:9/k:4", "conv_kernel_size"},
    {"encoder/conformer/mha/prefill/T:9/h:7", "num_heads"},
    {"encoder/conformer/linear/prefill/T:9/pos:rel_pos", "rel_pos"},
    {"encoder/conformer/mha/prefill/T:9/input:conv2d6", "input: found \"conv2d6\", expected one of none"},
    {"attention/mha/decode/L", "\"L\": expected key:value"},
    {"attention/mha/decode/L:5/", "\"\": expected key:value"},
    {"attention/mha/decode/L:5//h:8", "\"\": expected key:value"},
    {"attention/mha/decode/L:5/L:5", "L: given twice"},
    {"attention/mha/decode/L:5/l:5",
     "l: not a key of attention/mha, which takes L, q, B, h, d, kv, pos, impl, part, cache, t"},
    {"encoder/conformer/mha/prefill/T:9/part:core", "part: not a key of encoder/conformer/mha"},
    {"machine/read/cache:cold", "cache: not a key of machine/read"},
    {"attention/mha/decode/L:5/cache:hot", "cache: found \"hot\", expected one of warm, cold"},
    {"attention/mha/decode/L:5/t:0", "t: found \"0\", expected a number from 1 to 1024"},
    {"attention/mha/decode/L:5/dc:64", "dc: not a key of attention/mha"},
    {"attention/mha/decode/L:5/hkv:2", "hkv: not a key of attention/mha"},
    {"attention/linear/decode/L:5/path:absorb", "path: not a key of attention/linear"},
    {"attention/mla/decode/L:5/path:fold", "path: found \"fold\", expected one of auto, expand, absorb"},
    {"attention/mla/decode/L:5/kv:f8", "kv: found \"f8\", expected one of f32, f16, bf16, q8_0"},
    {"attention/linear/decode/L:5/kv:f16",
     "kv: found f16, expected f32, as linear attention keeps its state in it"},
    {"encoder/conformer/mha/prefill/T:9/d:70000", "d: found 70000, expected at most 65536 in an encoder"},
    {"attention/mla/decode/L:5/impl:cuda",
     "impl: found \"cuda\", expected one of auto, scalar, blas, fused, base, avx2, avx512"},
    {"attention/mla/decode/L:5/pos:rope",
     "pos: found \"rope\", expected one of none, abs_pos, rel_pos, rel_pos_wenet"},
    {"attention/linear/decode/L:5/pos:rel_pos", "pos: pos_enc: rel_pos needs scores"},
    {"attention/mha/decode/L:5/d:100", "h: num_heads: d_model 100 is not divisible by num_heads 8"},
    {"attention/gqa/decode/L:5/hkv:3",
     "hkv: num_kv_heads: num_heads 8 is not divisible by num_kv_heads 3, expected one of 1, 2, 4, 8"},
    {"attention/mha/decode/L:5/d:2000000", "d: found \"2000000\""},
    {"attention/mha/decode/L:5/q:2", "q: found 2, expected 1"},
    {"attention/mha/prefill/L:5/q:2", "q: found 2, expected L (5)"},
    {"attention/mha/prefill/q:2", "L: missing"},
    {"attention/mha/chunk/L:15", "L: found 15, expected at least q (16)"},
    {"attention/mha/decode/L:5/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/h:8/"
     "h:8/h:8",
     "more than 24 words"},
    {"machine", "expected machine/<flops|read|...>/<key:value>/..."},
    {"machine/paint", "\"paint\": not a limit of the machine, expected one of flops, read, sgemm, write, "},
    {"machine/write/pages:huge", "pages: not a key of machine/write, which takes t, bytes, isa"},
    {"machine/latency/isa:base", "isa: not a key of machine/latency, which takes bytes, pages"},
    {"machine/latency/pages:large", "pages: found \"large\", expected one of small, huge"},
    {"machine/handoff", "cpu: missing"},
    {"machine/read/bytes:6", "bytes: found 6, expected a multiple of 4"},
    {"machine/read/n:6", "n: not a key of machine/read, which takes t, bytes, isa"},
    {"machine/sgemm/n:40000", "n: found \"40000\""},
    {"machine/flops/isa:sse9", "isa: found \"sse9\", expected one of base, avx2, avx512"}};

static void test_invalid_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        bench_case c;
        attn_error error = {0};
        if (!bench_case_parse(&c, invalid[i][0], &error))
            fail_msg("%s: taken as %s", invalid[i][0], c.name);
        if (!strstr(error.message, invalid[i][1]))
            fail_msg("%s: \"%s\" does not say \"%s\"", invalid[i][0], error.message, invalid[i][1]);
        char row[BENCH_NAME_MAX + 8];
        snprintf(row, sizeof row, "row \"%s\": ", invalid[i][0]);
        assert_memory_equal(error.message, row, strlen(row));
    }
}

static void test_long_row(void **state) {
    (void)state;
    char row[2 * BENCH_NAME_MAX];
    bench_case c;
    attn_error error = {0};
    memset(row, 'a', sizeof row);
    row[sizeof row - 1] = '\0';
    assert_int_equal(bench_case_parse(&c, row, &error), -1);
    assert_non_null(strstr(error.message, "expected fewer than 256 characters"));
}

/* A damaged row that is taken for a case has a name that is taken for the same case. */
static void test_damaged_rows(void **state) {
    (void)state;
    static const char letters[] = "/:0123456789LqBhdck";
    uint64_t random = 7;
    size_t taken = 0;
    for (int round = 0; round < 20000; round++) {
        char row[BENCH_NAME_MAX];
        bench_case c, again;
        attn_error error = {0};
        snprintf(row, sizeof row, "%s", valid[attn_random_below(&random, sizeof valid / sizeof valid[0])][0]);
        for (size_t changes = 1 + attn_random_below(&random, 3); changes; changes--)
            row[attn_random_below(&random, strlen(row))] =
                letters[attn_random_below(&random, sizeof letters - 1)];
        if (bench_case_parse(&c, row, &error)) {
            assert_true(error.message[0]);
            continue;
        }
        taken++;
        if (bench_case_parse(&again, c.name, &error) || strcmp(again.name, c.name))
            fail_msg("%s is taken as %s, and that is not itself", row, c.name);
    }
    assert_in_range(taken, 100, 19900);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_valid_rows), cmocka_unit_test(test_fields),
                                       cmocka_unit_test(test_invalid_rows), cmocka_unit_test(test_long_row),
                                       cmocka_unit_test(test_damaged_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
