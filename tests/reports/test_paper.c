/* The audit of the published tables. Expected values are worked out by hand from the geometries, not by the
 * code under test: 1000 frames of float32 at width w take w * 1000 * 4 / 2^20 MiB a layer. */
#include "reports/paper/paper_live.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

static const char PUBLISHED[] = "reports/paper/published.json";

#define SAME "reproduces exactly under both geometries"
#define FOUND "reproduces exactly under the identified geometry; not under the claimed one"
#define TWELFTH "does not reproduce: is the total / 12"
#define MATRICES "does not reproduce: is 2 d_model^2 floats a layer"

static const struct {
    const char *model, *row, *quantity, *unit;
    double published, claimed, identified;
    const char *verdict; /* how it starts */
} expected[] = {
    {"conformer", "mha", "total", "MiB", 187.5, 46.875, 187.5, FOUND},
    {"conformer", "mha", "per_layer", "MiB", 15.625, 3.90625, 7.8125, TWELFTH},
    {"conformer", "mla_512", "total", "MiB", 93.75, 23.4375, 93.75, FOUND},
    {"conformer", "mla_512", "per_layer", "MiB", 7.8125, 1.953125, 3.90625, TWELFTH},
    {"conformer", "mla_512", "reduction", "%", 50, 50, 50, SAME},
    {"conformer", "mla_256", "total", "MiB", 46.875, 11.71875, 46.875, FOUND},
    {"conformer", "mla_256", "per_layer", "MiB", 3.906, 0.9765625, 1.953125, TWELFTH},
    {"conformer", "mla_256", "reduction", "%", 75, 75, 75, SAME},
    {"conformer", "gqa_2", "total", "MiB", 23.44, 11.71875, 23.4375, FOUND},
    {"conformer", "gqa_2", "per_layer", "MiB", 1.953, 0.9765625, 0.9765625, TWELFTH},
    {"conformer", "gqa_2", "reduction", "%", 87.5, 75, 87.5, FOUND},
    {"conformer", "linear", "total", "MiB", 192, 1.5234375, 6.09375, MATRICES},
    {"branchformer", "mha", "total", "MiB", 70.31, 46.875, 70.3125, FOUND},
    {"branchformer", "mha", "per_layer", "MiB", 5.859, 3.90625, 3.90625, TWELFTH},
    {"branchformer", "mla_512", "total", "MiB", 35.16, 23.4375, 35.15625, FOUND},
    {"branchformer", "mla_512", "per_layer", "MiB", 2.930, 1.953125, 1.953125, TWELFTH},
    {"branchformer", "mla_512", "reduction", "%", 50, 50, 50, SAME},
    {"branchformer", "mla_256", "total", "MiB", 17.58, 11.71875, 17.578125, FOUND},
    {"branchformer", "mla_256", "per_layer", "MiB", 1.465, 0.9765625, 0.9765625, TWELFTH},
    {"branchformer", "mla_256", "reduction", "%", 75, 75, 75, SAME},
    {"branchformer", "linear", "total", "MiB", 36, 1.5234375, 2.28515625, MATRICES},
};
enum { EXPECTED = sizeof expected / sizeof *expected };

static const char *text_of(const json_t *row, const char *key) {
    return json_string_value(json_object_get(row, key));
}

static double number_of(const json_t *row, const char *key) {
    assert_true(json_is_real(json_object_get(row, key)));
    return json_real_value(json_object_get(row, key));
}

static void read_tables(paper_tables *tables) {
    attn_error error = {0};
    if (paper_read(tables, PUBLISHED, &error))
        fail_msg("%s", error.message);
}

static void test_cells(void **state) {
    (void)state;
    paper_tables tables;
    paper_audit audit;
    read_tables(&tables);
    assert_int_equal(paper_audit_run(&audit, &tables, NULL, NULL), 0);
    assert_int_equal(json_array_size(audit.cells.rows), EXPECTED);
    for (size_t i = 0; i < EXPECTED; i++) {
        const json_t *cell = json_array_get(audit.cells.rows, i);
        assert_int_equal(json_object_size(cell), 9); /* the keys of the documented form, and no others */
        assert_string_equal(text_of(cell, "model"), expected[i].model);
        assert_string_equal(text_of(cell, "row"), expected[i].row);
        assert_string_equal(text_of(cell, "quantity"), expected[i].quantity);
        assert_string_equal(text_of(cell, "unit"), expected[i].unit);
        assert_true(number_of(cell, "published") == expected[i].published);
        assert_true(number_of(cell, "claimed_geometry") == expected[i].claimed);
        assert_true(number_of(cell, "identified_geometry") == expected[i].identified);
        assert_true(json_is_null(json_object_get(cell, "live")));
        if (strncmp(text_of(cell, "verdict"), expected[i].verdict, strlen(expected[i].verdict)))
            fail_msg("%s %s %s: %s", expected[i].model, expected[i].row, expected[i].quantity,
                     text_of(cell, "verdict"));
    }
    assert_int_equal(audit.live_mismatches, 0);
    paper_audit_free(&audit);
}

