#include "harness/plan/plan_peers.h"

#include "bench/peers/installed.h"

#include "attn/alloc.h"

#include <stdio.h>
#include <string.h>

enum { PEERS_MAX = 8 };

typedef struct peers_here {
    const bench_peer *peer[PEERS_MAX];
    size_t count;
} peers_here;

static int find_peers(peers_here *here, attn_error *error) {
    char text[BENCH_PEER_TEXT];
    for (const bench_peer *peer = bench_peers; peer->name && here->count < PEERS_MAX; peer++) {
        int installed = bench_peer_installed(text, peer, error);
        if (installed < 0)
            return -1;
        if (installed) {
            here->peer[here->count++] = peer;
            fprintf(stderr, "peer: %s\n", text);
        } else
            fprintf(stderr, "peer: %s is not here (%s); to install it: %s\n", peer->title, text,
                    peer->install);
    }
    return 0;
}

/* Our fastest, and what peers do. */
static bool has_peers(const bench_case *c) {
    return (c->kind == BENCH_ATTENTION || c->kind == BENCH_ENCODER) && c->kv == ATTN_ELEMENT_F32 &&
           c->cache == BENCH_WARM && c->impl == attn_impl_find(c->variant, "auto") &&
           !strcmp(c->impl_name, c->impl->name);
}

static int add_peer_row(plan *to, json_t *seen, const bench_case *c, const bench_peer *peer,
                        attn_error *error) {
    char row[BENCH_NAME_MAX + 32], ours[64];
    snprintf(ours, sizeof ours, "/impl:%s", c->impl_name);
    const char *at = strstr(c->name, ours);
    if (!at)
        return attn_fail(error, "%s: its name has no %s", c->name, ours + 1);
    snprintf(row, sizeof row, "%.*s/impl:%s%s", (int)(at - c->name), c->name, peer->name, at + strlen(ours));
    return plan_add_row(to, seen, row, plan_own_rounds(to, c->name), error);
}

static int add_rows(plan *to, const plan *p, const peers_here *here, attn_error *error) {
    json_t *seen = json_object();
    int result = seen ? 0 : attn_no_memory(error, "rows of the plan");
    for (size_t i = 0; i < p->count && !result; i++) {
        const bench_case *c = &p->rows[i];
        result = plan_add_row(to, seen, c->name, 0, error);
        for (size_t k = 0; k < here->count && !result && has_peers(c); k++)
            result = add_peer_row(to, seen, c, here->peer[k], error);
    }
    json_decref(seen);
    return result;
}

int plan_add_peers(plan *p, attn_error *error) {
    peers_here here = {.count = 0};
    plan more = *p;
    if (find_peers(&here, error))
        return -1;
    more.rows = NULL;
    more.count = 0;
    if (add_rows(&more, p, &here, error)) {
        attn_free(more.rows);
        return -1;
    }
    attn_free(p->rows);
    *p = more;
    return 0;
}
