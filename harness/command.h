/* The command line: what every command shares. */
#ifndef HARNESS_COMMAND_H
#define HARNESS_COMMAND_H

#include "attn/attention.h"
#include "attn/error.h"

#include <popt.h>

/* Exit statuses of every command. */
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_BAD_INPUT = 2, STATUS_UNDECIDED = 3 };

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
#include "harness/commands.inc"
#undef MEASURING_COMMAND
#undef COMMAND

/* Prints "attnbench COMMAND: message" to stderr and returns STATUS_BAD_INPUT. */
int command_fail(const char *name, const attn_error *error);

/* Parses options with popt. `table` is the command's own options, ended by POPT_TABLEEND; values land where
 * it points. `arguments` describes what follows the options ("" when nothing may). `rest` (may be NULL when
 * nothing may follow) gets the NULL-terminated remaining words, alive until the process ends. Returns 1 when
 * the command should go on; otherwise 0 and *status is what to return (help was printed, or usage was bad).
 */
int command_options(int argc, char **argv, const char *arguments, const char *description,
                    struct poptOption *table, const char *const **rest, int *status);

/* One of `choices` (NULL-terminated): its index, or -1 and an error naming the option and the choices. */
int command_choice(const char *option, const char *value, const char *const *choices, attn_error *error);

/* 0 when lowest <= value <= highest, else an error naming the option. */
int command_range(const char *option, long long value, long long lowest, long long highest,
                  attn_error *error);

/* 0 unless both paths name the same file: a result must not replace what it is made from, or another result.
 */
int command_distinct(const char *option, const char *path, const char *other_option, const char *other,
                     attn_error *error);

/* What --impl says: of attn_impl_names. Returns STATUS_OK; STATUS_BAD_INPUT when there is no such
 * implementation; STATUS_UNDECIDED when it needs instructions that this CPU has not. */
int command_impl(const char *value, attn_error *error);
#define COMMAND_IMPL_HELP                                                                                    \
    "auto, scalar, blas; or base, avx2, avx512: blas with our kernels held to that instruction set"

/* 0 unless --path says expand or absorb and the type has no latent to choose for. */
int command_path_applies(attn_path path, const attn_variant *variant, attn_error *error);

/* 0 when value is given, else an error saying that the option is needed. */
int command_needs(const char *option, const char *value, attn_error *error);

#endif
