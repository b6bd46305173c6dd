/* Kernels with known answers: what a counter must read around them when it is right. */
#ifndef HARNESS_COUNTERS_VALIDATE_KNOWN_KERNELS_H
#define HARNESS_COUNTERS_VALIDATE_KNOWN_KERNELS_H

#include "harness/counters/validate/known_kernel.h"

/* The CPU that this runs on, under callgrind too. */
void known_cpu_read(known_cpu *cpu);

extern const known_kernel *const known_kernels[];
extern const size_t known_kernel_count;

void known_work_free(known_work *work);

#endif
