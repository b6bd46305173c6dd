/* Fresh processes for measuring: pinned to one CPU, killed with their parent, their output collected. */
#ifndef HARNESS_RUN_CHILD_H
#define HARNESS_RUN_CHILD_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct child_result {
    int status;   /* exit status; -1 when a signal ended it */
    int signal;   /* that signal, or 0 */
    bool late;    /* it was still running at its limit, and was killed */
    char *output; /* all of stdout and a NUL; attn_free it */
    size_t size;
    char message[512]; /* the last line of stderr that says something, "" without one */
} child_result;

/* The CPU to pin to: `asked` when it is one of those that this process may use, or when `asked` is
 * negative the last of those of a fastest type. -1 and an error otherwise. */
int child_pick_cpu(int asked, attn_error *error);

/* From now on SIGINT, SIGTERM and SIGHUP stop the running child and the parent only takes note (unless they
 * were ignored). */
void child_catch_signals(void);
int child_stop_signal(void); /* the first of them that came, or 0 */

/* Runs argv[0] and waits for its end. -1 when it could not be started, or when a stop signal came (then there
 * is no result). A child that fails is a result. */
int child_run(child_result *result, char *const argv[], int cpu, attn_error *error);

/* Where and for how long a child runs. */
typedef struct child_place {
    int cpu;
    double limit;             /* seconds until it is killed; 0: none */
    char *const *environment; /* NULL: this process's */
    const char *folder;       /* to work in; NULL: this process's */
} child_place;

int child_run_in(child_result *result, char *const argv[], const child_place *place, attn_error *error);

#endif
