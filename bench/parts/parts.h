/* The parts by which a case is timed and counted: those of a model, then those of its attention, as one list. */
#ifndef BENCH_PARTS_PARTS_H
#define BENCH_PARTS_PARTS_H

#include "attn/model.h"
#include "impl/attention/parts.h"

/* An attn_part, or ATTN_PARTS and an attn_inner. A part of attention is a part of ATTN_PART_ATTENTION too, so that
 * borders are those of the parts of attention and of the model's others. */
enum {
    BENCH_PARTS = ATTN_PARTS + ATTN_INNER_PARTS,
    BENCH_PART_REST = ATTN_PARTS + ATTN_INNER_REST,
    BENCH_PARTS_END = -1
};

const char *bench_part_name(int part); /* "feed_forward", "attention/core" */

/* The part of the model that it lies in; itself, where it is one. */
int bench_part_outer(int part);

/* Called when a part begins, with which the one before ends. */
typedef void bench_part_hook(void *context, int part);

/* Who watches a run. */
typedef struct bench_part_watch {
    bench_part_hook *hook; /* NULL: nobody */
    void *context;
    bool inner; /* its attention has markers too */
} bench_part_watch;

/* From here on the calling thread's attention is watched; until bench_parts_unwatch. */
void bench_parts_watch(bench_part_watch *watch);
void bench_parts_unwatch(void);

/* A part of the model begins: attention with its rest, where its parts are watched. */
void bench_parts_begin(const bench_part_watch *watch, attn_part part);

#endif
