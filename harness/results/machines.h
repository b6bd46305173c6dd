/* The machines of a results file. A sweep's file has one; `attnbench merge` keeps those of its shards in
 * context.attnbench.machines, and each entry has its "machine", a number in that list. */
#ifndef HARNESS_RESULTS_MACHINES_H
#define HARNESS_RESULTS_MACHINES_H

#include "harness/results/results.h"

size_t results_machines(const results *r);

/* Like a results file's context: "host_name", "attnbench": {"machine", "blas", "fingerprint"}. */
const json_t *results_machine(const results *r, size_t i);

/* Machines whose speeds may not be compared: how many kinds (fingerprints) there are, and the CPUs of each as a list,
 * "A, B". */
size_t results_kinds(char *text, size_t size, const results *r);

/* The number of the first machine that is of the same kind as machine i. */
size_t results_kind_of(const results *r, size_t i);

/* The same file with the results of the kind of machine i alone, under its context. Free with results_free. */
int results_of_kind(results *part, const results *r, size_t i, const char *name, attn_error *error);

#endif
