/* Running gnuplot, here a shell script of that name: one that draws, fails, hangs, writes rubbish or is missing. */
#include "reports/plots/run/gnuplot.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Does what follows for each picture that it is asked for, up to END. */
#define EACH                                                                                                 \
    "#!/bin/sh\necho \"$*\" >>calls\nfor word; do\nname=${word%.gp}\n[ $name != $word ] || continue\n"
#define END "done\n"
#define PICTURE                                                                                              \
    "<desc>d</desc><g id='a' stroke='rgb( 31,  95, 191)' fill=\\\"rgb(31,95,191)\\\"/><text "                \
    "fill=\\\"rgb(0,0,0)\\\"/></svg>"
#define DRAW "echo \"<?xml?><svg width='1' viewBox=\\\"0 0 1 1\\\">" PICTURE "\" >$name.page.svg\n"

/* Puts the script where PATH leads; it works in the scratch folder. */
static const char *install(const char *script) {
    const char *path = scratch_file("gnuplot", script, strlen(script));
    assert_int_equal(chmod(path, 0755), 0);
    unlink(scratch_path("calls"));
    const char *folder = scratch_path(".");
    setenv("PATH", folder, 1);
    return folder;
}

static char *calls(void) {
    char *text = attn_read_file(scratch_path("calls"), 10000, NULL, NULL);
    assert_non_null(text);
    return text;
}

static size_t call_count(void) {
    char *text = calls();
    size_t lines = 0;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    attn_free(text);
    return lines;
}

static char *draw_one(drawing *d, const char *folder, const json_t *marks) {
    char *svg = NULL;
    drawing_run(d, folder, &(drawing_job){"one", marks, &svg}, 1);
    return svg;
}

static void test_draws(void **state) {
    (void)state;
    drawing d = {0};
    const char *folder = install(EACH DRAW END);
    json_t *marks = json_pack("[{s:i, s:i, s:s}]", "x", 3, "y", 4, "text", "a < b\ncase");
    char *svg = draw_one(&d, folder, marks);
    assert_non_null(svg);
    assert_non_null(
        strstr(svg, "<svg viewBox=\"0 0 1 1\" role=\"img\" aria-labelledby=\"one-title\" "
                    "aria-describedby=\"one-about\"><g id='one_a' stroke='var(--c0)' fill=\"var(--c0)\"/>"
                    "<text fill=\"currentColor\"/><g class=\"marks\"><circle cx=\"3\" cy=\"4\" r=\"9\">"
                    "<title>a &lt; b&#10;case</title></circle></g></svg>"));
    json_decref(marks);
    assert_true(d.drawn == 1 && !d.undrawn && !*d.why);
    attn_free(svg);
}

/* Nothing of one picture may hold for the next. */
static void test_together(void **state) {
    (void)state;
    drawing d = {0};
    const char *folder = install(EACH DRAW END);
    char *svg[2] = {NULL};
    const drawing_job jobs[] = {{"one", NULL, &svg[0]}, {"two", NULL, NULL}, {"three", NULL, &svg[1]}};
    drawing_run(&d, folder, jobs, 3);
    char *text = calls();
    assert_int_equal(call_count(), 1);
    assert_non_null(strstr(text, "-d -e reset; "));
    assert_non_null(strstr(text, " one.gp -e reset; "));
    assert_non_null(strstr(text, " two.gp -e reset; "));
    assert_non_null(strstr(text, " three.gp\n"));
    assert_true(d.drawn == 3 && !d.undrawn);
    assert_non_null(strstr(svg[0], "one_a"));
    assert_non_null(strstr(svg[1], "three_a"));
    attn_free(svg[0]);
    attn_free(svg[1]);
    attn_free(text);
}

static void test_many(void **state) {
    (void)state;
    enum { MANY = 40 };
    drawing d = {0};
    drawing_job jobs[MANY];
    const char *folder = install(EACH END);
    for (size_t i = 0; i < MANY; i++)
        jobs[i] = (drawing_job){.name = "one"};
    drawing_run(&d, folder, jobs, MANY);
    assert_true(d.drawn == MANY && !d.undrawn);
    assert_int_equal(call_count(), 2);
}

