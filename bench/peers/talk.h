/* A peer at work: `python3 SCRIPT CASE OUTPUT` is handed a case as a safetensors file (bench/peers/tensors.h), writes
 * the float32 numbers of its output to OUTPUT, and then takes turns in the words of bench/turn_lines.h, but that `ready 1`
 * goes on with what it is: the peer, its version, and the form that it took. It leaves with status 3 and a reason on
 * stderr where it is not installed, or does not do the case. `python3 SCRIPT --version` prints its title. Private to
 * bench/. */
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

/* Starts the peer on `threads` CPUs with the file of this descriptor, and waits until it is ready; its output is then at
 * `out`, `floats` of it. 0, -1, or BENCH_UNSUPPORTED with the reason. Whatever comes back: peer_talk_end. */
int peer_talk_start(peer_talk *t, const bench_peer *peer, int file, size_t threads, float *out, size_t floats,
                    attn_error *error);

/* Runs iterations and says how long they took. */
int peer_talk_go(peer_talk *t, uint64_t iterations, bench_elapsed *took, attn_error *error);

void peer_talk_end(peer_talk *t); /* a zeroed one is fine */

#endif
