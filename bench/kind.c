#include "bench/kind.h"

#include "bench/field.h"

#include <stdio.h>

enum { CHUNK_FRAMES = 16 }; /* of mode chunk, where the row does not say */

const bench_kind_ops *const bench_kinds[] = {&bench_attention, &bench_encoder, &bench_machine, NULL};

const bench_kind_ops *bench_kind_of(const bench_case *c) {
    for (size_t i = 0; bench_kinds[i]; i++)
        if (bench_kinds[i]->kind == c->kind)
            return bench_kinds[i];
    return NULL;
}

int bench_mode_read(bench_case *c, const char *kind, const char *word, attn_error *error) {
    c->where = bench_where_find(kind, word);
    if (!c->where)
        return attn_fail(error, "\"%s\": not a mode, expected one of prefill, chunk, decode", word);
    snprintf(c->mode, sizeof c->mode, "%s", word);
    return 0;
}

int bench_queries_complete(bench_case *c, attn_error *error) {
    bool decode = c->where & BENCH_DECODE;
    if (!c->queries)
        c->queries = c->where & BENCH_PREFILL ? c->keys : decode ? 1 : CHUNK_FRAMES;
    if (decode && c->queries != 1)
        return attn_fail(error, "q: found %zu, expected 1, as decode takes one frame (chunk takes more)",
                         c->queries);
    return 0;
}
