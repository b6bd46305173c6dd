/* A survey read from results: the best of runs, levels, and what it prints. */
#include "tests/support/cmocka_all.h"

#include "reports/tables/survey_print.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[1 << 16];

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t used = strlen(text);
    vsnprintf(text + used, sizeof text - used, format, arguments);
    va_end(arguments);
}

static void start(void) {
    strcpy(text, "{\"context\": {\"attnbench\": {\"schema\": 1, \"commit\": \"c\", \"plan\": \"machine\", "
                 "\"seed\": 1, "
                 "\"cases\": 1, \"failed\": 0, \"machine\": {\"cpu\": \"Some CPU\", \"l1d_bytes\": 32768, "
                 "\"l2_bytes\": "
                 "1048576}, \"build\": {}, \"blas\": {}, \"fingerprint\": \"f\"}}, \"benchmarks\": [");
}

/* Two runs, the second of `ns` and the first slower. */
static void add_case(const char *name, const char *shape, const char *costs, double ns) {
    for (int run = 0; run < 2; run++)
        add("%s{\"name\": \"%s\", \"run_name\": \"%s\", \"run_type\": \"iteration\", \"iterations\": 3, "
            "\"real_time\": "
            "%.17g, \"cpu_time\": %.17g, \"time_unit\": \"ns\", %s, \"case\": {\"kind\": \"machine\", %s}, "
            "\"disturbed\": "
            "false}",
            text[strlen(text) - 1] == '[' ? "" : ", ", name, name, 9 * ns, run ? ns : 1.5 * ns, costs, shape);
}

static void add_latency(size_t kib, const char *pages, double ns) {
    char name[64], shape[128];
    snprintf(name, sizeof name, "machine/latency/bytes:%zu/pages:%s", kib << 10, pages);
    snprintf(shape, sizeof shape, "\"what\": \"latency\", \"bytes\": %zu, \"pages\": \"%s\"", kib << 10,
             pages);
    add_case(name, shape, "\"steps\": 100", 100 * ns);
}

static void add_read(size_t kib, double gbytes) {
    char name[64], shape[128], costs[64];
    snprintf(name, sizeof name, "machine/read/bytes:%zu/isa:avx2", kib << 10);
    snprintf(shape, sizeof shape, "\"what\": \"read\", \"bytes\": %zu, \"isa\": \"avx2\"", kib << 10);
    snprintf(costs, sizeof costs, "\"bytes\": %zu", kib << 10);
    add_case(name, shape, costs, (double)(kib << 10) / gbytes);
}

static void add_arithmetic(void) {
    add_case("a", "\"what\": \"clock\", \"isa\": \"base\"", "\"steps\": 1000", 250);
    add_case("b", "\"what\": \"clock\", \"isa\": \"avx512\"", "\"steps\": 1000", 500);
    add_case("c", "\"what\": \"flops\", \"isa\": \"avx512\"", "\"flops\": 6400", 100);
    add_case("d", "\"what\": \"sgemm\", \"n\": 4", "\"flops\": 128", 4);
    add_case("f", "\"what\": \"products\", \"unit\": \"avx_vnni\"", "\"flops\": 1280", 10);
    add_case("g", "\"what\": \"flops\", \"isa\": \"avx512\", \"t\": 4", "\"flops\": 25600", 10);
    add_case("e", "\"what\": \"handoff\", \"cpu\": 3", "\"steps\": 2", 90);
}

static void add_curves(void) {
    static const struct {
        size_t kib;
        double ns, gbytes;
    } sets[] = {{4, 1, 100},    {16, 1, 110},   {32, 1.1, 105},  {64, 4, 60},     {512, 4, 61},
                {1024, 12, 50}, {4096, 90, 30}, {65536, 95, 11}, {131072, 99, 10}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        add_latency(sets[i].kib, "huge", sets[i].ns);
        add_read(sets[i].kib, sets[i].gbytes);
    }
    add_latency(4096, "small", 130);
    add_case("t", "\"what\": \"tlb\", \"bytes\": 4194304, \"pages\": \"small\"", "\"steps\": 100", 700);
}

static void read_text(results *r) {
    attn_error error = {0};
    add("]}");
    if (results_parse(r, text, strlen(text), "R.json", &error))
        fail_msg("%s", error.message);
}

static void near(double found, double right) {
    if (!(fabs(found - right) <= 1e-9 * fabs(right)))
        fail_msg("found %.17g, expected %.17g", found, right);
}

