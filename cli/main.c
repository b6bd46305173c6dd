#include "cli/frame/command.h"
#include "harness/machine/blas.h"

#include "attn/cpu.h"
#include "build_info.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const command commands[] = {
#define COMMAND(identifier, name, summary) {name, summary, cmd_##identifier, 0},
#define MEASURING_COMMAND(identifier, name, summary) {name, summary, cmd_##identifier, 1},
#include "cli/commands.inc"
#undef MEASURING_COMMAND
#undef COMMAND
    {NULL, NULL, NULL, 0}};

static void print_help(FILE *stream) {
    fputs("attnbench: what each attention mechanism of a speech recogniser costs on this CPU,\n"
          "and what compressing its KV cache buys.\n\n"
          "Usage: attnbench COMMAND [OPTION...]\n\n",
          stream);
    for (size_t i = 0; commands[i].name; i++)
        fprintf(stream, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\nattnbench COMMAND --help, or attnbench help COMMAND, says more; --version names this build.\n"
          "Exit status: 0 fine; 1 a check failed; 2 bad usage or bad input; 3 undecided or not supported "
          "here.\n",
          stream);
}

/* Also a good result is a failure when it could not be written. A command that ends with STATUS_BAD_INPUT has
 * printed its one line already. */
static int flush_results(int status) {
    if (fflush(stdout) || ferror(stdout)) {
        if (status != STATUS_BAD_INPUT)
            fputs("attnbench: standard output cannot be written\n", stderr);
        return STATUS_BAD_INPUT;
    }
    return status;
}

static int run(const command *c, int argc, char **argv) {
    attn_error error = {0};
    if (attn_cpu_check(&error))
        return command_fail(c->name, &error);
    if (c->measures && blas_restart_if_needed(argv, &error))
        return command_fail(c->name, &error);
    return flush_results(c->run(argc - 1, argv + 1));
}

static const command *find(const char *name) {
    for (size_t i = 0; commands[i].name; i++)
        if (!strcmp(name, commands[i].name))
            return &commands[i];
    attn_error error = {0};
    attn_fail(&error, "%s: no such command (see attnbench --help)", name);
    fprintf(stderr, "attnbench: %s\n", error.message);
    return NULL;
}

static bool asks(const char *word, const char *option, const char *letter) {
    return !strcmp(word, option) || !strcmp(word, letter);
}

/* help, or help COMMAND: what COMMAND --help prints. */
static int help(int argc, char **argv) {
    static char option[] = "--help";
    if (argc == 2) {
        print_help(stdout);
        return flush_results(STATUS_OK);
    }
    const command *c = find(argv[2]);
    char *words[] = {argv[2], option, NULL};
    return c ? flush_results(c->run(2, words)) : STATUS_BAD_INPUT;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return STATUS_BAD_INPUT;
    }
    if (asks(argv[1], "--help", "-h") || !strcmp(argv[1], "help"))
        return help(argc, argv);
    if (asks(argv[1], "--version", "-V")) {
        puts("attnbench " BUILD_VERSION " (" BUILD_COMMIT ")");
        return flush_results(STATUS_OK);
    }
    const command *c = find(argv[1]);
    return c ? run(c, argc, argv) : STATUS_BAD_INPUT;
}
