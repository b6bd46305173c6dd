/* The loop behind `attnbench bench --turns` (bench/turns/turn_lines.h). Private to bench/. */
#ifndef BENCH_TURNS_TURNS_H
#define BENCH_TURNS_TURNS_H

#include "bench/run.h"

/* Of the session's only case; without any, of those that the input names. -1: a line of the input is none of these. */
int bench_turns_run(bench_session *session, attn_error *error);

#endif
