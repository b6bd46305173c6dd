/* Encoder cases on their way from the measuring process to the report: entries, the reader, bars, table,
 * findings and plots. */
#include "bench/row.h"
#include "harness/results/result_entry.h"
#include "reports/plots/parts_plot.h"
#include "reports/plots/plots.h"
#include "reports/tables/encoder_section.h"
#include "reports/tables/table_list.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

static const char PREFILL[] =
    "encoder/branchformer/mla/prefill/T:75/layers:2/h:2/d:16/dc:8/merge:learned_ave";
static const char CHUNK[] = "encoder/conformer/gqa/chunk/q:4/left:0/layers:2/h:2/d:16";

static const char HEAD[] =
    "{\"context\": {\"attnbench\": {\"schema\": 1, \"commit\": \"c\", \"plan\": \"p\", \"seed\": 1, "
    "\"cases\": 1,"
    " \"failed\": 0, \"machine\": {\"cpu\": \"x\"}, \"build\": {}, \"blas\": {}, \"fingerprint\": \"f\"}},"
    " \"benchmarks\": ";

/* What Google Benchmark prints of one repetition: attention takes `attention` of the 5 ms, feed-forward the
 * rest but 1. A quarter of attention is projections, the rest its core. */
static char *run_text(double milliseconds, double attention) {
    return attn_format(
        NULL,
        "{\"name\": \"x\", \"run_name\": \"x\", \"run_type\": \"iteration\", \"repetition_index\": 0, "
        "\"repetitions\": 2, \"threads\": 1, \"family_index\": 0, \"per_family_instance_index\": 0, "
        "\"iterations\": 10, \"real_time\": %g, \"cpu_time\": %g, \"time_unit\": \"ns\", \"flops\": 1e9, "
        "\"bytes\": 50, \"kv_bytes_formula\": 128, \"kv_bytes_live\": 128, \"conv_bytes_formula\": 64, "
        "\"conv_bytes_live\": 64, \"audio_seconds\": 0.75, \"parameters\": 1000, \"path_run\": 0, "
        "\"part_subsampling\": 0.001, \"part_attention\": %g, \"part_feed_forward\": %g, "
        "\"part_convolution\": 0, \"part_other\": 0, \"part_attention/projections\": %g, "
        "\"part_attention/core\": %g, \"part_attention/scores\": 0, \"check_max_error\": 1e-6, "
        "\"check_limit\": 1e-4, "
        "\"check_rows\": 1}",
        milliseconds * 1e6, milliseconds * 1e6, attention, 0.004 - attention, attention / 4,
        attention * 0.75);
}

static json_t *entries_of(const char *row, double milliseconds, double attention) {
    bench_case c;
    bool failed;
    attn_error error = {0};
    if (bench_case_parse(&c, row, &error))
        fail_msg("%s", error.message);
    char *first = run_text(milliseconds, attention), *second = run_text(milliseconds, attention);
    char *text = attn_format(NULL, "{\"context\": {}, \"benchmarks\": [%s, %s]}", first, second);
    json_t *entries = entry_list(&c, text, strlen(text), &failed, &error);
    if (!entries || failed)
        fail_msg("%s", error.message);
    attn_free(first);
    attn_free(second);
    attn_free(text);
    return entries;
}

/* A results file of these rows. */
typedef struct measured_row {
    const char *row;
    double milliseconds, attention;
} measured_row;

static char *results_text_of(const measured_row *rows, size_t count) {
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *own = entries_of(rows[i].row, rows[i].milliseconds, rows[i].attention);
        json_array_extend(all, own);
        json_decref(own);
    }
    char *entries = json_dumps(all, JSON_COMPACT), *text = attn_format(NULL, "%s%s}", HEAD, entries);
    free(entries);
    json_decref(all);
    return text;
}

static void read_rows(results *r, report_data *data, const measured_row *rows, size_t count) {
    attn_error error = {0};
    char *text = results_text_of(rows, count);
    if (results_parse(r, text, strlen(text), "R.json", &error) || report_data_init(data, r, &error))
        fail_msg("%s", error.message);
    attn_free(text);
}

