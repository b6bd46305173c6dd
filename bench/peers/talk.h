/* A peer at work: `python3 SCRIPT CASE OUTPUT` reads a case, a safetensors file (bench/peers/tensors.h), writes the
 * float32 numbers of its output to OUTPUT, and then runs the case when it is asked to, in the words of
 * bench/turns/turn_lines.h. After `ready 1` it prints its title: the peer, its version, and the form that it chose.
 * Where it is not installed, or does not do the case, it ends with status 3 and a reason on stderr.
 * `python3 SCRIPT --version` prints its title. Private to bench/. */
#ifndef BENCH_PEERS_TALK_H
#define BENCH_PEERS_TALK_H

#include "base/process/child.h"
#include "bench/kind.h"
#include "bench/peers/peer.h"

#include <stdint.h>
#include <stdio.h>

enum { PEER_TITLE = 120 };

typedef struct peer_talk {
    const bench_peer *peer;
    child_talk child;
    FILE *answers; /* of child.out */
    char title[PEER_TITLE];
} peer_talk;

/* Starts the peer on `threads` CPUs with the file of this descriptor, waits until it is ready, and reads its output, as
 * many as `floats` numbers, into `out`. Returns 0, or -1 or BENCH_UNSUPPORTED and an error. In any case call
 * peer_talk_end after it. */
int peer_talk_start(peer_talk *t, const bench_peer *peer, int file, size_t threads, float *out, size_t floats,
                    attn_error *error);

/* Lets the peer run iterations; *took is the time that it reports for them. Returns as peer_talk_start. */
int peer_talk_go(peer_talk *t, uint64_t iterations, bench_elapsed *took, attn_error *error);

void peer_talk_end(peer_talk *t); /* a zeroed one is fine */

#endif
