/* Kernels with known answers from caches, memory and TLBs. Private to known_kernels.c. */
#ifndef HARNESS_COUNTERS_VALIDATE_KNOWN_MEMORY_H
#define HARNESS_COUNTERS_VALIDATE_KNOWN_MEMORY_H

#include "harness/counters/validate/known_kernel.h"

extern const known_kernel known_kernel_read_l1, known_kernel_read_vectors, known_kernel_write_l1,
    known_kernel_stream_l2, known_kernel_stream_memory, known_kernel_chase_l1, known_kernel_chase_l2,
    known_kernel_chase_memory, known_kernel_chase_flushed, known_kernel_chase_pages;

#endif
