/* Reading context.attnbench.machines of a results file, and what entries say of it (harness/results/machines.h). */
#ifndef HARNESS_RESULTS_MACHINE_LIST_H
#define HARNESS_RESULTS_MACHINE_LIST_H

#include "attn/error.h"

#include <jansson.h>
#include <stddef.h>

/* `own` is context.attnbench. No list is fine. */
int machine_list_check(const json_t *own, const char *file, attn_error *error);

/* The "machine" of an entry, which it needs when there is a list; 0 without one. `where` it stands, for messages. */
int machine_list_read(size_t *machine, const json_t *own, const json_t *entry, const char *file,
                      const char *where, attn_error *error);

#endif