static void end(results *r, report_data *data) {
    report_data_free(data);
    results_free(r);
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_case_fields(void **state) {
    (void)state;
    results r;
    report_data data;
    read_rows(&r, &data, (measured_row[]){{PREFILL, 5, 0.001}, {CHUNK, 5, 0.002}}, 2);
    assert_int_equal(r.count, 2);
    const results_case *c = &r.cases[0];
    assert_string_equal(c->kind, "encoder");
    assert_string_equal(c->model, "branchformer");
    assert_string_equal(c->type, "mla");
    assert_string_equal(c->mode, "prefill");
    assert_string_equal(c->merge, "learned_ave");
    assert_string_equal(c->input, "conv2d");
    assert_string_equal(c->pos, "rel_pos");
    assert_string_equal(c->path_run, "expand");
    assert_true(c->T == 75 && c->L == 18 && c->q == 18 && c->layers == 2 && c->dc == 8 && c->k == 31);
    assert_true(c->h == 2 && c->d == 16 && c->left == 0 && c->count == 2);
    assert_true(c->conv_bytes_formula == 64 && c->conv_bytes_live == 64 && c->audio_seconds == 0.75);
    assert_true(c->samples[1].parts[ATTN_PART_ATTENTION] == 0.001);
    c = &r.cases[1];
    assert_true(c->T == 0 && c->left == 0 && c->L == 4 && c->q == 4 && c->hkv == 1);
    assert_string_equal(c->merge, "");
    end(&r, &data);
}

/* Each: what replaces what in a good file, and what the message must say. */
static const struct {
    const char *row, *from, *to, *says;
} bad[] = {
    {PREFILL, "\"model\":\"branchformer\"", "\"modal\":\"x\"", "benchmarks[0].case.model: found nothing"},
    {PREFILL, "\"model\":\"branchformer\"", "\"model\":\"<b>\"", "benchmarks[0].case.model"},
    {PREFILL, "\"T\":75,", "", "benchmarks[0].case.T: found nothing, expected a whole number from 1"},
    {CHUNK, "\"left\":0,", "", "benchmarks[0].case.left: found nothing, expected a whole number from 0"},
    {CHUNK, "\"left\":0,", "\"left\":-1,", "benchmarks[0].case.left: found -1"},
    {PREFILL, "\"layers\":2,", "", "benchmarks[0].case.layers"},
    {PREFILL, "\"audio_seconds\":0.75", "\"audio_seconds\":0", "benchmarks[0].audio_seconds: found 0"},
    {PREFILL, "\"conv_bytes_live\":64,", "", "benchmarks[0].conv_bytes_live: found nothing"},
    {PREFILL, "\"conv_bytes_live\":64,", "\"conv_bytes_live\":1e300,", "kv_bytes"},
    {PREFILL, "\"attention\":0.001", "\"attention\":null", "benchmarks[0].parts.attention: found null"},
    {PREFILL, "\"convolution\":0,", "", "benchmarks[0].parts.convolution: found nothing"},
};

static void test_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *good = results_text_of(&(measured_row){bad[i].row, 5, 0.001}, 1);
        const char *at = strstr(good, bad[i].from);
        assert_non_null(at);
        char *text =
            attn_format(NULL, "%.*s%s%s", (int)(at - good), good, bad[i].to, at + strlen(bad[i].from));
        results r;
        attn_error error = {0};
        assert_int_equal(results_parse(&r, text, strlen(text), "R.json", &error), -1);
        if (!strstr(error.message, bad[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].from, error.message, bad[i].says);
        attn_free(text);
        attn_free(good);
    }
}

static const measured_row ROWS[] = {
    {"encoder/conformer/linear/prefill/T:200/layers:2/h:2/d:16", 3, 0.001},
    {"encoder/conformer/mha/prefill/T:100/layers:2/h:2/d:16", 2, 0.001},
    {"encoder/conformer/mha/prefill/T:200/layers:2/h:2/d:16", 4, 0.003},
    {"encoder/conformer/mha/prefill/T:400/layers:2/h:2/d:16", 9, 0.002},
    {"encoder/branchformer/mha/prefill/T:200/layers:2/h:2/d:16/merge:fixed_ave", 8, 0.001},
    {"encoder/branchformer/mha/prefill/T:200/layers:2/h:2/d:16", 7, 0.002},
    {"encoder/conformer/mha/chunk/q:4/left:0/layers:2/h:2/d:16", 1, 0.001},
    {"encoder/conformer/mha/chunk/q:4/left:2/layers:2/h:2/d:16", 1.5, 0.001},
    {"encoder/conformer/mha/chunk/q:8/left:2/layers:2/h:2/d:16", 2.5, 0.001},
};
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

/* The length that most models and types have; the fastest of two ways to merge; by model, then type. */
static void test_bars(void **state) {
    (void)state;
    results r;
    report_data data;
    encoder_bars bars;
    read_rows(&r, &data, ROWS, ROW_COUNT);
    encoder_bars_find(&bars, &data);
    assert_int_equal(bars.count, 3);
    static const size_t wanted[] = {2, 0, 5};
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(bars.bar[i]->c, &r.cases[wanted[i]]);
    assert_int_equal(bars.least_runs, 2);
    assert_string_equal(
        bars.held, "T 200, layers 2, d_model 16, h 2, conv2d input layer, pos rel_pos (linear: abs_pos)");
    assert_true(fabs(encoder_share(bars.bar[0]->c, ATTN_PART_ATTENTION) - 60) < 1e-9);
    assert_true(fabs(encoder_share(bars.bar[0]->c, ATTN_PART_SUBSAMPLING) - 20) < 1e-9);
    assert_true(encoder_share(bars.bar[0]->c, ATTN_PART_OTHER) == 0);
    end(&r, &data);
}