static void test_rounding(void **state) {
    (void)state;
    assert_true(paper_rounds_to(23.4375, "23.44"));
    assert_true(paper_rounds_to(3.90625, "3.906"));
    assert_true(paper_rounds_to(2.9296875, "2.930"));
    assert_true(paper_rounds_to(192, "192"));
    assert_false(paper_rounds_to(2.9296875, "2.9300"));
    assert_false(paper_rounds_to(23.446, "23.44"));
    assert_false(paper_rounds_to(192.6, "192"));
    assert_false(paper_rounds_to(NAN, "192"));
}

/* Verdicts follow the numbers: other published values get other verdicts. */
static void test_other_values(void **state) {
    (void)state;
    paper_tables tables;
    paper_audit audit;
    read_tables(&tables);
    strcpy(tables.model[0].row[0].published[PAPER_TOTAL], "46.875");
    strcpy(tables.model[0].row[1].published[PAPER_TOTAL], "93.76");
    strcpy(tables.model[0].row[1].published[PAPER_PER_LAYER], "3.906");
    assert_int_equal(paper_audit_run(&audit, &tables, NULL, NULL), 0);
    assert_string_equal(text_of(json_array_get(audit.cells.rows, 0), "verdict"),
                        "reproduces exactly under the claimed geometry only");
    assert_string_equal(text_of(json_array_get(audit.cells.rows, 2), "verdict"),
                        "does not reproduce under either geometry");
    assert_string_equal(text_of(json_array_get(audit.cells.rows, 3), "verdict"), FOUND);
    paper_audit_free(&audit);
}

/* Bytes worked out by hand, as a live run would find them. */
static void fill_live(paper_live *live) {
    static const size_t conformer[] = {8192000, 4096000, 2048000, 1024000, 266240};
    static const size_t branchformer[] = {4096000, 2048000, 1024000, 133120};
    *live = (paper_live){0};
    for (size_t i = 0; i < 5; i++) {
        live->layer[0][i] = conformer[i];
        live->total[0][i] = 24 * conformer[i];
    }
    for (size_t i = 0; i < 4; i++) {
        live->layer[1][i] = branchformer[i];
        live->total[1][i] = 18 * branchformer[i];
    }
}

static void test_live(void **state) {
    (void)state;
    paper_tables tables;
    paper_audit audit;
    paper_live live;
    read_tables(&tables);
    fill_live(&live);
    assert_int_equal(paper_audit_run(&audit, &tables, &live, NULL), 0);
    assert_int_equal(audit.live_mismatches, 0);
    for (size_t i = 0; i < EXPECTED; i++)
        assert_true(number_of(json_array_get(audit.cells.rows, i), "live") == expected[i].identified);
    paper_audit_free(&audit);
    live.total[0][1] += 4; /* one float too many */
    assert_int_equal(paper_audit_run(&audit, &tables, &live, NULL), 0);
    assert_int_equal(audit.live_mismatches, 2); /* the total and the reduction */
    assert_non_null(strstr(text_of(json_array_get(audit.cells.rows, 2), "verdict"), "DIFFER"));
    assert_null(strstr(text_of(json_array_get(audit.cells.rows, 3), "verdict"), "DIFFER"));
    paper_audit_free(&audit);
}

/* The same rows at sizes that run in no time: the caches are real. */
static void test_live_run(void **state) {
    (void)state;
    paper_tables tables;
    paper_audit audit;
    paper_live live;
    attn_error error = {0};
    read_tables(&tables);
    tables.frames = 11;
    for (size_t m = 0; m < tables.models; m++)
        for (size_t r = 0; r < tables.model[m].rows; r++) {
            paper_shape *shape = &tables.model[m].row[r].identified;
            shape->num_layers = 3;
            shape->geometry.d_model = 8;
            shape->geometry.num_heads = 4;
            if (shape->geometry.latent_dim)
                shape->geometry.latent_dim = 4 + r;
        }
    if (paper_live_run(&live, &tables, &error))
        fail_msg("%s", error.message);
    assert_int_equal(live.layer[0][0], 2 * 11 * 8 * 4);
    assert_int_equal(live.total[0][0], 3 * 2 * 11 * 8 * 4);
    assert_int_equal(live.total[0][1], 3 * 11 * 5 * 4);
    assert_int_equal(live.total[0][3], 3 * 2 * 11 * 2 * 2 * 4);
    assert_int_equal(live.total[0][4], 3 * 4 * (2 * 2 + 2) * 4);
    assert_int_equal(live.rounded[0][0][ATTN_ELEMENT_F16], 2 * 11 * 8 * 2);
    assert_int_equal(live.rounded[0][0][ATTN_ELEMENT_Q8_0], 2 * 11 * 4 * 34);
    assert_int_equal(live.rounded[0][1][ATTN_ELEMENT_Q8_0], 11 * 34);
    assert_int_equal(live.rounded[0][4][ATTN_ELEMENT_Q8_0], 0);
    assert_int_equal(paper_audit_run(&audit, &tables, &live, NULL), 0);
    assert_int_equal(audit.live_mismatches, 0);
    paper_audit_free(&audit);
    live.rounded[0][0][ATTN_ELEMENT_Q8_0] += 34; /* one block too many */
    assert_int_equal(paper_audit_run(&audit, &tables, &live, NULL), 0);
    assert_int_equal(audit.live_mismatches, 1);
    paper_audit_free(&audit);
    assert_int_equal(attn_alloc_live(), 0);
}

