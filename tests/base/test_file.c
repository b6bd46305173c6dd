/* Files written whole: what stands under their names before, in between and after. */
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[200];

static int new_folder(void **state) {
    static int nth;
    char name[32];
    attn_error error = {0};
    (void)state;
    snprintf(name, sizeof name, "file%d", nth++);
    snprintf(folder, sizeof folder, "%s", scratch_path(name));
    return attn_make_folder(folder, &error);
}

static const char *in(const char *name) {
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *path, const char *text) {
    attn_error error = {0};
    if (attn_write_file(path, text, strlen(text), &error))
        fail_msg("%s", error.message);
}

static void expect_text(const char *path, const char *text) {
    attn_error error = {0};
    char *bytes = attn_read_file(path, 100, NULL, &error);
    if (!bytes)
        fail_msg("%s", error.message);
    assert_string_equal(bytes, text);
    attn_free(bytes);
}

static void expect_link(const char *path) {
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

/* The file behind the link is replaced, through relative, absolute and several links, and made when it is not
 * there. */
static void test_links(void **state) {
    (void)state;
    attn_error error = {0};
    assert_int_equal(attn_make_folder(in("deep/er"), &error), 0);
    write_text(in("deep/real"), "old");
    assert_int_equal(symlink("../real", in("deep/er/relative")), 0);
    assert_int_equal(symlink(in("deep/er/relative"), in("absolute")), 0);
    assert_int_equal(symlink("deep/new", in("dangling")), 0);
    write_text(in("absolute"), "new");
    expect_text(in("deep/real"), "new");
    expect_link(in("absolute"));
    expect_link(in("deep/er/relative"));
    write_text(in("dangling"), "made");
    expect_text(in("deep/new"), "made");
    expect_link(in("dangling"));
}

/* What attn_make_folder would say, and nothing is made. */
static void test_folder_try(void **state) {
    (void)state;
    attn_error error = {0}, made = {0};
    assert_int_equal(attn_folder_try(folder, &error), 0);
    assert_int_equal(attn_folder_try(in("new/deep/er"), &error), 0);
    assert_int_equal(access(in("new"), F_OK), -1);
    assert_int_equal(attn_folder_try("new-in-here", &error), 0);
    write_text(in("file"), "");
    assert_int_equal(attn_folder_try(in("file"), &error), -1);
    assert_int_equal(attn_make_folder(in("file"), &made), -1);
    assert_string_equal(error.message, made.message);
    error = made = (attn_error){0};
    assert_int_equal(attn_folder_try(in("file/below/it"), &error), -1);
    assert_int_equal(attn_make_folder(in("file/below/it"), &made), -1);
    assert_string_equal(error.message, made.message);
}

/* Until commit the old bytes are there; after discard they still are, and nothing else is. */
static void test_half_written(void **state) {
    (void)state;
    attn_output output;
    attn_error error = {0};
    write_text(in("real"), "old");
    assert_int_equal(symlink("real", in("link")), 0);
    assert_int_equal(attn_output_open(&output, in("link"), &error), 0);
    fputs("half", output.stream);
    fflush(output.stream);
    expect_text(in("real"), "old");
    char *temporary = attn_strdup(output.temporary, NULL);
    assert_int_equal(access(temporary, F_OK), 0);
    attn_output_discard(&output);
    expect_text(in("link"), "old");
    assert_int_equal(access(temporary, F_OK), -1);
    attn_free(temporary);
}

/* As processes of two machines with the same number do in a shared folder. */
static void test_written_twice_at_once(void **state) {
    (void)state;
    attn_output first, second;
    attn_error error = {0};
    assert_int_equal(attn_output_open(&first, in("shared"), &error), 0);
    assert_int_equal(attn_output_open(&second, in("shared"), &error), 0);
    fputs("first", first.stream);
    fputs("second", second.stream);
    assert_int_equal(attn_output_commit(&first, &error), 0);
    expect_text(in("shared"), "first");
    assert_int_equal(attn_output_commit(&second, &error), 0);
    expect_text(in("shared"), "second");
}

static void test_refused(void **state) {
    (void)state;
    static const char *const names[] = {"loop", "to_folder", "to_nowhere"};
    attn_error error = {0};
    assert_int_equal(symlink("loop", in("loop")), 0);
    assert_int_equal(symlink(".", in("to_folder")), 0);
    assert_int_equal(symlink("missing/file", in("to_nowhere")), 0);
    for (size_t i = 0; i < 3; i++) {
        const char *path = in(names[i]);
        error = (attn_error){0};
        assert_int_equal(attn_write_file(path, "x", 1, &error), -1);
        assert_memory_equal(error.message, path, strlen(path));
        expect_link(path);
    }
}

/* A pipe behind a link is written to. */
static void test_pipe(void **state) {
    (void)state;
    int ends[2];
    char name[64], got[8] = "";
    assert_int_equal(pipe(ends), 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[1]);
    assert_int_equal(symlink(name, in("pipe")), 0);
    write_text(in("pipe"), "through");
    assert_int_equal(read(ends[0], got, sizeof got), 7);
    assert_string_equal(got, "through");
    close(ends[0]);
    close(ends[1]);
}

static int write_through_link(void *context, attn_error *error) {
    (void)context;
    int result = attn_write_file(in("link"), "new", 3, error);
    attn_alloc_fail_at(0);
    expect_text(in("real"), result ? "old" : "new");
    return result;
}

static void test_refused_memory(void **state) {
    (void)state;
    write_text(in("real"), "old");
    assert_int_equal(symlink("real", in("link")), 0);
    assert_true(refuse_each_allocation(write_through_link, NULL) >= 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_links, new_folder),
                                       cmocka_unit_test_setup(test_half_written, new_folder),
                                       cmocka_unit_test_setup(test_written_twice_at_once, new_folder),
                                       cmocka_unit_test_setup(test_refused, new_folder),
                                       cmocka_unit_test_setup(test_pipe, new_folder),
                                       cmocka_unit_test_setup(test_refused_memory, new_folder),
                                       cmocka_unit_test_setup(test_folder_try, new_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
