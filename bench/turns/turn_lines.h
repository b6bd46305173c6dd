/* `attnbench bench --turns`, cases measured by turns: the process stays alive and runs as many iterations as it is asked
 * for, so that two programs can alternate on one CPU. Lines of text; `attnbench info --format json` says which version
 * a program speaks ("turns"). One that speaks 2 speaks 1 too.
 *
 * Version 1, one case, `--case ROW` on the command line:
 *
 *   the program, set up, checked and warm:  ready 1
 *   asked on standard input:                go N              N iterations, from 1
 *   the program, when they are done:        done NS CPU_NS    nanoseconds that they took, and those on a CPU
 *   asked:                                  quit, or the end of the input
 *
 * Version 2, without a case on the command line:
 *
 *   asked:                                  case HASH ROW     in place of the case before; HASH as of --checked-output
 *   the program, set up, checked and warm:  ready 2
 *   asked:                                  go N TURNS        TURNS times N iterations; TURNS is from 1, and 1 where it
 *                                                             is left out
 *   the program:                            done NS CPU_NS    for each turn, all when the last is done
 *   asked:                                  move              data of the case to other pages (bench/turns/move.h)
 *   the program:                            moved BYTES
 *
 * A program that cannot measure the case ends without `ready`: its message on stderr, and the exit status of
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
