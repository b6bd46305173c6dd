#include "impl/kernels/attend_shared.h"

#include "attn/size.h"
#include "attn/threads.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    SPLIT_ROWS = 256, /* the most whose keys are split: there is a context of each for every part */
    SPLIT_KEYS = ATTN_ATTEND_BLOCK, /* the fewest of a part, and where cuts are */
    BUSY_PERCENT = 85               /* of the threads' time: with less, tiles of rows are not enough */
};

typedef struct job {
    const attn_attend_heads *heads;
    float *workspace;
    size_t tiles;    /* of a call */
    size_t rows;     /* of a call */
    float *contexts; /* [parts, count rows, v_width] */
    float *partial;  /* [parts, count rows, 2] */
} job;

size_t attn_attend_shared_floats(size_t k_width, size_t v_width, size_t threads) {
    size_t own = attn_attend_floats(k_width, v_width);
    size_t split = threads > 1 ? attn_times(SPLIT_ROWS, attn_plus(v_width, 2)) : 0;
    return attn_times(threads, attn_plus(own, split));
}

static float *workspace_of(const job *j, size_t part) {
    const attn_attend_call *call = &j->heads->call;
    return j->workspace + part * attn_attend_floats(call->k_width, call->v_width);
}

static attn_attend_call call_of(const attn_attend_heads *heads, size_t i) {
    attn_attend_call call = heads->call;
    call.out += i * heads->out;
    call.q += i * heads->q;
    if (call.position)
        call.position += i * heads->position;
    call.k = (const char *)call.k + i * heads->k;
    call.v = (const char *)call.v + i * heads->v;
    return call;
}

/* A part has some of the tiles of all calls. */
static void attend_tiles(void *context, size_t part, size_t parts) {
    const job *j = context;
    attn_range range = attn_part_range(j->heads->count * j->tiles, 1, part, parts);
    for (size_t at = range.begin, end; at < range.end; at = end) {
        size_t first = at % j->tiles;
        attn_attend_call call = call_of(j->heads, at / j->tiles);
        end = attn_smaller(range.end, at - first + j->tiles);
        call.first_row = first * ATTN_ATTEND_TILE;
        call.rows = attn_smaller(j->rows - call.first_row, (end - at) * ATTN_ATTEND_TILE);
        attn_attend()->attend(&call, workspace_of(j, part));
    }
}

/* A part has some of the keys of all calls. */
static void attend_keys(void *context, size_t part, size_t parts) {
    const job *j = context;
    size_t width = j->heads->call.v_width, number = part * j->heads->count;
    attn_range range = attn_part_range(j->heads->call.keys, SPLIT_KEYS, part, parts);
    for (size_t i = 0; i < j->heads->count; i++) {
        attn_attend_call call = call_of(j->heads, i);
        if (call.position)
            call.position += range.begin;
        call.k = (const char *)call.k + range.begin * call.k_stride;
        call.v = (const char *)call.v + range.begin * call.v_stride;
        call.keys = range.end - range.begin;
        call.out = j->contexts + (number + i) * j->rows * width;
        call.out_strides = (attn_row_strides){.query = width, .head = call.queries * width};
        call.partial = j->partial + (number + i) * j->rows * 2;
        attn_attend()->attend(&call, workspace_of(j, part));
    }
}

/* out [width] of the partial contexts, `step` rows from part to part. */
static void merge(float *out, const float *contexts, const float *partial, size_t parts, size_t step,
                  size_t width) {
    float largest = -INFINITY, sum = 0.0f;
    for (size_t p = 0; p < parts; p++)
        if (partial[2 * p * step] > largest)
            largest = partial[2 * p * step];
    float shift = largest < -3e38f ? 0.0f : largest; /* -inf - -inf would be NaN */
    memset(out, 0, width * sizeof *out);
    for (size_t p = 0; p < parts; p++) {
        float factor = exp2f(partial[2 * p * step] - shift);
        sum += factor * partial[2 * p * step + 1];
        for (size_t c = 0; c < width; c++)
            out[c] += factor * contexts[p * step * width + c];
    }
    for (size_t c = 0; c < width; c++)
        out[c] /= sum;
}

static void merge_all(const job *j, size_t parts) {
    size_t width = j->heads->call.v_width, step = j->heads->count * j->rows;
    for (size_t i = 0; i < j->heads->count; i++) {
        attn_attend_call call = call_of(j->heads, i);
        for (size_t r = 0; r < j->rows; r++) {
            size_t query = r % call.queries, head = r / call.queries, at = i * j->rows + r;
            merge(call.out + head * call.out_strides.head + query * call.out_strides.query,
                  j->contexts + at * width, j->partial + at * 2, parts, step, width);
        }
    }
}

/* Whether tiles leave too many threads without work, so that it is better to split the keys. */
static bool splits_keys(const job *j, size_t parts) {
    size_t tiles = j->heads->count * j->tiles, each = (tiles + parts - 1) / parts;
    return parts > 1 && 100 * tiles < BUSY_PERCENT * each * parts &&
           j->heads->count * j->rows <= SPLIT_ROWS && j->heads->call.keys >= parts * SPLIT_KEYS;
}

void attn_attend_shared(const attn_attend_heads *heads, float *workspace) {
    size_t parts = attn_threads_in_use(), rows = heads->call.queries * heads->call.heads;
    job j = {.heads = heads,
             .workspace = workspace,
             .tiles = (rows + ATTN_ATTEND_TILE - 1) / ATTN_ATTEND_TILE,
             .rows = rows};
    j.contexts = workspace_of(&j, parts);
    j.partial = j.contexts + parts * SPLIT_ROWS * heads->call.v_width;
    if (!splits_keys(&j, parts)) {
        attn_share(attend_tiles, &j);
        return;
    }
    attn_share(attend_keys, &j);
    merge_all(&j, parts);
}
