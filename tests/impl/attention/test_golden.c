/* Golden vectors: `attnbench forward` against what PyTorch computed (tests/golden/README.md). Each line of a
 * case's `runs` file is run with every implementation and, for the latent types, every evaluation order. The
 * command is called and no program started, which under sanitizers takes ten times as long.
 * Starts early. */
#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/file.h"
#include "attn/npy.h"
#include "cli/frame/command.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_TESTS = 4096, MAX_WORDS = 32, MAX_BATCH = 16, TEXT = 1 << 16 };
static const double tolerance = 1e-4; /* of the largest value of the utterance */

typedef struct golden {
    char folder[128], expected[64], arguments[160]; /* of attnbench forward */
} golden;

static struct CMUnitTest tests[MAX_TESTS];
static size_t test_count;
static char *output_path, *message_path;

static char *slurp(const char *folder, const char *name, char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, TEXT - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    return f ? text : NULL;
}

/* "17,9,1" to numbers; returns how many. */
static size_t parse_lengths(const char *text, size_t *lengths) {
    size_t n = 0;
    char *end;
    for (const char *at = text; n < MAX_BATCH; at = end + 1) {
        lengths[n++] = strtoul(at, &end, 10);
        if (*end != ',')
            break;
    }
    return n;
}

/* From now on what goes to the descriptor is written to the file; gives where it went before. */
static int redirect(FILE *stream, int descriptor, const char *path) {
    fflush(stream);
    int before = dup(descriptor), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(before >= 0 && file >= 0 && dup2(file, descriptor) == descriptor);
    close(file);
    return before;
}

static void restore(FILE *stream, int descriptor, int before) {
    fflush(stream);
    dup2(before, descriptor);
    close(before);
}

/* Runs `attnbench forward` on the case; its exit status, its stderr in message_path. */
static int run_forward(const golden *g) {
    char config[256], weights[256], input[256], arguments[160], text[TEXT], *words[MAX_WORDS];
    snprintf(config, sizeof config, "%s/config.yaml", g->folder);
    snprintf(weights, sizeof weights, "%s/weights.safetensors", g->folder);
    snprintf(input, sizeof input, "%s/input.npy", g->folder);
    char *fixed[] = {"forward", "--config", config,     "--weights", weights,
                     "--input", input,      "--output", output_path};
    size_t n = sizeof fixed / sizeof *fixed;
    memcpy(words, fixed, sizeof fixed);
    if (slurp(g->folder, "lengths", text)) {
        words[n++] = "--lengths";
        words[n++] = strtok(text, "\n");
    }
    snprintf(arguments, sizeof arguments, "%s", g->arguments);
    for (char *word = strtok(arguments, " "); word && n < MAX_WORDS - 1; word = strtok(NULL, " "))
        words[n++] = word;
    words[n] = NULL;
    remove(output_path);
    int out = redirect(stdout, 1, "/dev/null"), err = redirect(stderr, 2, message_path);
    int status = cmd_forward((int)n, words);
    restore(stdout, 1, out);
    restore(stderr, 2, err);
    return status;
}

static void check_frames(const golden *g, const attn_array *got, const attn_array *expected) {
    size_t batch = expected->dims[0], frames = expected->dims[1], width = expected->dims[2];
    size_t valid[MAX_BATCH];
    char text[TEXT];
    for (size_t b = 0; b < batch; b++)
        valid[b] = frames;
    if (slurp(g->folder, "output_lengths", text))
        assert_int_equal(parse_lengths(text, valid), batch);
    for (size_t b = 0; b < batch; b++) {
        for (size_t i = valid[b] * width; i < frames * width; i++)
            assert_true(got->data[b * frames * width + i] == 0); /* padding */
        const float *e = expected->data + b * frames * width;
        size_t n = valid[b] * width;
        double limit = tolerance * attn_compare(e, e, n, 0, 0).max_b;
        attn_difference d = attn_compare(got->data + b * frames * width, e, n, limit, 0);
        if (!d.ok)
            fail_msg("utterance %zu: off by %g (limit %g), first at frame %zu", b, d.max_abs, limit,
                     d.first_bad / width);
    }
}

