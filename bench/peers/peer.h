/* Peers: other programs that do the work of a case, impl:onnxruntime and impl:torch in its name, where they are
 * installed. Nothing is built with them, and each runs in a process of its own. */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include "bench/case.h"

/* The interpreter; without the variable Debian's, which sees Debian's torch. */
#define BENCH_PYTHON_VARIABLE "ATTNBENCH_PYTHON"
#define BENCH_PYTHON "/usr/bin/python3"

typedef struct bench_peer {
    const char *name, *title, *script, *install; /* peers.inc */
} bench_peer;

extern const bench_peer bench_peers[]; /* ended by a NULL name */

/* What impl: takes in a row: attn_impl_names, then the peers. NULL-terminated. */
extern const char *const bench_impl_names[];

const bench_peer *bench_peer_find(const char *name);                /* NULL: not a peer */
const bench_peer *bench_peer_of(const bench_case *c);               /* NULL: our own code runs the case */
const char *bench_peer_python(void);                                /* the interpreter */
char *bench_peer_script(const bench_peer *peer, attn_error *error); /* its path; attn_free it */

#endif