static double number(const json_t *row, const char *key) {
    assert_true(json_is_number(json_object_get(row, key)));
    return json_number_value(json_object_get(row, key));
}

static void test_table_and_findings(void **state) {
    (void)state;
    results r;
    report_data data;
    report_table t;
    read_rows(&r, &data, ROWS, ROW_COUNT);
    table_encoders(&t, &(table_sources){.data = &data});
    assert_int_equal(json_array_size(t.t.rows), ROW_COUNT);
    const json_t *row = json_array_get(t.t.rows, 0); /* conformer, mha, chunk */
    assert_true(number(row, "left") == 0 && number(row, "q") == 4 && number(row, "time_ms") == 1);
    assert_true(json_is_null(json_object_get(row, "T")));
    row = json_array_get(t.t.rows, 4);
    assert_true(number(row, "T") == 200 && number(row, "attention") == 60);
    assert_true(fabs(number(row, "rtf") - 0.004 / 0.75) < 1e-5);
    assert_true(number(row, "gflops") == 250);
    assert_true(json_is_null(json_object_get(row, "of_sgemm_percent"))); /* not measured here */
    report_table_free(&t);
    json_t *list = json_array();
    say_encoders(list, &data);
    assert_int_equal(json_array_size(list), 2);
    assert_non_null(strstr(json_string_value(json_array_get(list, 0)), "for 0.75 s of audio"));
    assert_non_null(strstr(json_string_value(json_array_get(list, 1)), "A chunk of 4 frames"));
    json_decref(list);
    end(&r, &data);
}

static void test_parts_of_attention(void **state) {
    (void)state;
    results r;
    report_data data;
    report_table t;
    double all = 0, expected = 0;
    read_rows(&r, &data, ROWS, ROW_COUNT);
    table_attention_parts(&t, &(table_sources){.data = &data});
    assert_int_equal(json_array_size(t.t.rows), ROW_COUNT);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const json_t *row = json_array_get(t.t.rows, i);
        assert_true(number(row, "projections") == 25 && number(row, "core") == 75);
        assert_null(json_object_get(row, "scores"));
        assert_null(json_object_get(row, "rest"));
        all += number(row, "attention_ms");
        expected += 1e3 * ROWS[i].attention;
    }
    assert_true(fabs(all - expected) < 1e-9);
    report_table_free(&t);
    end(&r, &data);
}

static const plot *plot_named(const char *name) {
    for (const plot *p = plots; p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    fail_msg("no plot %s", name);
    return NULL;
}

/* Time and bytes against left context, of one chunk size; neither in the plots of single layers. */
static void test_lines(void **state) {
    (void)state;
    results r;
    report_data data;
    series_lines l;
    attn_error error = {0};
    read_rows(&r, &data, ROWS, ROW_COUNT);
    assert_int_equal(series_select(&l, &data, &plot_named("encoder_chunk")->select, &error), 0);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.line[0].count, 2);
    assert_true(l.line[0].points[0].x == 0 && l.line[0].points[0].y == 1e6 && l.line[0].points[1].x == 2);
    assert_string_equal(
        l.held, "conformer, conv2d input layer, layers 2, q 4, h 2, d_model 16, f32 cache, pos rel_pos");
    series_free(&l);
    assert_int_equal(series_select(&l, &data, &plot_named("encoder_cache")->select, &error), 0);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.line[0].count, 2);
    assert_true(l.line[0].points[1].x == 2 && l.line[0].points[1].y == 128);
    series_free(&l);
    assert_int_equal(series_select(&l, &data, &plot_named("prefill_time")->select, &error), 0);
    assert_int_equal(l.count, 0);
    series_free(&l);
    end(&r, &data);
}

/* A table that was added without its columns is reported by its name; nothing is written. */
static void test_a_table_without_columns(void **state) {
    (void)state;
    report_table forgotten = {0}, begun;
    report_table_init(&begun, "Begun");
    json_array_append_new(begun.t.rows, json_pack("{s:i}", "a", 1));
    const report_table *const without[] = {&forgotten, &begun};
    for (size_t i = 0; i < 2; i++) {
        attn_error error = {0};
        assert_int_equal(report_table_write(without[i], "/proc/none", "speed", &error), -1);
        assert_non_null(strstr(error.message, "the table speed has no columns"));
    }
    report_table_free(&begun);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_without_columns),
        cmocka_unit_test(test_case_fields),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_table_and_findings),
        cmocka_unit_test(test_parts_of_attention),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