static void test_case(void **state) {
    const golden *g = *state;
    char text[TEXT];
    attn_error error = {0};
    int status = run_forward(g);
    if (status != 0) {
        char *message = slurp("", message_path, text);
        if (!strncmp(g->folder, "tests/golden/encoder/", 21) &&
            strstr(message ? message : "", "not implemented"))
            skip();
        fail_msg("exit status %d: %s", status, message ? message : "");
    }
    attn_array got = {0}, expected = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/%s", g->folder, g->expected);
    if (attn_npy_read(&expected, path, &error) || attn_npy_read(&got, output_path, &error))
        fail_msg("%s", error.message);
    assert_int_equal(expected.rank, 3);
    assert_int_equal(got.rank, 3);
    assert_memory_equal(got.dims, expected.dims, 3 * sizeof *got.dims);
    check_frames(g, &got, &expected);
    attn_free(got.data);
    attn_free(expected.data);
}

static void add_test(const char *folder, const char *expected, const char *arguments, const char *more) {
    golden *g = calloc(1, sizeof *g);
    char *name = calloc(1, 320);
    if (!g || !name || test_count == MAX_TESTS)
        exit(1);
    snprintf(g->folder, sizeof g->folder, "%s", folder);
    snprintf(g->expected, sizeof g->expected, "%s", expected);
    snprintf(g->arguments, sizeof g->arguments, "%s %s", arguments, more);
    snprintf(name, 320, "%s %s", folder + strlen("tests/golden/"), g->arguments);
    tests[test_count++] = (struct CMUnitTest){name, test_case, NULL, NULL, g};
}

static void add_case(const char *folder) {
    static const char *const plain[] = {"--impl scalar", "--impl blas", NULL};
    static const char *const latent[] = {"--impl scalar --path expand", "--impl scalar --path absorb",
                                         "--impl blas --path expand",   "--impl blas --path absorb",
                                         "--impl blas --path auto",     NULL};
    static const char *const plain_typed[] = {"--impl scalar", NULL};
    static const char *const latent_typed[] = {"--impl scalar --path expand", "--impl scalar --path absorb",
                                               "--impl fused --path expand", "--impl fused --path absorb",
                                               NULL};
    char config[TEXT], runs[TEXT], *next = NULL;
    if (!slurp(folder, "config.yaml", config) || !slurp(folder, "runs", runs))
        return;
    bool is_latent = strstr(config, "attention_type: mla");
    for (char *line = strtok_r(runs, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        size_t name = strcspn(line, " ");
        const char *arguments = line[name] ? line + name + 1 : "";
        bool is_typed = strstr(arguments, "--kv-dtype");
        const char *const *variations = is_typed    ? is_latent ? latent_typed : plain_typed
                                        : is_latent ? latent
                                                    : plain;
        line[name] = '\0';
        add_test(folder, line, arguments, "");
        for (size_t i = 0; variations[i]; i++)
            add_test(folder, line, arguments, variations[i]);
    }
}

static void add_cases(const char *group) {
    struct dirent **entries;
    int n = scandir(group, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char folder[512];
        snprintf(folder, sizeof folder, "%s/%s", group, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            add_case(folder);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static void free_tests(void) {
    for (size_t i = 0; i < test_count; i++) {
        free((char *)tests[i].name);
        free(tests[i].initial_state);
    }
}

int main(void) {
    output_path = strdup(scratch_path("output.npy"));
    message_path = strdup(scratch_path("message.txt"));
    if (!output_path || !message_path)
        return 1;
    add_cases("tests/golden/attention");
    add_cases("tests/golden/encoder");
    if (!test_count) {
        fputs("no golden vectors below tests/golden (run from the project's folder)\n", stderr);
        return 1;
    }
    int failed = _cmocka_run_group_tests("golden", tests, test_count, NULL, NULL);
    free(output_path);
    free(message_path);
    free_tests();
    return failed != 0;
}
