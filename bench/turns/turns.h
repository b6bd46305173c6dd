/* The loop behind `attnbench bench --turns` (bench/turns/turn_lines.h). Private to bench/. */
#ifndef BENCH_TURNS_TURNS_H
#define BENCH_TURNS_TURNS_H

#include "bench/run.h"

/* Takes the turns of the session's only case or, where it has none, of the cases that the input names. -1: a line of
 * the input is no order, names no case, or a turn failed. */
int bench_turns_run(bench_session *session, attn_error *error);

#endif
