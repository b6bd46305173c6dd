/* Rows of peers (bench/peers/peer.h) next to ours. */
#ifndef HARNESS_PLAN_PLAN_PEERS_H
#define HARNESS_PLAN_PLAN_PEERS_H

#include "harness/plan/plan.h"

/* After each row of a layer or an encoder by our fastest implementation, the same by every peer that is installed: what
 * no peer does (caches in other types than f32, cold ones) has no such row. Says on stderr which ones are there, and how
 * to install the others. */
int plan_add_peers(plan *p, attn_error *error);

#endif
