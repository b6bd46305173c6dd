/* `attnbench bench --turns --case ROW`, a case measured by turns: the process stays alive and runs as many iterations as
 * it is asked for, so that two programs can alternate on one CPU. Lines of text, version BENCH_TURNS_VERSION;
 * `attnbench info --format json` says which one a program speaks ("turns").
 *
 *   the program, set up, checked and warm:  ready 1
 *   asked on standard input:                go N              N iterations, from 1
 *   the program, when they are done:        done NS CPU_NS    nanoseconds that they took, and those on a CPU
 *   asked:                                  quit, or the end of the input
 *
 * A program that cannot measure the case ends without `ready`: its message on stderr, and the exit status of
 * `attnbench bench`. */
#ifndef BENCH_TURN_LINES_H
#define BENCH_TURN_LINES_H

#include <stdbool.h>
#include <stdio.h>

enum { BENCH_TURNS_VERSION = 1 };

/* Whether the line, without its end, is a good `done`: its two numbers. */
static inline bool bench_turn_done(const char *line, double *ns, double *cpu_ns) {
    static const double most = 1e18;
    char more;
    return sscanf(line, "done %lf %lf%c", ns, cpu_ns, &more) == 2 && *ns > 0 && *ns < most && *cpu_ns >= 0 &&
           *cpu_ns < most;
}

#endif
