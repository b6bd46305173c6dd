/* The side of the harness: starts a process under valgrind. */
#include "base/process/scratch.h"
#include "harness/counters/source/callgrind.h"
#include "harness/counters/source/callgrind_files.h"

#include "attn/alloc.h"
#include "attn/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 48, STACK_TOP = 16384 };

/* The path of valgrind; NULL without one. attn_free it. Debian's is a script around valgrind.bin, whose shell
 * would put the working folder into the environment. */
static char *find_valgrind(void) {
    static const char *const names[] = {"valgrind.bin", "valgrind"};
    const char *path = getenv("PATH");
    for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
        size_t length = strcspn(at, ":");
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char *file = attn_format(NULL, "%.*s/%s", (int)length, at, names[i]);
            if (file && length && !access(file, X_OK))
                return file;
            attn_free(file);
        }
        at += length + (at[length] == ':');
    }
    return NULL;
}

const char *callgrind_refusal(void) {
#if !__has_include(<valgrind/callgrind.h>)
    return "this attnbench was built without valgrind's headers (Debian: valgrind)";
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return "this attnbench was built with sanitizers, which do not run under valgrind";
#else
    char *valgrind = find_valgrind();
    attn_free(valgrind);
    return valgrind ? NULL : "valgrind is not installed (Debian: apt-get install valgrind)";
#endif
}

/* Valgrind knows no AVX-512, and takes a fused multiply-add apart: one that reads memory counts as a read for
 * every lane, and is simulated thirty times slower than the multiplication and the addition would be. So the
 * process does without. */
static const char kernels[] = "base";

static const char *core_type(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx") ? "Sandybridge" : "Nehalem";
#elif defined(__aarch64__)
    return "ARMV8";
#else
    return NULL;
#endif
}

/* Variables and words, made one by one; a failure is found at the end. */
typedef struct word_list {
    char *text[WORDS_MAX];
    size_t count;
    bool failed;
} word_list;

static void add(word_list *list, char *text) {
    list->failed |= !text || list->count + 1 >= WORDS_MAX;
    if (list->count + 1 < WORDS_MAX)
        list->text[list->count++] = text;
    else
        attn_free(text);
}

static void free_list(word_list *list) {
    for (size_t i = 0; i < list->count; i++)
        attn_free(list->text[i]);
}

static void keep_variable(word_list *list, const char *name) {
    const char *value = getenv(name);
    if (value)
        add(list, attn_format(NULL, "%s=%s", name, value));
}

static void make_environment(word_list *list) {
    static const char *const kept[] = {"PATH", "LD_LIBRARY_PATH", "VALGRIND_LIB", "ATTNBENCH_HOME",
                                       "ATTNBENCH_DELAY"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        keep_variable(list, kept[i]);
    add(list, attn_format(NULL, CALLGRIND_FILES "=out"));
    add(list, attn_format(NULL, "ATTN_CPU=%s", kernels));
    add(list, attn_format(NULL, "OPENBLAS_NUM_THREADS=1"));
    if (core_type())
        add(list, attn_format(NULL, "OPENBLAS_CORETYPE=%s", core_type()));
}

static size_t bytes_of(const word_list *list) {
    size_t bytes = 0;
    for (size_t i = 0; i < list->count; i++)
        bytes += (list->text[i] ? strlen(list->text[i]) + 1 : 0) + sizeof(char *);
    return bytes;
}

/* Words and variables stand above the stack: where that begins, and which lines of the simulated cache it
 * falls on, must not depend on how long the name of a folder is. */
static void pad(word_list *environment, const word_list *words, const char *program) {
    static const char name[] = "PADDING=";
    size_t used =
        bytes_of(environment) + bytes_of(words) + strlen(program) + 1 + sizeof name + sizeof(char *);
    add(environment, attn_format(NULL, "%s%*s", name, (int)(STACK_TOP - used % STACK_TOP), ""));
}

static void make_words(word_list *list, const char *program, const char *const *words) {
    static const char *const options[] = {"-q", "--tool=callgrind", "--instr-atstart=no", "--cache-sim=yes",
                                          "--branch-sim=yes"};
    add(list, find_valgrind());
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        add(list, attn_strdup(options[i], NULL));
    add(list, attn_format(NULL, "--I1=%d,%d,%d", CALLGRIND_L1_BYTES, CALLGRIND_L1_WAYS, CALLGRIND_LINE));
    add(list, attn_format(NULL, "--D1=%d,%d,%d", CALLGRIND_L1_BYTES, CALLGRIND_L1_WAYS, CALLGRIND_LINE));
    add(list, attn_format(NULL, "--LL=%d,%d,%d", CALLGRIND_LL_BYTES, CALLGRIND_LL_WAYS, CALLGRIND_LINE));
    add(list, attn_strdup("--callgrind-out-file=out", NULL));
    add(list, attn_strdup(program, NULL));
    for (size_t i = 0; words[i]; i++)
        add(list, attn_strdup(words[i], NULL));
}

int callgrind_run(child_result *result, const char *program, const char *const *words, int cpu, double limit,
                  attn_error *error) {
    word_list arguments = {0}, environment = {0};
    if (callgrind_refusal())
        return attn_fail(error, "%s", callgrind_refusal());
    char *folder = scratch_make(error);
    if (!folder)
        return -1;
    make_environment(&environment);
    make_words(&arguments, program, words);
    pad(&environment, &arguments, program);
    const child_place place = {.cpu = cpu, .limit = limit, .environment = environment.text, .folder = folder};
    int failed =
        arguments.failed || environment.failed
            ? attn_fail_as(error, ATTN_ERROR_MEMORY, "out of memory, or too long a command for valgrind")
            : child_run(result, arguments.text, &place, error);
    scratch_remove(folder);
    free_list(&arguments);
    free_list(&environment);
    attn_free(folder);
    return failed;
}

static void read_version(char *version, size_t size) {
    char *valgrind = find_valgrind(), *command = NULL;
    if (valgrind)
        command = attn_format(NULL, "'%s' --version 2>/dev/null", valgrind);
    FILE *stream = command && !strchr(valgrind, '\'') ? popen(command, "r") : NULL;
    if (!stream || !fgets(version, (int)size, stream))
        version[0] = '\0';
    version[strcspn(version, "\n")] = '\0';
    if (stream)
        pclose(stream);
    attn_free(command);
    attn_free(valgrind);
}

json_t *callgrind_json(void) {
    char version[64], caches[160];
    read_version(version, sizeof version);
    snprintf(caches, sizeof caches,
             "I1 and D1 %d KiB %d-way, last level %d MiB %d-way, lines of %d bytes, LRU, no prefetching",
             CALLGRIND_L1_BYTES >> 10, CALLGRIND_L1_WAYS, CALLGRIND_LL_BYTES >> 20, CALLGRIND_LL_WAYS,
             CALLGRIND_LINE);
    return json_pack(
        "{ss ss ss ss* ss}", "valgrind", version, "caches", caches, "isa", kernels, "blas_core", core_type(),
        "note",
        "simulated: one warm iteration on its own, in a process of its own; not with the kernels "
        "that were timed, as valgrind knows no AVX-512 and miscounts fused multiply-adds");
}
