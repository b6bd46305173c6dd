/* A live process that measures cases by turns (bench/turns/turn_lines.h): it is asked for iterations, and reports how
 * long they took. */
#ifndef HARNESS_RUN_PARTNER_H
#define HARNESS_RUN_PARTNER_H

#include "base/process/child.h"
#include "harness/run/measure.h"

enum { PARTNER_LINE = 128 };

typedef struct partner {
    child_talk talk;
    int version;   /* of bench/turns/turn_lines.h */
    bool late;     /* it did not answer in time */
    char why[300]; /* when it has failed */
    size_t used;   /* of text */
    char text[PARTNER_LINE];
} partner;

typedef struct partner_turn {
    double ns;     /* of all iterations */
    double cpu_ns; /* of that on a CPU */
} partner_turn;

/* Starts it, with that version of bench/turns/turn_lines.h. -1: the program cannot be run, or memory is short. Needs
 * partner_end, after a failure too. */
int partner_start(partner *p, const bench_case *c, int version, const measure_settings *settings,
                  attn_error *error);

/* Asks a live one of version 2 for a case, of as many threads as it was started for; for one of version 1 nothing. The
 * settings' output_hash is of a check before. 0; 1 when it has ended (`why`). */
int partner_ask(partner *p, const bench_case *c, const measure_settings *settings);

/* Waits until the case is set up and checked: 0; 1 when it has failed (`why` says so); -1: a stop signal, or memory.
 * `end` is on clock_now(). */
int partner_await(partner *p, double end, attn_error *error);

/* `count` turns in a row, one in version 1; the same outcomes. */
int partner_go(partner *p, partner_turn *turns, size_t count, unsigned long long iterations, double end,
               attn_error *error);

/* Version 2: moves the data of the case to other pages of memory; the same outcomes. *bytes: how much was moved. */
int partner_move(partner *p, double *bytes, double end, attn_error *error);

void partner_end(partner *p); /* a zeroed one is fine too */

#endif
