/* What the harness puts around timed regions, and how numbers come out of them. */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include "bench/parts/parts.h"

#include <stdbool.h>
#include <stdint.h>

/* What brackets a timed region, once per repetition, and before that the warm-up; the harness supplies it
 * (counters live there). NULL members are fine. `cache_bytes_read` is how many bytes of the KV cache the region read, for
 * software-defined events. values() is called after stop and emits one number for each counter of this
 * repetition, per iteration; the bench adds them to Google Benchmark's output. Names that cannot be read here
 * are not emitted; the reasons go to Google Benchmark's context through describe(). */
typedef void bench_emit_number(void *to, const char *name, double value);
typedef void bench_emit_text(void *to, const char *key, const char *value);
typedef struct bench_probe {
    void *context;
    void (*start)(void *context);
    void (*stop)(void *context, uint64_t iterations, double cache_bytes_read);
    void (*values)(void *context, bench_emit_number *emit, void *to);
    void (*describe)(void *context, bench_emit_text *emit, void *to);
    /* One iteration of its own, before the timed ones, split by parts: called when a part begins, and with
     * BENCH_PARTS_END. values() emits each part's numbers as "PART.NAME". */
    void (*part)(void *context, int part);
    bool each; /* brackets every iteration alone; values() are the last one's */
} bench_probe;

#endif
