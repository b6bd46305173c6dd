/* The command line: what every command shares. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "attn/error.h"
#include "base/options.h"
#include "base/status.h"

#include <popt.h>

/* A command gets argv[0] = its name and returns an exit status; results go to stdout, everything else to
 * stderr. */
typedef int command_function(int argc, char **argv);

typedef struct command {
    const char *name, *summary;
    command_function *run;
    int measures; /* restarts itself first when OpenBLAS picked slow kernels */
} command;

#define COMMAND(identifier, name, summary) command_function cmd_##identifier;
#define MEASURING_COMMAND COMMAND
#include "cli/commands.inc"
#undef MEASURING_COMMAND
#undef COMMAND

/* Prints "attnbench COMMAND: message" to stderr and returns STATUS_BAD_INPUT. */
int command_fail(const char *name, const attn_error *error);

/* Parses options with popt. `table` is the command's own options, ended by POPT_TABLEEND; values land where
 * it points. `arguments` describes what follows the options ("" when nothing may). `rest` (may be NULL when
 * nothing may follow) gets the NULL-terminated remaining words, alive until the process ends. Returns 1 when
 * the command should go on; otherwise 0, and *status is what to return: help was printed, or the usage was
 * wrong. */
int command_options(int argc, char **argv, const char *arguments, const char *description,
                    struct poptOption *table, const char *const **rest, int *status);

#endif
