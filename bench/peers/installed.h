/* Whether a peer is there. */
#ifndef BENCH_PEERS_INSTALLED_H
#define BENCH_PEERS_INSTALLED_H

#include "bench/peers/peer.h"

enum { BENCH_PEER_TEXT = 256 };

/* 1: installed, and `text` is its name and version; 0: not, and `text` says what is missing; -1: an error. */
int bench_peer_installed(char text[BENCH_PEER_TEXT], const bench_peer *peer, attn_error *error);

#endif
