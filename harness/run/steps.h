/* Steps of a long command that survive a kill, as the cases of a sweep do: OUT.journal has a line for whose they are and
 * one for each finished step, which is on the disk before the next one begins. It goes when OUT is there, whole. */
#ifndef HARNESS_RUN_STEPS_H
#define HARNESS_RUN_STEPS_H

#include "attn/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

typedef struct step_journal step_journal;

/* Opens OUT.journal for the work of that hash (of the command line, and of the state of its files); the program's commit
 * and the machine belong to it as well. Steps of other work there, and another process at it, are errors.
 * Steps whose lines were changed or damaged are as if they were not there. Close with steps_close. */
int steps_open(step_journal **j, const char *out, uint64_t work, attn_error *error);
void steps_close(step_journal *j); /* the journal stays; NULL is fine */

size_t steps_count(const step_journal *j); /* that were there when it was opened */

/* What a finished step left; NULL when it is not finished, and where j is NULL. */
const json_t *steps_find(const step_journal *j, const char *key);

/* The step (which it takes over; NULL: out of memory) is finished. A copy of this process may call it as well, when the
 * two do not do so at the same time. Without a journal (NULL) nothing is kept. */
int steps_add(step_journal *j, const char *key, json_t *step, attn_error *error);

/* All is written: removes the journal. */
int steps_finish(step_journal *j, attn_error *error);

#endif
