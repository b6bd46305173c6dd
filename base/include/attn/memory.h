/* Memory is only mapped when it is written: asking for more than there is succeeds, and the kernel kills the
 * process half-way. Who is about to fill much of it asks here first. */
#ifndef ATTN_MEMORY_H
#define ATTN_MEMORY_H

#include "attn/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What this process may still take. */
typedef struct attn_memory {
    double available;  /* bytes; infinite when nothing says */
    const char *limit; /* what sets it: "free memory", "limit of the control group", "ulimit -v" */
} attn_memory;

/* The least of the kernel's MemAvailable, the control group's limit (v1 and v2, with those above it), and
 * RLIMIT_AS. `root` stands for "/" when reading /proc and /sys (tests; RLIMIT_AS is then left out); NULL is
 * the machine itself. */
attn_memory attn_memory_read(const char *root);

/* 0 when `bytes` more can be had, else an error that says what needs them. */
int attn_memory_check(double bytes, const char *what, attn_error *error);

#ifdef __cplusplus
}
#endif
#endif
