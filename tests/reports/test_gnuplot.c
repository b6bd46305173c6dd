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

#define HEAD "#!/bin/sh\necho \"$2\" >>calls\nname=${2%.gp}\n"
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

static size_t calls(void) {
    size_t size, lines = 0;
    char *text = attn_read_file(scratch_path("calls"), 1000, &size, NULL);
    for (size_t i = 0; text && i < size; i++)
        lines += text[i] == '\n';
    attn_free(text);
    return lines;
}

static void test_draws(void **state) {
    (void)state;
    drawing d = {0};
    const char *folder = install(HEAD DRAW);
    json_t *marks = json_pack("[{s:i, s:i, s:s}]", "x", 3, "y", 4, "text", "a < b\ncase");
    char *svg = drawing_run_inline(&d, folder, "one", marks);
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

static void test_one_fails(void **state) {
    (void)state;
    drawing d = {0};
    const char *folder =
        install(HEAD "[ $name != bad ] || { echo first >&2; echo 'no such thing' >&2; exit 1; }\n" DRAW);
    assert_true(drawing_run(&d, folder, "one"));
    assert_false(drawing_run(&d, folder, "bad"));
    assert_true(drawing_run(&d, folder, "two"));
    assert_false(drawing_run(&d, folder, "bad"));
    assert_true(drawing_run(&d, folder, "three"));
    assert_true(d.drawn == 3 && d.undrawn == 2);
    assert_string_equal(d.why, "gnuplot bad.gp: no such thing");
}

static void test_all_fail(void **state) {
    (void)state;
    drawing d = {0};
    const char *folder = install(HEAD "exit 7\n");
    for (int i = 0; i < 5; i++)
        assert_false(drawing_run(&d, folder, "one"));
    assert_true(!d.drawn && d.undrawn == 5 && !d.missing);
    assert_int_equal(calls(), 2);
    assert_string_equal(d.why, "gnuplot one.gp: it failed without a word");
}

static void test_hangs(void **state) {
    (void)state;
    attn_error error = {0};
    const char *folder = install(HEAD "echo $$ >pid\nexec /bin/sleep 600\n");
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
        snprintf(script, sizeof script, "%sprintf '%s' >$name.page.svg\n", HEAD, pictures[i]);
        assert_null(drawing_run_inline(&d, install(script), "one", NULL));
        assert_true(!d.drawn && d.undrawn == 1);
        assert_string_equal(d.why, "one.page.svg: not what gnuplot writes");
    }
    drawing d = {0};
    const char *folder = install(HEAD);
    unlink(scratch_path("one.page.svg"));
    assert_null(drawing_run_inline(&d, folder, "one", NULL));
    assert_non_null(strstr(d.why, "one.page.svg: "));
}

static void test_missing(void **state) {
    (void)state;
    drawing d = {0};
    const char *folder = install(HEAD DRAW);
    unlink(scratch_path("gnuplot"));
    assert_false(drawing_run(&d, folder, "one"));
    assert_false(drawing_run(&d, folder, "two"));
    assert_true(d.missing && d.undrawn == 2);
    assert_string_equal(d.why, "gnuplot is not installed (Debian: gnuplot-nox)");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_draws),    cmocka_unit_test(test_one_fails),
                                       cmocka_unit_test(test_all_fail), cmocka_unit_test(test_hangs),
                                       cmocka_unit_test(test_rubbish),  cmocka_unit_test(test_missing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
