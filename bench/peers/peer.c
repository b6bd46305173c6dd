#include "bench/peers/peer.h"

#include "base/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bench_peer bench_peers[] = {
#define PEER(name, ...) {#name, __VA_ARGS__},
#include "bench/peers/peers.inc"
#undef PEER
    {0}};

const char *const bench_impl_names[] = {ATTN_IMPL_NAMES,
#define PEER(name, ...) #name,
#include "bench/peers/peers.inc"
#undef PEER
                                        NULL};

const bench_peer *bench_peer_find(const char *name) {
    for (const bench_peer *peer = bench_peers; peer->name; peer++)
        if (!strcmp(peer->name, name))
            return peer;
    return NULL;
}

const bench_peer *bench_peer_of(const bench_case *c) {
    return c->impl_name ? bench_peer_find(c->impl_name) : NULL;
}

const char *bench_peer_python(void) {
    const char *own = getenv(BENCH_PYTHON_VARIABLE);
    return own && *own ? own : BENCH_PYTHON;
}

char *bench_peer_script(const bench_peer *peer, attn_error *error) {
    char relative[80];
    snprintf(relative, sizeof relative, "bench/peers/%s", peer->script);
    return home_path(relative, error);
}
