/* What the page says first: rivals of MHA, sentences, titles that are findings; and where names of lines go. */
#include "base/text/json.h"
#include "reports/data/rivals.h"
#include "reports/page/template/figure_titles.h"
#include "reports/plots/look/end_labels.h"
#include "reports/plots/look/frame.h"
#include "reports/plots/look/name_places.h"
#include "reports/plots/look/picture.h"
#include "reports/plots/look/titles.h"
#include "reports/plots/plots.h"
#include "reports/tables/sentences/answer.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/world.h"

#include <math.h>
#include <string.h>

static const double MS = 1e6, MIB = 1048576;

static void add_decode(world *w, const char *type, size_t L, double mib, double ms) {
    results_case *c = add_case(w, type, "decode", L, 1, ms * MS);
    c->kv_bytes_live = c->kv_bytes_formula = mib * MIB;
    c->dc = strncmp(type, "mla", 3) ? 0 : 256;
    c->hkv = strcmp(type, "gqa") ? 0 : 2;
    c->path = *c->type == 'm' && c->dc ? "auto" : "";
}

/* 512: all types. 4096: all but linear, which is the fastest where it is. */
static void fill(world *w, double mla) {
    add_decode(w, "mha", 512, 2, 1);
    add_decode(w, "linear", 512, 0.125, 0.1);
    for (size_t L = 2048; L <= 4096; L *= 2) {
        double k = (double)L / 4096;
        add_decode(w, "mha", L, 16 * k, 2 * k);
        add_decode(w, "gqa", L, 4 * k, 0.4 * k);
        add_decode(w, "mla", L, 4 * k, mla * k);
    }
    attn_error error = {0};
    assert_int_equal(report_data_init(&w->data, &w->r, &error), 0);
}

static void add_stream(world *w, const char *type, size_t left, double mib, double ms) {
    results_case *c = add_case(w, type, "chunk", 16 * (left + 1), 16, ms * MS);
    c->kind = "encoder";
    c->model = "conformer";
    c->input = "conv2d";
    c->left = left;
    c->layers = 12;
    c->flops = 1e9 * (double)(left + 1);
    c->audio_seconds = 0.64;
    c->kv_bytes_live = mib * MIB;
    c->dc = strcmp(type, "mla") ? 0 : 256;
}

