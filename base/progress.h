/* How far a sweep is: a bar that redraws itself on a terminal, plain lines elsewhere. Goes to stderr. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct progress {
    size_t total, done, first; /* first: done before this run, so that they do not count for the time left */
    double began;
    bool terminal;
} progress;

void progress_init(progress *p, size_t total, size_t done);

/* The case that runs now. */
void progress_running(const progress *p, const char *row);

/* One case more is done; `outcome` says how it went in a few words. */
void progress_done(progress *p, const char *row, const char *outcome);

/* Clears the bar, so that a message may follow. */
void progress_clear(const progress *p);

/* "12 s", "3:04", "1:02:03": seconds for people. */
void progress_time(char *text, size_t size, double seconds);

#endif
