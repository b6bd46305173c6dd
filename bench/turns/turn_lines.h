/* The lines of `attnbench bench --turns`: the process stays alive and runs as many iterations as it is asked for, so
 * that two programs can alternate on one CPU. `attnbench info --format json` reports the version that a program speaks
 * ("turns"). One that speaks 2 speaks 1 too.
 *
 * Version 1, one case, `--case ROW` on the command line:
 *
 *   the program, set up, checked and warm:  ready 1
 *   asked on standard input:                go N              runs N iterations, at least 1: a turn
 *   the program, after the turn:            done NS CPU_NS    nanoseconds that it took, and those on a CPU
 *   asked:                                  quit, or the end of the input
 *
 * Version 2, without a case on the command line:
 *
 *   asked:                                  case HASH ROW     takes the place of the case before; HASH is that of
 *                                                             --checked-output
 *   the program, set up, checked and warm:  ready 2
 *   asked:                                  go N TURNS        runs TURNS turns, at least 1, of N iterations each;
 *                                                             `go N` runs one
 *   the program, after all of them:         done NS CPU_NS    a line for each turn
 *   asked:                                  move              moves the case's data to other pages
 *                                                             (bench/turns/move.h)
 *   the program:                            moved BYTES
 *
 * A program that cannot measure a case ends without `ready`, with a message on stderr and the exit status of
 * `attnbench bench`. */
#ifndef BENCH_TURNS_TURN_LINES_H
#define BENCH_TURNS_TURN_LINES_H

#include <stdbool.h>
#include <stdio.h>

/* The version of a program that takes one case, as peers do, and the newest. */
enum { BENCH_TURNS_ONE_CASE = 1, BENCH_TURNS_VERSION = 2 };

/* Whether the line, without its end, is a good `done`: its two numbers. */
static inline bool bench_turn_done(const char *line, double *ns, double *cpu_ns) {
    static const double most = 1e18;
    char more;
    return sscanf(line, "done %lf %lf%c", ns, cpu_ns, &more) == 2 && *ns > 0 && *ns < most && *cpu_ns >= 0 &&
           *cpu_ns < most;
}

#endif
