/* --out R.json of a long command: its results as JSON, and until then a journal of its steps next to it. */
#ifndef CLI_FRAME_KEPT_STEPS_H
#define CLI_FRAME_KEPT_STEPS_H

#include "attn/error.h"
#include "harness/run/steps.h"

#include <stdint.h>
#include <stdio.h>

#define KEPT_STEPS_HELP                                                                                      \
    "also write the results as JSON into this file; what is finished is kept in R.json.journal, so that "    \
    "after a kill the same command goes on"

/* Of the words of a command line. */
uint64_t kept_steps_hash(int argc, char **argv);

/* steps_open, when `out` can be written. A note on stderr says how many steps are there already. */
int kept_steps_open(step_journal **steps, const char *command, const char *out, uint64_t work,
                    attn_error *error);

/* Writes `out` in one step and removes the journal. */
typedef int kept_steps_print(const void *results, FILE *stream, attn_error *error);
int kept_steps_write(step_journal *steps, const char *out, kept_steps_print *print, const void *results,
                     attn_error *error);

#endif