static void test_numbers(void **state) {
    (void)state;
    results r;
    survey s;
    start();
    add_arithmetic();
    add_curves();
    read_text(&r);
    survey_of(&s, &r);
    assert_int_equal(s.isas, 3);
    assert_string_equal(s.isa[2].isa, "avx_vnni");
    near(s.isa[2].gflops, 128);
    assert_true(isnan(s.isa[2].ghz) && isnan(s.isa[2].gflops_all));
    assert_int_equal(s.cores, 4);
    near(s.isa[1].gflops_all, 25600 / (9 * 10.)); /* by the wall clock */
    near(s.isa[0].ghz, 4);
    assert_true(isnan(s.isa[0].gflops) && isnan(s.isa[0].vector_madds));
    near(s.isa[1].ghz, 2);
    near(s.isa[1].gflops, 64);
    near(s.isa[1].vector_madds, 1);
    near(s.sgemm, 32);
    assert_int_equal(s.partners, 1);
    assert_int_equal(s.partner[0].cpu, 3);
    near(s.partner[0].ns, 45);
    assert_int_equal(s.sets, 9);
    near(s.set[6].latency[SURVEY_SMALL], 130);
    near(s.set[6].latency[SURVEY_HUGE], 90);
    near(s.set[6].cost[SURVEY_SMALL], 7 - 4); /* 1024 lines side by side are 64 KiB */
    assert_int_equal(s.least_runs, 2);
    assert_int_equal(s.most_runs, 2);
    results_free(&r);
}

/* Found in the curve: this second cache ends before what the kernel says, and memory begins at 4 MiB. */
static void test_levels(void **state) {
    (void)state;
    results r;
    survey s;
    start();
    add_curves();
    read_text(&r);
    survey_of(&s, &r);
    assert_int_equal(s.levels, 3);
    near(s.level[0].in.to, 32 << 10);
    near(s.level[0].gbytes[SURVEY_READ], 110);
    assert_true(isnan(s.level[0].gbytes[SURVEY_COPY]));
    near(s.level[1].in.from, 64 << 10);
    near(s.level[1].in.to, 512 << 10);
    assert_true(!s.level[1].memory && s.level[2].memory);
    near(s.level[2].in.ns, 90);
    near(s.level[2].gbytes[SURVEY_READ], 10); /* of the largest set, not of one that caches help */
    results_free(&r);
}

/* The largest set waits for pages too: it is memory, as the smaller ones are; none of them is taken for L3. */
static void test_slow_end(void **state) {
    (void)state;
    results r;
    survey s;
    start();
    add_curves();
    add_latency(262144, "huge", 130);
    read_text(&r);
    survey_of(&s, &r);
    assert_int_equal(s.levels, 3);
    assert_true(s.level[2].memory);
    near(s.level[2].in.from, 4 << 20);
    near(s.level[2].in.to, 256 << 20);
    results_free(&r);
}

/* What survey_print writes. free it. */
static char *printed(const survey *s, const results *r, table_format format) {
    char *out = NULL;
    size_t size;
    FILE *stream = open_memstream(&out, &size);
    assert_int_equal(survey_print(s, r, format, stream, NULL), 0);
    fclose(stream);
    return out;
}

static void test_print(void **state) {
    (void)state;
    results r;
    survey s;
    start();
    add_arithmetic();
    add_curves();
    read_text(&r);
    survey_of(&s, &r);
    char *md = printed(&s, &r, TABLE_MD), *csv = printed(&s, &r, TABLE_CSV),
         *json = printed(&s, &r, TABLE_JSON);
    assert_non_null(
        strstr(md, "Some CPU, one core where nothing else is said. Each number is the best of 2 runs."));
    assert_non_null(strstr(md, "Under avx512 code the core runs at 2.00 GHz, under base code at 4.00."));
    assert_non_null(strstr(md, "| L2 | 64 KiB | 512 KiB | 4.00 | 61.0 | — | — | — | — | 1 MiB |"));
    assert_non_null(strstr(md, "| memory | 4 MiB | 128 MiB | 90.00 |"));
    assert_non_null(strstr(md, "| avx512 | 2.00 | 64.0 | 284.4 | 1.00 |"));
    assert_non_null(strstr(csv, "\nhandoff,3,one_way_ns,45"));
    json_t *all = json_loads(json, 0, NULL);
    assert_non_null(all);
    assert_int_equal(json_array_size(json_object_get(all, "working_sets")), 9);
    assert_true(
        json_is_null(json_object_get(json_array_get(json_object_get(all, "arithmetic"), 0), "gflops")));
    json_decref(all);
    free(md);
    free(csv);
    free(json);
    results_free(&r);
    assert_int_equal(attn_alloc_live(), 0);
}

/* Nothing measured is nothing shown, and no number made of nothing. */
static void test_nothing(void **state) {
    (void)state;
    results r;
    survey s;
    start();
    add_case("e", "\"what\": \"handoff\", \"cpu\": 3", "\"steps\": 2", 90);
    read_text(&r);
    survey_of(&s, &r);
    assert_int_equal(s.levels + s.reaches + s.sets + s.isas, 0);
    char *md = printed(&s, &r, TABLE_MD);
    assert_null(strstr(md, "Arithmetic"));
    assert_non_null(strstr(md, "| 3 | 45.0 |"));
    free(md);
    results_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_levels),
                                       cmocka_unit_test(test_slow_end), cmocka_unit_test(test_print),
                                       cmocka_unit_test(test_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
