/* Results files of sweeps that may still be under way. */
#ifndef HARNESS_RESULTS_FINISHED_H
#define HARNESS_RESULTS_FINISHED_H

#include "harness/results/results.h"

/* results_read; a file that is not there while its journal is gives an error that says so. */
int results_read_finished(results *r, const char *path, attn_error *error);

#endif
