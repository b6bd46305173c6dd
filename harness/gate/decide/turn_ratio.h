/* What a pair of processes that took turns says: pure functions. Turns go A B B A, A B B A, ..., so that whoever
 * goes first, and what drifts slowly, cancels within four turns. */
#ifndef HARNESS_GATE_DECIDE_TURN_RATIO_H
#define HARNESS_GATE_DECIDE_TURN_RATIO_H

#include "attn/error.h"

#include <stddef.h>

/* Turns of each side that make a window: of its fastest turn the time is taken, as what else the machine does comes
 * and goes and only ever adds. Fewer turns than TURNS_FOR_WIDE have windows of one A B B A. */
enum { TURNS_OF_WINDOW = 4, TURNS_OF_NARROW = 2, TURNS_FOR_WIDE = 16 };

/* Turns of each side between moves of data (bench/turns/move.h): two windows, one of which is compared with the other.
 * TURNS_OF_PAIR is the most that a pair has: more pairs say more than longer pairs, as noise that lasts as long as a pair
 * is in all of its turns. */
enum { TURNS_OF_LAYOUT = 2 * TURNS_OF_WINDOW, TURNS_OF_PAIR = 3 * TURNS_OF_LAYOUT };

/* time[side][turn] in ns: `turns` a side, an even number. *effect is the median over windows of ln(candidate / base);
 * *noise the same of one side against itself, each odd window of the base against the even one before it (NaN with
 * fewer than two windows). */
int turn_ratio(double *effect, double *noise, double *const time[2], size_t turns, attn_error *error);

/* The number of turns a side, of `turn` seconds each, in at most `seconds` of measuring: a multiple of four, at least
 * four. */
size_t turn_count(double seconds, double turn);

/* How long a turn is to be, of a plan whose repetitions take min_time: half of one, 0.1 to 2 ms. */
double turn_length(double min_time);

/* Iterations in a turn, one at least, of which each takes `ns`. */
unsigned long long turn_iterations(double turn, double ns);

#endif
