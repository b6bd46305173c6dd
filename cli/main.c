#include "cli/command.h"
#include "harness/machine/blas.h"

#include "attn/cpu.h"

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
    fputs("attnbench: what each attention mechanism of a speech recogniser costs on this CPU, and what "
          "compressing its\n"
          "KV cache buys.\n\nUsage: attnbench COMMAND [OPTION...]\n\n",
          stream);
    for (size_t i = 0; commands[i].name; i++)
        fprintf(stream, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\nattnbench COMMAND --help says more. Exit status: 0 fine; 1 a check failed; 2 bad usage or bad "
          "input;\n"
          "3 undecided or not supported here.\n",
          stream);
}

/* A result that could not be written is a failure even when the work went well. A command that ends with
 * STATUS_BAD_INPUT has said its one line already. */
static int flush_results(int status) {
    if (fflush(stdout) || ferror(stdout)) {
        if (status != STATUS_BAD_INPUT)
            fputs("attnbench: standard output cannot be written\n", stderr);
        return status == STATUS_OK ? STATUS_BAD_INPUT : status;
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

int main(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return STATUS_BAD_INPUT;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return flush_results(STATUS_OK);
    }
    for (size_t i = 0; commands[i].name; i++)
        if (!strcmp(argv[1], commands[i].name))
            return run(&commands[i], argc, argv);
    attn_error error = {0};
    attn_fail(&error, "%s: no such command (see attnbench --help)", argv[1]);
    fprintf(stderr, "attnbench: %s\n", error.message);
    return STATUS_BAD_INPUT;
}
