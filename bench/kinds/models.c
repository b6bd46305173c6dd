#include "bench/kinds/models.h"

#include "bench/field.h"
#include "bench/peers/peer.h"

#include "attn/cpu.h"

#include <stdio.h>
#include <string.h>

enum { CHUNK_FRAMES = 16 }; /* of mode chunk, where the row does not say */

int models_read_mode(bench_case *c, const char *kind, const char *word, attn_error *error) {
    char known[128];
    c->where = bench_where_find(kind, word);
    if (!c->where) {
        bench_where_modes(known, sizeof known, kind);
        return attn_fail(error, "\"%s\": not a mode, expected one of %s", word, known);
    }
    snprintf(c->mode, sizeof c->mode, "%s", word);
    return 0;
}

int models_complete_queries(bench_case *c, attn_error *error) {
    bool decode = c->where & BENCH_DECODE;
    if (!c->queries)
        c->queries = c->where & BENCH_PREFILL ? c->keys : decode ? 1 : CHUNK_FRAMES;
    if (decode && c->queries != 1)
        return attn_fail(error, "q: found %zu, expected 1, as decode takes one frame (chunk takes more)",
                         c->queries);
    return 0;
}

static int complete_impl(bench_case *c, attn_error *error) {
    const char *asked = bench_impl_names[c->impl_choice];
    const bench_peer *peer = bench_peer_find(asked);
    c->impl = attn_impl_find(c->variant, peer ? "auto" : asked);
    if (!c->impl)
        return attn_fail(error, "impl: %s attention has no %s", c->variant->name, asked);
    for (unsigned i = 0; !strcmp(asked, "auto") && bench_impl_names[i]; i++)
        if (!strcmp(bench_impl_names[i], c->impl->name))
            c->impl_choice = i;
    c->impl_name = bench_impl_names[c->impl_choice];
    c->isa = attn_impl_isa(c->impl_name);
    return 0;
}

int models_complete(bench_case *c, attn_error *error) {
    attn_error inner = {0};
    if (attn_cache_type_check(c->variant, (attn_element)c->kv, &inner))
        return attn_fail(error, "kv: %s", inner.message);
    return complete_impl(c, error);
}

const char *models_impl_name(const bench_case *c) {
    return bench_peer_of(c) ? c->impl->name : c->impl_name;
}

bool models_marks_attention(const bench_case *c) {
    return strcmp(c->impl->name, "scalar") != 0;
}

static int impl_supported(const bench_case *c, attn_error *error) {
    attn_error inner = {0};
    if (!strcmp(c->impl_name, c->impl->name) || bench_peer_of(c) || !attn_cpu_has((attn_isa)c->isa, &inner))
        return 0;
    return attn_fail(error, "impl: %s", inner.message);
}

int models_supported(const bench_case *c, attn_error *error) {
    attn_error inner = {0};
    if (attn_impl_reads(c->impl, (attn_element)c->kv, &inner))
        return attn_fail(error, "kv: %s", inner.message);
    if (c->threads > 1 && !c->impl->shares)
        return attn_fail(error, "t: implementation %s of %s attention runs on one thread", c->impl->name,
                         c->variant->name);
    return impl_supported(c, error);
}
