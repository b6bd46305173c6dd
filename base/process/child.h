/* Fresh processes for measuring: pinned to one CPU, killed with their parent or when their time is up, then with all
 * that they started; their output collected. */
#ifndef BASE_PROCESS_CHILD_H
#define BASE_PROCESS_CHILD_H

#include "attn/error.h"

#include <jansson.h>
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

/* Where and for how long a child runs. One that waits for memory would wait for ever, so that all of them have a
 * limit. */
enum { CHILD_LIMIT = 1800 };

/* Where its stderr goes: of most only the last line is of interest. */
typedef enum child_errors { CHILD_LAST_LINE, CHILD_TO_OUTPUT, CHILD_SHOWN } child_errors;

typedef struct child_place {
    int cpu;                  /* negative: not pinned */
    size_t cpus;              /* how many CPUs it may use: `cpu` and the next ones of this process; 0 is 1 */
    double limit;             /* seconds until it is killed; 0: CHILD_LIMIT */
    char *const *environment; /* NULL: this process's */
    const char *folder;       /* to work in; NULL: this process's */
    child_errors errors;
} child_place;

/* Runs argv[0], looked up in PATH when it has no slash, and waits for its end. -1 when it could not be started
 * (ATTN_ERROR_UNSUPPORTED: there is no such program), or when a stop signal came (ATTN_ERROR_STOPPED). A child
 * that fails is a result. */
int child_run(child_result *result, char *const argv[], const child_place *place, attn_error *error);

/* The same for a copy of this process that runs work(context): what that writes to the descriptor of standard
 * output is the output, and what it returns the status. */
typedef int child_work(void *context);
int child_call(child_result *result, child_work *work, void *context, const child_place *place,
               attn_error *error);

/* A child that lives on and is talked to: written to at `in`, read at `out`. */
typedef struct child_talk {
    int pid;          /* 0: none */
    int in, out, err; /* -1: none */
} child_talk;

/* The place's limit and its errors play no part: stderr goes to `err`. */
int child_start(child_talk *talk, char *const argv[], const child_place *place, attn_error *error);

/* The same for a copy of this process that runs work(context). */
int child_start_call(child_talk *talk, child_work *work, void *context, const child_place *place,
                     attn_error *error);

/* Kills a child that still runs; the result has no output. */
void child_end(child_talk *talk, child_result *result);

/* Polls until the time `end` of clock_now(): 1; 0 when that is over; -1, too, when a stop signal came. */
struct pollfd;
int child_poll(struct pollfd *polled, size_t count, double end, attn_error *error);

/* Runs a program that prints JSON: *reply, NULL when it printed none or its status is not 0. The result's output
 * is freed. */
int child_json(json_t **reply, child_result *result, char *const argv[], const child_place *place,
               attn_error *error);

#endif