static void end(world *w) {
    report_data_free(&w->data);
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_rivals(void **state) {
    (void)state;
    world w = {0};
    rivals r;
    fill(&w, 0.84);
    rivals_decoding(&r, &w.data);
    assert_int_equal(r.count, 3); /* the longest of those with most types */
    assert_true(r.of[0].m->c->L == 4096 && !strcmp(r.of[0].m->c->type, "mha"));
    assert_string_equal(rivals_quarter(&r, "mla")->m->c->type, "mla");
    assert_true(fabs(rivals_quarter(&r, "mla")->bytes - 0.25) < 1e-12);
    assert_true(fabs(rivals_quarter(&r, "mla")->time - 0.42) < 1e-12);
    assert_string_equal(rivals_quarter(&r, "linear")->m->c->type, "mla");
    assert_string_equal(rivals_fastest(&r)->m->c->type, "gqa");
    assert_string_equal(rivals_smallest(&r)->m->c->type, "mla");
    end(&w);
}

/* Without MHA there is nothing to compare with; what runs on more threads is another matter. */
static void test_no_rivals(void **state) {
    (void)state;
    world w = {0};
    rivals r;
    attn_error error = {0};
    add_decode(&w, "mla", 4096, 4, 1);
    add_decode(&w, "mha", 4096, 16, 2);
    w.cases[1].t = 2;
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    rivals_decoding(&r, &w.data);
    assert_int_equal(r.count, 0);
    json_t *answer = answer_list(&w.data);
    assert_int_equal(json_array_size(answer), 1); /* that recognition was not measured */
    json_decref(answer);
    end(&w);
}

static const char *said(const json_t *answer, size_t at, const char *key) {
    return json_string_value(json_object_get(json_array_get(answer, at), key));
}

static void test_answer(void **state) {
    (void)state;
    world w = {0};
    add_stream(&w, "mha", 4, 4, 60);
    add_stream(&w, "mla", 4, 1, 60);
    add_stream(&w, "mha", 64, 48, 80);
    add_stream(&w, "mla", 64, 12, 100);
    fill(&w, 0.84);
    json_t *answer = answer_list(&w.data);
    assert_int_equal(json_array_size(answer), 4);
    assert_string_equal(said(answer, 0, "lead"), "Smallest cache: MLA 256, 25% of MHA's.");
    assert_string_equal(said(answer, 0, "text"), "For 4096 frames a layer keeps 4 MiB, 16 MiB with MHA.");
    assert_string_equal(said(answer, 1, "lead"),
                        "Fastest with 4096 frames in view: GQA 2, 5 times as fast as MHA.");
    assert_string_equal(said(answer, 1, "text"), "The next frame takes a layer 0.4 ms of CPU time, with MHA "
                                                 "2 ms. MLA 256 takes 0.84 ms: 0.42 of MHA's "
                                                 "time.");
    assert_string_equal(said(answer, 2, "lead"),
                        "A streaming Conformer with MLA: 25% of the KV cache, 1.25 times as long.");
    assert_string_equal(
        said(answer, 2, "text"),
        "With MLA 256 its 12 layers keep 12 MiB, with MHA 48 MiB; a chunk of 16 frames (0.64 s) with "
        "41 s behind it takes 100 ms, with MHA 80 ms. MLA saves memory here, not time.");
    json_decref(answer);
    end(&w);
}

static void test_no_difference(void **state) {
    (void)state;
    world w = {0};
    fill(&w, 2);
    json_t *answer = answer_list(&w.data);
    assert_non_null(strstr(said(answer, 1, "text"),
                           "MLA 256 takes 2 ms (least to most: 2 to 2; MHA 2 to 2): no difference found."));
    json_decref(answer);
    end(&w);
}

/* With linear attention in front, the fastest of the same cache is named too. */
static void test_fastest_alike(void **state) {
    (void)state;
    world w = {0};
    add_decode(&w, "linear", 4096, 0.125, 0.1);
    fill(&w, 0.84);
    json_t *answer = answer_list(&w.data);
    assert_string_equal(
        said(answer, 0, "text"),
        "For 4096 frames a layer keeps 128 KiB, 16 MiB with MHA and 4 MiB (25%) with MLA 256.");
    assert_string_equal(
        said(answer, 1, "text"),
        "The next frame takes a layer 0.1 ms of CPU time, with MHA 2 ms. MLA 256 takes 0.84 ms: 0.42 of "
        "MHA's time. GQA 2 takes 0.4 ms: 0.2 of MHA's time.");
    json_decref(answer);
    end(&w);
}

/* A rounded cache of MHA needs no other model: the answer names it next to the smaller caches. */
static void test_rounded(void **state) {
    (void)state;
    world w = {0};
    add_decode(&w, "mha", 4096, 4.25, 0.5);
    w.cases[0].kv = "q8_0";
    add_decode(&w, "mha", 4096, 8, 0.1);
    w.cases[1].kv = "f16";
    fill(&w, 0.84);
    json_t *answer = answer_list(&w.data);
    assert_non_null(strstr(said(answer, 1, "text"),
                           " MHA with a q8_0 cache keeps 4.25 MiB and takes 0.5 ms, less than MLA 256."));
    json_decref(answer);
    end(&w);
}

/* In a stream: what the text adds about memory and time depends on both. */
static void stream_says(double bytes, double ms, const char *expected) {
    world w = {0};
    attn_error error = {0};
    add_stream(&w, "mha", 4, 4, 60);
    add_stream(&w, "mla", 4, bytes, ms);
    w.cases[0].conv_bytes_live = w.cases[1].conv_bytes_live = 2 * MIB;
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    json_t *answer = answer_list(&w.data);
    const char *text = said(answer, 0, "text");
    assert_string_equal(text + strlen(text) - strlen(expected), expected);
    assert_non_null(strstr(text, "with MHA 4 MiB (and 2 MiB for convolutions); a chunk"));
    json_decref(answer);
    end(&w);
}

static void test_bargain(void **state) {
    (void)state;
    stream_says(1, 30, "takes 30 ms, with MHA 60 ms.");
    stream_says(1, 90, " MLA saves memory here, not time.");
    stream_says(1, 60, " MLA saves memory here; that it saves time was not found.");
}

/* The line about times depends on how much of the machine the cases had. */
static void trusts(double lost, const char *machine, const char *rest) {
    world w = {0};
    fill(&w, 0.84);
    for (size_t i = 0; i < w.r.count; i++)
        w.samples[i].real_time = w.samples[i].cpu_time / (1 - lost);
    json_t *trust = answer_trust(&w.data);
    assert_string_equal(json_text(trust, "machine"), machine);
    assert_non_null(strstr(json_text(trust, "rest"), rest));
    const char *line = json_text(trust, "line");
    assert_true(strstr(line, machine) && strstr(line, rest) && strstr(line, json_text(trust, "checked")));
    json_decref(trust);
    end(&w);
}

static void test_trust(void **state) {
    (void)state;
    trusts(0, "Bare machine, 0% of the time lost, no hardware counters.", "hold within their intervals");
    trusts(0.3, "Bare machine, 30% of the time lost, no hardware counters.", "others shared the machine");
    trusts(0.75, "Bare machine, 75% of the time lost, no hardware counters.",
           "Times are CPU time; with over half of the time lost they are rough");
}

/* A case that needs instructions which the machine lacks is not counted as failed. */
static void test_checks(void **state) {
    (void)state;
    world w = {0};
    attn_error error = {0};
    add_case(&w, "mha", "decode", 10, 1, MS)->max_error = 1e-6;
    add_case(&w, "mha", "decode", 20, 1, MS)->error = "differs from the reference";
    results_case *lacks = add_case(&w, "mha", "decode", 30, 1, MS);
    lacks->error = "needs avx512";
    lacks->unsupported = true;
    add_machine(&w, "read", 4096, 0, 100, MS);
    assert_int_equal(report_data_init(&w.data, &w.r, &error), 0);
    assert_int_equal(measured_all_checks(&w.data).passed, 1);
    assert_int_equal(measured_all_checks(&w.data).failed, 1);
    json_t *trust = answer_trust(&w.data);
    assert_string_equal(json_text(trust, "checked"), "1 of 2 cases failed and have no numbers; the others "
                                                     "agreed with a plain reference before they were timed.");
    json_decref(trust);
    end(&w);
}

static void title_is(const world *w, title_function *title, const series_selection *s, const char *expected) {
    series_lines l;
    char text[160] = "";
    attn_error error = {0};
    assert_int_equal(series_select(&l, &w->data, s, &error), 0);
    title(text, sizeof text, &l);
    assert_string_equal(text, expected);
    series_free(&l);
}

static void test_titles(void **state) {
    (void)state;
    static const series_selection time = {.x = FIELD_L,
                                          .y = QUANTITY_TIME_PER_FRAME,
                                          .mode = "decode",
                                          .hold = FIELD_D | FIELD_H,
                                          .series = FIELD_TYPE | FIELD_DC | FIELD_HKV};
    series_selection bytes = time;
    bytes.y = QUANTITY_CACHE_BYTES;
    world fast = {0}, same = {0};
    fill(&fast, 0.3);
    title_is(&fast, title_decode, &time, "MLA 256 decodes in 0.15 of MHA's time at L = 4096");
    title_is(&fast, title_smallest, &bytes, "MLA 256 and GQA 2 keep 25% of MHA's bytes at L = 4096");
    report_data_free(&fast.data);
    fill(&same, 2);
    for (size_t i = 0; i < same.r.count; i++)
        if (!strcmp(same.cases[i].type, "gqa"))
            same.samples[i].cpu_time = same.samples[i].real_time = 3 * MS;
    report_data_free(&same.data);
    attn_error error = {0};
    assert_int_equal(report_data_init(&same.data, &same.r, &error), 0);
    title_is(&same, title_decode, &time, "No difference found between MLA 256 and MHA at L = 4096");
    end(&same);
}

/* Crossing lines: what neither wins is on neither side. */
static void test_crossing(void **state) {
    (void)state;
    const measured alone = {.processes = 1};
    series_point a_points[] = {{1, 1, 0.9, 1.1, &alone}, {2, 2, 1.8, 2.2, &alone}, {4, 4, 3.9, 4.1, &alone}};
    series_point b_points[] = {{1, 2, 1.9, 2.1, &alone}, {2, 2.1, 2, 2.2, &alone}, {4, 3, 2.9, 3.1, &alone}};
    const series_line a = {.count = 3, .points = a_points}, b = {.count = 3, .points = b_points};
    double to, from;
    title_crossing(&a, &b, &to, &from);
    assert_true(to == 1 && from == 4);
    title_crossing(&b, &a, &to, &from);
    assert_true(to == 4 && from == 1);
}

static void test_labels(void **state) {
    (void)state;
    end_label labels[] = {{1, "a", ""}, {0.99, "b", ""}, {0.5, "c", ""}, {0, "d", ""}, {0.01, "e", ""}};
    end_labels_spread(labels, 5, 0.1);
    assert_string_equal(labels[2].text, "c");
    assert_true(labels[2].y == 0.5);
    for (size_t i = 0; i < 5; i++)
        assert_true(labels[i].y >= 0 && labels[i].y <= 1);
    for (size_t i = 0; i + 1 < 5; i++)
        assert_true(labels[i + 1].y - labels[i].y > 0.0999);
    end_label many[] = {{0.5, "a", ""}, {0.5, "b", ""}, {0.5, "c", ""}};
    end_labels_spread(many, 3, 2); /* no room: as far apart as there is */
    assert_true(many[0].y < 0.01 && many[2].y > 0.99 && fabs(many[1].y - 0.5) < 0.01);
}

/* A straight relation is drawn as a straight line: on axes of two kinds it would look curved. */
static void test_axes(void **state) {
    (void)state;
    for (const plot *p = plots; p->name; p++)
        if (p->log_x != p->log_y)
            fail_msg("%s: one axis is logarithmic, the other is not", p->name);
}

/* Names of marks that are next to each other: none over another or over a mark; one without room is left out. */
static void test_names(void **state) {
    (void)state;
    name_map m = {0};
    name_place place;
    const spot marks[] = {{0.5, 0.5}, {0.51, 0.49}, {0.5, 0.53}, {0.9, 0.95}};
    for (size_t i = 0; i < 4; i++)
        name_map_mark(&m, marks[i]);
    name_map_line(&m, (spot){0, 0}, (spot){0.5, 0.5});
    for (size_t i = 0; i < 4; i++)
        assert_true(name_map_find(&m, &place, marks[i], 14, 13));
    assert_string_equal(place.side, "right"); /* no room on the other side */
    assert_int_equal(m.boxes, 8);
    for (size_t a = 4; a < m.boxes; a++)
        for (size_t b = 0; b < a; b++)
            assert_true(m.box[a].right <= m.box[b].left || m.box[b].right <= m.box[a].left ||
                        m.box[a].high <= m.box[b].low || m.box[b].high <= m.box[a].low);
    assert_false(name_map_find(&m, &place, marks[0], 90, 13));
}

/* Two figures with the same finding: what each shows is added. */
static void test_title_of_two(void **state) {
    (void)state;
    json_t *data = json_pack("{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}], s:{s:{s:s, s:s, s:s}}}", "some", "title",
                             "Same", "shows", "WER", "basis", "", "title", "Other", "shows", "WER", "basis",
                             "", "a", "b", "title", "Same", "shows", "loss", "basis", "");
    assert_int_equal(figure_titles_distinguish(data), 0);
    const json_t *some = json_object_get(data, "some");
    assert_string_equal(json_text(json_array_get(some, 0), "title"), "Same (WER)");
    assert_string_equal(json_text(json_array_get(some, 1), "title"), "Other");
    assert_string_equal(json_text(json_object_get(json_object_get(data, "a"), "b"), "title"), "Same (loss)");
    json_decref(data);
}

/* A point's mark is where gnuplot puts the point. */
static void test_marks(void **state) {
    (void)state;
    picture p = {.frame = frame_empty(400, 300, true, false)};
    frame_hold(&p.frame, 10, 4);
    frame_hold(&p.frame, 1000, 8);
    frame_hold(&p.frame, 0, 5); /* has no place on a logarithmic axis */
    frame_hold(&p.frame, NAN, 5);
    frame_close(&p.frame);
    assert_true(p.frame.x_least < 10 && p.frame.x_least > 5 && p.frame.y_least == 0 && p.frame.y_most > 8);
    assert_true(fabs(frame_x(&p.frame, 100) - 0.5) < 1e-12);
    picture_mark(&p, 100, 0, "middle of the axis");
    picture_mark(&p, 1e9, 0, "outside");
    assert_int_equal(json_array_size(p.marks), 1);
    const json_t *mark = json_array_get(p.marks, 0);
    double middle = (p.frame.left + 400 - p.frame.right) / 2;
    assert_true(fabs((double)json_integer_value(json_object_get(mark, "x")) - middle) <= 0.5);
    assert_int_equal(json_integer_value(json_object_get(mark, "y")), 300 - (int)p.frame.low);
    picture_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rivals),        cmocka_unit_test(test_no_rivals),
        cmocka_unit_test(test_answer),        cmocka_unit_test(test_no_difference),
        cmocka_unit_test(test_fastest_alike), cmocka_unit_test(test_titles),
        cmocka_unit_test(test_crossing),      cmocka_unit_test(test_labels),
        cmocka_unit_test(test_marks),         cmocka_unit_test(test_rounded),
        cmocka_unit_test(test_bargain),       cmocka_unit_test(test_trust),
        cmocka_unit_test(test_names),         cmocka_unit_test(test_title_of_two),
        cmocka_unit_test(test_axes),          cmocka_unit_test(test_checks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
