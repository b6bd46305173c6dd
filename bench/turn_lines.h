/* `attnbench bench --turns --case ROW`, a case measured in turns: the process stays alive and runs so many iterations when it is told to, so that two
 * programs can take turns on one CPU. Lines of text, version BENCH_TURNS_VERSION; `attnbench info --format json`
 * says which one a program speaks ("turns").
 *
 *   the program, set up, checked and warm:  ready 1
 *   told on standard input:                 go N       N iterations, from 1
 *   the program, when they are done:        done NS CPU_NS    nanoseconds that they took, and those on a CPU
 *   told:                                   quit, or the end of the input
 *
 * A program that cannot measure the case ends without `ready`: its message on stderr, and the exit status of
 * `attnbench bench`. */
#ifndef BENCH_TURN_LINES_H
#define BENCH_TURN_LINES_H

enum { BENCH_TURNS_VERSION = 1 };

#endif
