/* profile-kv --memory-fit: peak memory against the length of the audio, each length in a process of its own. */
#ifndef HARNESS_MODEL_MEMORY_FIT_H
#define HARNESS_MODEL_MEMORY_FIT_H

#include "base/text/table.h"
#include "harness/model/profile_plan.h"

enum { MEMORY_FIT_LENGTHS = 16 };

typedef struct memory_fit_point {
    double seconds; /* of audio, 10 ms a frame */
    size_t peak;    /* largest resident memory of the process */
    /* Allocated: weights; KV, convolution and subsampling caches; input and output. */
    size_t weights, caches, inout;
    double took; /* seconds of the run */
} memory_fit_point;

typedef struct memory_fit {
    size_t count;
    memory_fit_point point[MEMORY_FIT_LENGTHS];
    double base, slope; /* peak = base + slope * seconds, bytes, by least squares */
} memory_fit;

/* "60,120,300": ascending whole seconds, at least three of them. */
int memory_fit_lengths(memory_fit *fit, const char *text, attn_error *error);

/* Runs the model once at each length, on random features; one progress line a length on stderr. Lengths that are in
 * plan->steps are not run again, and those that are run are kept there. */
int memory_fit_run(memory_fit *fit, const char *config, const profile_plan *plan, attn_error *error);

/* Straight line through the points. */
void memory_fit_line(memory_fit *fit);
double memory_fit_residual(const memory_fit *fit, size_t i); /* bytes above the line */
size_t memory_fit_rest(const memory_fit *fit, size_t i);     /* peak less weights and caches */

/* What is promised: rest at most 1.5 GiB at every length, no point further from the line than 2% of the
 * largest peak. "" when it holds, else what does not. */
void memory_fit_verdict(const memory_fit *fit, char verdict[200]);

int memory_fit_print(const memory_fit *fit, const char *config, table_format format, FILE *stream,
                     attn_error *error);

#endif