static const json_t *addition(const paper_audit *audit, const char *model, const char *row,
                              const char *quantity, const char *unit) {
    size_t i;
    json_t *at;
    json_array_foreach(audit->additions.rows, i, at) {
        if (!strcmp(text_of(at, "model"), model) && !strcmp(text_of(at, "row"), row) &&
            !strcmp(text_of(at, "quantity"), quantity) && !strcmp(text_of(at, "unit"), unit))
            return at;
    }
    fail_msg("no addition %s %s %s", model, row, quantity);
    return NULL;
}

static void test_additions(void **state) {
    (void)state;
    paper_tables tables;
    paper_audit audit;
    read_tables(&tables);
    assert_int_equal(paper_audit_run(&audit, &tables, NULL, NULL), 0);
    static const struct {
        const char *model, *row, *quantity, *unit;
        double identified;
    } wanted[] = {
        {"conformer", "linear_state", "total", "MiB", 6.09375},
        {"branchformer", "linear_state", "total", "MiB", 2.28515625},
        {"conformer", "input_cache", "total", "MiB", 93.75},
        {"conformer", "input_cache", "reduction", "%", 50},
        {"branchformer", "input_cache", "total", "MiB", 35.15625},
        {"conformer", "mha f16", "per_layer", "MiB", 3.90625},
        {"conformer", "mha q8_0", "per_layer", "MiB", 2.0 * 1000 * 16 * 2 * 34 / 1048576},
        {"conformer", "mla_256 q8_0", "total", "MiB", 24.0 * 1000 * 16 * 34 / 1048576},
        {"conformer", "mha", "total_subsampled", "MiB", 187.5 * 0.249},
        {"conformer", "mha", "total", "MB", 196.608},
        {"branchformer", "mha", "total", "MB", 73.728},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const json_t *row =
            addition(&audit, wanted[i].model, wanted[i].row, wanted[i].quantity, wanted[i].unit);
        assert_true(fabs(number_of(row, "identified_geometry") - wanted[i].identified) < 1e-9);
    }
    assert_non_null(strstr(text_of(addition(&audit, "conformer", "mla_256 q8_0", "total", "MiB"), "note"),
                           "93.36% less than MHA in f32"));
    assert_non_null(strstr(text_of(addition(&audit, "both", "audio", "remark", ""), "note"), "40 s"));
    assert_non_null(
        strstr(text_of(addition(&audit, "both", "offline", "remark", ""), "note"), "reuses no cache"));
    paper_audit_free(&audit);
}

static json_int_t size_of(const json_t *geometries, const char *model, const char *row, const char *which,
                          const char *key) {
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(geometries, "rows"), i, one) {
        if (!strcmp(text_of(one, "model"), model) && !strcmp(text_of(one, "row"), row))
            return json_integer_value(json_object_get(json_object_get(one, which), key));
    }
    fail_msg("no geometry of %s %s", model, row);
    return 0;
}

static void test_geometries(void **state) {
    (void)state;
    paper_tables tables;
    read_tables(&tables);
    json_t *all = paper_geometries_json(&tables);
    assert_int_equal(json_integer_value(json_object_get(all, "frames")), 1000);
    assert_int_equal(json_integer_value(json_object_get(all, "bytes_per_element")), 4);
    assert_int_equal(json_array_size(json_object_get(all, "rows")), 9);
    assert_int_equal(size_of(all, "conformer", "mla_512", "claimed", "d_model"), 512);
    assert_int_equal(size_of(all, "conformer", "mla_512", "identified", "num_layers"), 24);
    assert_int_equal(size_of(all, "conformer", "mla_512", "identified", "latent_dim"), 1024);
    assert_int_equal(size_of(all, "conformer", "gqa_2", "identified", "num_heads"), 16);
    assert_int_equal(size_of(all, "conformer", "gqa_2", "identified", "num_kv_heads"), 2);
    assert_int_equal(size_of(all, "branchformer", "mha", "identified", "num_layers"), 18);
    assert_int_equal(size_of(all, "branchformer", "mha", "claimed", "latent_dim"), 0); /* it has none */
    json_decref(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),     cmocka_unit_test(test_geometries),
        cmocka_unit_test(test_rounding),  cmocka_unit_test(test_other_values),
        cmocka_unit_test(test_live),      cmocka_unit_test(test_live_run),
        cmocka_unit_test(test_additions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
