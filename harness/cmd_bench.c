/* attnbench bench: the measuring process, with counters around its timed regions. */
#include "harness/command.h"
#include "harness/counters/counter_set.h"
#include "harness/home.h"

#include "attn/alloc.h"
#include "bench/bench.h"

#include <string.h>

/* --counters is ours; all the rest is bench_main's. Takes it out of argv and returns its value, NULL when it
 * has none. */
static const char *take_counters(int *argc, char **argv) {
    static const char option[] = "--counters";
    const char *word = "auto";
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        size_t length = strlen(option);
        if (strncmp(argv[i], option, length) || (argv[i][length] && argv[i][length] != '='))
            argv[kept++] = argv[i];
        else if (argv[i][length])
            word = argv[i] + length + 1;
        else
            word = ++i < *argc ? argv[i] : NULL;
    }
    *argc = kept;
    argv[kept] = NULL;
    return word;
}

int cmd_bench(int argc, char **argv) {
    attn_error error = {0};
    counter_set counters = {0};
    int status = -1;
    const char *word = take_counters(&argc, argv);
    char *cases = home_path("bench/cases.txt", &error);
    if (cases && !command_needs("--counters SOURCES", word, &error) &&
        command_choice("--counters", word, counter_source_words, &error) >= 0 &&
        !counter_set_open(&counters, counter_sources(word), &error)) {
        bench_probe probe = counter_set_probe(&counters);
        status = bench_main(argc, argv, cases, &probe);
    }
    counter_set_close(&counters);
    attn_free(cases);
    return status < 0 ? command_fail(argv[0], &error) : status;
}
