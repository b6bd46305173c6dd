/* Moves data of a case to other pages of memory, at the same addresses. The pages decide which data compete for a
 * place in a cache. That costs a decode up to some per cent, and stays the same for the life of a process: one that
 * moves its data is measured in several layouts, where a fresh process for each costs ten times as much. */
#ifndef BENCH_TURNS_MOVE_H
#define BENCH_TURNS_MOVE_H

#include <stddef.h>

/* Copies all whole pages of attn_alloc's blocks, except of blocks in huge pages. The pages left are kept until
 * bench_move_forget, as the system would give them out again at once. Returns the bytes moved; 0 where there are none or
 * more than BENCH_MOVE_MOST (so much fills caches evenly wherever it lies), or where the system refuses. The process
 * must have no other thread: for a moment nothing is mapped where a block was. */
#define BENCH_MOVE_MOST ((size_t)8 << 20)
size_t bench_move(void);
void bench_move_forget(void);

/* The same for the program's own code. Its pages are those of the file, in one place as long as the system keeps them:
 * of two copies of a program one can be 1% slower, for hours. The pages left stay the file's. Does nothing where that
 * is not allowed. */
void bench_move_code(void);

#endif