static void test_one_fails(void **state) {
    (void)state;
    drawing d = {0};
    const char *folder =
        install(EACH "[ $name != bad ] || { echo first >&2; echo 'no such thing' >&2; exit 1; }\n" DRAW END);
    char *svg[5] = {NULL};
    const drawing_job jobs[] = {{"one", NULL, &svg[0]},
                                {"bad", NULL, &svg[1]},
                                {"two", NULL, &svg[2]},
                                {"bad", NULL, &svg[3]},
                                {"three", NULL, &svg[4]}};
    drawing_run(&d, folder, jobs, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(svg[i] != NULL, strcmp(jobs[i].name, "bad") != 0);
        attn_free(svg[i]);
    }
    assert_true(d.drawn == 3 && d.undrawn == 2);
    assert_string_equal(d.why, "gnuplot bad.gp: no such thing");
    assert_int_equal(call_count(), 6);
}

static void test_all_fail(void **state) {
    (void)state;
    drawing d = {0};
    const drawing_job jobs[] = {{.name = "one"}, {.name = "two"}, {.name = "three"}, {.name = "four"}};
    drawing_run(&d, install(EACH "exit 7\n" END), jobs, 4);
    assert_true(!d.drawn && d.undrawn == 4 && !d.missing);
    assert_int_equal(call_count(), 3); /* all, and two alone */
    assert_string_equal(d.why, "gnuplot one.gp: it failed without a word");
}

static void test_hangs(void **state) {
    (void)state;
    attn_error error = {0};
    const char *folder = install(EACH "echo $$ >pid\nexec /bin/sleep 600\n" END);
    assert_int_equal(gnuplot_run(folder, "one", 0.5, &error), GNUPLOT_FAILED);
    assert_string_equal(error.message, "gnuplot one.gp: it was not done after 0.5 s");
    char *pid = attn_read_file(scratch_path("pid"), 100, NULL, NULL);
    if (pid) { /* else the limit came before the script's first line */
        assert_int_equal(kill(atoi(pid), 0), -1);
        assert_int_equal(errno, ESRCH);
    }
    attn_free(pid);
}

static void test_rubbish(void **state) {
    (void)state;
    static const char *const pictures[] = {
        "",
        "rubbish",
        "<svg viewBox=\"0 0 1 1\"><g>",
        "<svg viewBox=\"0 0 1 1\"></svg><script>",
        "<svg viewBox=\"0 0 1 1\">\\377</svg>",
    };
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        drawing d = {0};
        char script[300];
        snprintf(script, sizeof script, "%sprintf '%s' >$name.page.svg\n%s", EACH, pictures[i], END);
        assert_null(draw_one(&d, install(script), NULL));
        assert_true(!d.drawn && d.undrawn == 1);
        assert_string_equal(d.why, "one.page.svg: not what gnuplot writes");
    }
    drawing d = {0};
    const char *folder = install(EACH END);
    unlink(scratch_path("one.page.svg"));
    assert_null(draw_one(&d, folder, NULL));
    assert_non_null(strstr(d.why, "one.page.svg: "));
}

static void test_missing(void **state) {
    (void)state;
    drawing d = {0};
    const drawing_job jobs[] = {{.name = "one"}, {.name = "two"}};
    const char *folder = install(EACH DRAW END);
    unlink(scratch_path("gnuplot"));
    drawing_run(&d, folder, jobs, 2);
    assert_true(d.missing && d.undrawn == 2);
    assert_string_equal(d.why, "gnuplot is not installed (Debian: gnuplot-nox)");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_draws),    cmocka_unit_test(test_together),
                                       cmocka_unit_test(test_many),     cmocka_unit_test(test_one_fails),
                                       cmocka_unit_test(test_all_fail), cmocka_unit_test(test_hangs),
                                       cmocka_unit_test(test_rubbish),  cmocka_unit_test(test_missing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
