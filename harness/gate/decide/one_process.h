/* Judging by one process a side, as stored results have them: how much a process differs from another of the
 * same program is then not seen in the difference itself and must come from elsewhere. */
#ifndef HARNESS_GATE_DECIDE_ONE_PROCESS_H
#define HARNESS_GATE_DECIDE_ONE_PROCESS_H

#include "harness/gate/decide/decide.h"

#include <stdbool.h>
#include <stddef.h>

/* The least number of differences that a scale is taken from. */
enum { SINGLE_LEAST = 8 };

/* The scale of noise with heavy tails (Student's t with 3 degrees of freedom) of which these differences are
 * typical; NaN for fewer than SINGLE_LEAST. Sorts them by size. */
double single_scale(double *differences, size_t n);

/* The scale of which `difference` is typical: half of all are smaller. */
double single_scale_of_typical(double difference);

/* How far noise of that scale reaches, for each of `cases`: beyond `seen` with the rule's alpha, shared by all, and beyond
 * `missed` with its beta. NaN for a scale of NaN. */
typedef struct single_noise {
    double seen, missed;
} single_noise;
single_noise single_noise_of(double scale, size_t cases, const gate_rule *rule);

/* Noise may be NaN: then nothing can be said. */
gate_finding single_judge(double effect, single_noise noise, const gate_rule *rule);

/* The median of times, of undisturbed repetitions where those are the most: a program that disturbs itself
 * (waits, or reads from disk) must not pass for one that does not. `times` is sorted. NaN without times. */
double single_time(double *times, const bool *disturbed, size_t n);

/* The median of samples, each the fastest of SAMPLE_OF repetitions in a row: what else the machine does comes
 * and goes within a process, and only ever adds. With fewer than SAMPLES_LEAST samples: single_time. Reorders
 * `times`. */
enum { SAMPLE_OF = 5, SAMPLES_LEAST = 3 };
double single_best_time(double *times, const bool *disturbed, size_t n);

#endif
