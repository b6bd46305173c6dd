#include "bench/parts/parts.h"

static const char *const inner_names[ATTN_INNER_PARTS] = {
#define PART(id, text) "attention/" text,
#include "impl/attention/parts.inc"
#undef PART
};

const char *bench_part_name(int part) {
    return part < ATTN_PARTS ? attn_part_names[part] : inner_names[part - ATTN_PARTS];
}

int bench_part_outer(int part) {
    return part < ATTN_PARTS ? part : ATTN_PART_ATTENTION;
}

static void begin_inner(void *context, attn_inner part) {
    const bench_part_watch *watch = context;
    watch->hook(watch->context, ATTN_PARTS + (int)part);
}

void bench_parts_watch(bench_part_watch *watch) {
    if (watch->hook && watch->inner)
        attn_inner_watched = (attn_inner_watch){begin_inner, watch};
}

void bench_parts_unwatch(void) {
    attn_inner_watched = (attn_inner_watch){0};
}

void bench_parts_begin(const bench_part_watch *watch, attn_part part) {
    if (watch->hook)
        watch->hook(watch->context,
                    part == ATTN_PART_ATTENTION && watch->inner ? BENCH_PART_REST : (int)part);
}
