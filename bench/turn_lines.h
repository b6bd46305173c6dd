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

enum { BENCH_TURNS_VERSION = 1 };

#endif
