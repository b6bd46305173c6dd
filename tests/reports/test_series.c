/* From cases to lines: what is held, what sets lines apart, slopes, rates and roofs. */
#include "reports/plots/plots.h"
#include "reports/tables/table_list.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/world.h"

#include <math.h>
#include <string.h>

static const plot *plot_named(const char *name) {
    for (const plot *p = plots; p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    fail_msg("no plot %s", name);
    return NULL;
}

static void select_plot(world *w, series_lines *l, const char *name) {
    attn_error error = {0};
    assert_int_equal(report_data_init(&w->data, &w->r, &error), 0);
    assert_int_equal(series_select(l, &w->data, &plot_named(name)->select, &error), 0);
}

static void end(world *w, series_lines *l) {
    series_free(l);
    report_data_free(&w->data);
    assert_int_equal(attn_alloc_live(), 0);
}

/* A power of L gives its exponent, from a quarter of the largest L on; below that it does not count. */
static void test_slope(void **state) {
    (void)state;
    world w = {0};
    series_lines l;
    for (size_t L = 125; L <= 4000; L *= 2) {
        add_case(&w, "mha", "prefill", L, L, L < 1000 ? 7e9 : 3.0 * (double)L * (double)L);
        add_case(&w, "linear", "prefill", L, L, 50.0 * (double)L);
    }
    select_plot(&w, &l, "prefill_time");
    assert_int_equal(l.count, 2);
    assert_true(fabs(series_line_of(&l, "mha")->slope - 2) < 1e-9);
    assert_true(fabs(series_line_of(&l, "linear")->slope - 1) < 1e-9);
    assert_true(series_line_of(&l, "mha")->slope_from_x == 1000);
    assert_true(series_common_x(&l) == 4000);
    end(&w, &l);
}

/* Of two widths, the one with more points is held; the other's cases are not mixed in. */
static void test_held(void **state) {
    (void)state;
    world w = {0};
    series_lines l;
    for (size_t L = 100; L <= 200; L += 100)
        add_case(&w, "mha", "decode", L, 1, 1)->d = 256;
    for (size_t L = 100; L <= 300; L += 100)
        add_case(&w, "mha", "decode", L, 1, 2);
    select_plot(&w, &l, "decode_time");
    assert_int_equal(l.count, 1);
    assert_int_equal(l.line[0].count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(l.line[0].points[i].y == 2);
    assert_non_null(strstr(l.held, "d_model 512"));
    end(&w, &l);
}

/* A line is of one implementation: the one with most points, then the fastest. */
static void test_free_fields(void **state) {
    (void)state;
    world w = {0};
    series_lines l;
    for (size_t L = 100; L <= 300; L += 100) {
        add_case(&w, "mha", "decode", L, 1, 9)->impl = "scalar";
        add_case(&w, "mha", "decode", L, 1, 5)->impl = "blas";
    }
    add_case(&w, "mha", "decode", 300, 1, 1)->impl = "other"; /* fast, but at one length only */
    select_plot(&w, &l, "decode_time");
    assert_int_equal(l.count, 1);
    assert_int_equal(l.line[0].count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(l.line[0].points[i].from->c->impl, "blas");
    end(&w, &l);
}

static void test_paths(void **state) {
    (void)state;
    static const size_t queries[] = {1, 16, 1000};
    static const char *const modes[] = {"decode", "chunk", "prefill"};
    world w = {0};
    series_lines l;
    for (size_t i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            results_case *c = add_case(&w, "mla", modes[i], 1000, queries[i], 1000);
            c->dc = 256;
            c->path = c->path_run = k ? "expand" : "absorb";
        }
    select_plot(&w, &l, "mla_paths");
    assert_int_equal(l.count, 2);
    assert_int_equal(l.line[0].count, 3);
    assert_true(l.line[0].points[0].y == 1000 && l.line[0].points[2].y == 1); /* a frame, not a call */
    assert_string_not_equal(l.line[0].label, l.line[1].label);
    end(&w, &l);
}

static void test_kv_heads(void **state) {
    (void)state;
    world w = {0};
    series_lines l;
    for (size_t hkv = 1; hkv <= 8; hkv *= 2) {
        results_case *c = add_case(&w, "gqa", "decode", 1000, 1, (double)hkv);
        c->hkv = hkv;
        c->kv_bytes_live = 100.0 * (double)hkv;
    }
    add_case(&w, "mha", "decode", 1000, 1, 8);
    select_plot(&w, &l, "kv_heads_bytes");
    assert_int_equal(l.count, 1);
    assert_int_equal(l.line[0].count, 4);
    assert_true(l.line[0].points[3].x == 8 && l.line[0].points[3].y == 800);
    end(&w, &l);
    select_plot(&w, &l, "latent_bytes");
    assert_int_equal(l.count, 0); /* nothing to draw is not an error */
    end(&w, &l);
}

/* MHA has no latent: it is level across the plot, from the best case that shares the rest of each line. */
static void test_mha_lines(void **state) {
    (void)state;
    world w = {0};
    series_lines l;
    for (size_t dc = 64; dc <= 256; dc *= 2)
        for (int k = 0; k < 2; k++)
            add_case(&w, "mla", k ? "decode" : "chunk", 1000, k ? 1 : 16, (double)dc)->dc = dc;
    add_case(&w, "mha", "decode", 1000, 1, 90)->impl = "scalar";
    add_case(&w, "mha", "decode", 1000, 1, 70);
    add_case(&w, "mha", "decode", 2000, 1, 10);
    add_case(&w, "mha", "chunk", 1000, 8, 10);
    add_case(&w, "mha", "chunk", 1000, 16, 320);
    select_plot(&w, &l, "latent_time");
    assert_int_equal(l.count, 4);
    assert_string_equal(l.line[0].label, "mha chunk");
    assert_string_equal(l.line[1].label, "mha decode");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(l.line[i].count, 2);
        assert_true(l.line[i].points[0].x == 64 && l.line[i].points[1].x == 256);
        assert_true(l.line[i].points[0].y == (i ? 70 : 20) && l.line[i].points[1].y == (i ? 70 : 20));
    }
    end(&w, &l);
    select_plot(&w, &l, "latent_bytes");
    assert_int_equal(l.count, 2);
    assert_true(series_line_of(&l, "mha")->points[1].y == 4000);
    end(&w, &l);
}

/* Roofs are the best run's, whatever the median is. */
static void test_roofs_are_bests(void **state) {
    (void)state;
    world w = {0};
    results_sample runs[3] = {{.real_time = 200, .cpu_time = 200, .iterations = 1},
                              {.real_time = 100, .cpu_time = 100, .iterations = 1},
                              {.real_time = 400, .cpu_time = 400, .iterations = 1}};
    add_machine(&w, "flops", 0, 1000, NAN, 1);
    add_machine(&w, "read", 1000, NAN, 800, 1);
    for (size_t i = 0; i < 2; i++)
        w.cases[i].samples = runs, w.cases[i].count = 3;
    attn_error error = {0};
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    assert_true(w.data.cases[0].gflops == 5 && w.data.roofs.peak == 10);
    assert_true(w.data.cases[1].gbytes == 4 && machine_bandwidth(&w.data.roofs, 1000) == 8);
    report_data_free(&w.data);
}

/* Levels are those of the latency, whatever the kernel says of caches. */
static void test_levels(void **state) {
    (void)state;
    world w = {0};
    static const double ns[] = {1, 1, 4, 4, 90, 95, 96};
    w.r.own = json_pack("{s{sisi}}", "machine", "l1d_bytes", 1 << 15, "l3_bytes", 32 << 20);
    attn_error error = {0};
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    assert_string_equal(machine_level(&w.data, 1 << 20), "L3");
    report_data_free(&w.data);
    for (size_t i = 0; i < 7; i++) {
        add_machine(&w, "latency", (size_t)16384 << 2 * i, 0, 0, ns[i]);
        w.cases[i].steps = 1;
        w.cases[i].isa = "";
        w.cases[i].pages = "huge";
    }
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    assert_string_equal(machine_level(&w.data, 1 << 16), "L1");
    assert_string_equal(machine_level(&w.data, 1 << 20), "L2");
    assert_string_equal(machine_level(&w.data, 2 << 20),
                        "L2/memory"); /* 1 MiB is the last of one, 4 of the other */
    assert_string_equal(machine_level(&w.data, 4 << 20), "memory");
    assert_string_equal(machine_level(&w.data, 1e12), "memory");
    report_data_free(&w.data);
    json_decref((json_t *)w.r.own);
}

static void test_roofs(void **state) {
    (void)state;
    world w = {0};
    add_machine(&w, "flops", 0, 1000, NAN, 100);    /* 10 GFLOP/s */
    add_machine(&w, "flops", 0, 2000, NAN, 100);    /* 20: the peak */
    add_machine(&w, "read", 1000, NAN, 800, 100);   /* 8 GB/s in a small working set */
    add_machine(&w, "read", 100000, NAN, 200, 100); /* 2 GB/s in a large one */
    results_case *small = add_case(&w, "mha", "decode", 10, 1, 1000);
    small->flops = 500, small->bytes = 1000; /* 0.5 GFLOP/s of min(20, 0.5 * 8) */
    results_case *large = add_case(&w, "mha", "prefill", 10, 10, 1000);
    large->flops = 1e6, large->bytes = 50000; /* 1000 of min(20, 20 * 8) */
    attn_error error = {0};
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    assert_true(w.data.roofs.peak == 20 && isnan(w.data.roofs.sgemm));
    assert_true(machine_bandwidth(&w.data.roofs, 99999) == 8);
    assert_true(machine_bandwidth(&w.data.roofs, 10) == 8);
    assert_true(machine_bandwidth(&w.data.roofs, 100000) == 2 && machine_bandwidth(&w.data.roofs, 1e12) == 2);
    assert_true(fabs(w.data.cases[4].roof - 0.5 / 4) < 1e-12);
    assert_true(fabs(w.data.cases[5].roof - 1000 / 20.0) < 1e-12);
    assert_true(isnan(w.data.cases[4].sgemm));
    report_data_free(&w.data);
}

/* A case on several threads has the roof of as many cores; where that was not measured it has none. */
static void test_roofs_of_several_cores(void **state) {
    (void)state;
    world w = {0};
    attn_error error = {0};
    for (size_t t = 1; t <= 4; t *= 4) {
        add_machine(&w, "flops", 0, 1000 * (double)t, NAN, 100);
        add_machine(&w, "sgemm", 0, 500 * (double)t, NAN, 100);
        add_machine(&w, "read", 1000, NAN, 800 * (double)t, 100);
        for (size_t i = w.r.count - 3; i < w.r.count; i++)
            w.cases[i].t = t;
    }
    for (size_t t = 1; t <= 4; t *= 2) {
        results_case *c = add_case(&w, "mha", "prefill", 10, 10, 1000);
        c->t = t, c->flops = 1000, c->bytes = 1; /* 1 GFLOP/s */
    }
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    const measured *one = &w.data.cases[6], *two = &w.data.cases[7], *four = &w.data.cases[8];
    assert_true(fabs(one->roof - 0.1) < 1e-12 && fabs(one->sgemm - 0.2) < 1e-12);
    assert_true(isnan(two->roof) && isnan(two->sgemm));
    assert_true(fabs(four->roof - 0.025) < 1e-12 && fabs(four->sgemm - 0.05) < 1e-12);
    report_data_free(&w.data);
}

static void test_median_and_bars(void **state) {
    (void)state;
    results_sample samples[7];
    static const double times[] = {5, 1, 4, 2, 3, 9, 7};
    for (size_t i = 0; i < 7; i++)
        samples[i] =
            (results_sample){.real_time = 10, .cpu_time = times[i], .iterations = 1, .disturbed = i == 1};
    world w = {0};
    results_case *c = add_case(&w, "mha", "decode", 10, 1, 0);
    c->samples = samples;
    for (size_t n = 5; n <= 7; n += 2) {
        attn_error error = {0};
        c->count = n;
        assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
        const measured *m = &w.data.cases[0];
        assert_int_equal(m->disturbed, 1);
        assert_int_equal(m->interval, n == 7); /* five runs are too few for 95% */
        assert_true(m->time == (n == 5 ? 3 : 4));
        assert_true(m->low == 1 && m->high == (n == 5 ? 5 : 9));
        assert_true(m->wall == 10);
        assert_true(fabs(m->lost - (n == 5 ? 35 / 50.0 : 39 / 70.0)) < 1e-12);
        report_data_free(&w.data);
    }
}

/* Bars are of how processes differ, however alike the runs of one are. */
static void test_processes(void **state) {
    (void)state;
    results_sample samples[6];
    for (size_t i = 0; i < 6; i++)
        samples[i] = (results_sample){
            .real_time = 10, .cpu_time = (double)(10 + i / 2), .iterations = 1, .process = 1 + i / 2};
    world w = {0};
    results_case *c = add_case(&w, "mha", "decode", 10, 1, 0);
    attn_error error = {0};
    c->samples = samples;
    c->count = 6;
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    const measured *m = &w.data.cases[0];
    assert_int_equal(m->processes, 3);
    assert_true(m->interval && m->time == 11 && m->best == 10);
    assert_true(m->low < 9 && m->high > 13);
    measured_basis basis = {0};
    char text[96];
    measured_basis_add(&basis, m);
    measured_basis_text(text, sizeof text, &basis);
    assert_string_equal(text, "median of 6 runs in 3 processes, bars: 95% interval");
    report_data_free(&w.data);
}

static void test_four_digits(void **state) {
    (void)state;
    static const double pairs[][2] = {
        {1234567, 1235000}, {0.000123456, 0.0001235}, {-9.99951, -10}, {0, 0}, {42, 42}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        json_t *value = four_digits(pairs[i][0]);
        assert_true(json_real_value(value) == pairs[i][1]);
        json_decref(value);
    }
    json_t *none = four_digits(NAN);
    assert_true(json_is_null(none));
    json_decref(none);
}

static void test_no_memory(void **state) {
    (void)state;
    world w = {0};
    for (size_t L = 100; L <= 300; L += 100)
        add_case(&w, "mha", "decode", L, 1, 9);
    size_t n = 0;
    for (int result = -1; result;) {
        attn_error error = {0};
        series_lines l = {0};
        attn_alloc_fail_at(++n);
        result = report_data_init(&w.data, &w.r, &error);
        if (!result)
            result = series_select(&l, &w.data, &plot_named("decode_time")->select, &error);
        attn_alloc_fail_at(0);
        assert_true(!result == !error.message[0]);
        series_free(&l);
        report_data_free(&w.data);
        assert_int_equal(attn_alloc_live(), 0);
    }
    assert_true(n > 5);
}

/* Cold and warm cases are never one line: the setting with more points is drawn, and said when it is not the default. */
static void test_unsaid_fields_are_held(void **state) {
    (void)state;
    world w = {0};
    series_lines l;
    for (size_t L = 100; L <= 400; L *= 2)
        add_case(&w, "mha", "decode", L, 1, (double)L);
    for (size_t L = 100; L <= 800; L *= 2)
        add_case(&w, "mha", "decode", L, 1, 2 * (double)L)->cache = "cold";
    select_plot(&w, &l, "decode_time");
    assert_int_equal(l.count, 1);
    assert_int_equal(l.line[0].count, 4);
    assert_non_null(strstr(l.held, ", pos none, cache cold"));
    end(&w, &l);
    for (size_t i = 0; i < w.r.count; i++)
        w.cases[i].cache = "warm";
    w.r.count = 3;
    select_plot(&w, &l, "decode_time");
    assert_null(strstr(l.held, "cache cold"));
    end(&w, &l);
}

/* A column of cache comes up with the first case that is cold. */
static void test_unsaid_columns(void **state) {
    (void)state;
    world w = {0};
    case_column columns[BENCH_FIELDS];
    attn_error error = {0};
    results_case *c = add_case(&w, "mha", "decode", 100, 1, 1);
    add_case(&w, "mha", "decode", 200, 1, 1);
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    size_t plain = case_columns(columns, &w.data, "attention");
    c->cache = "cold";
    assert_int_equal(case_columns(columns, &w.data, "attention"), plain + 1);
    assert_string_equal(columns[plain].key, "cache");
    json_t *value = case_value(c, columns[plain].field);
    assert_string_equal(json_string_value(value), "cold");
    json_decref(value);
    report_data_free(&w.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slope),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_free_fields),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_kv_heads),
        cmocka_unit_test(test_mha_lines),
        cmocka_unit_test(test_roofs),
        cmocka_unit_test(test_roofs_of_several_cores),
        cmocka_unit_test(test_roofs_are_bests),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_median_and_bars),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_four_digits),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_unsaid_fields_are_held),
        cmocka_unit_test(test_unsaid_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
