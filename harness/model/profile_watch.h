/* Stopwatch of a session's runs: parts of the model, chunks, the time to the first output. */
#ifndef HARNESS_MODEL_PROFILE_WATCH_H
#define HARNESS_MODEL_PROFILE_WATCH_H

#include "attn/error.h"
#include "attn/model.h"

typedef struct profile_watch {
    /* Of the newest run. */
    double seconds, first_chunk;
    double cpu;               /* seconds that the calling thread had a CPU */
    bool disturbed;           /* base/statistics/disturbed.h */
    double parts[ATTN_PARTS]; /* they sum to `seconds`, but for what starting and stopping takes */
    /* Seconds of every full chunk of all timed runs; a shorter last one is left out. */
    size_t full_chunk; /* frames; 0: no stream */
    double *chunks;
    size_t chunk_count;
    /* While it runs. */
    double start, part_began, chunk_began, cpu_start;
    long faults_start;
    attn_part part;
} profile_watch;

/* Room for the chunks of `runs` more runs of `frames` frames after the input layer each: nothing is allocated
 * while the watch runs. */
int profile_watch_reserve(profile_watch *watch, size_t frames, size_t runs, attn_error *error);
void profile_watch_free(profile_watch *watch);

void profile_watch_start(profile_watch *watch);
void profile_watch_stop(profile_watch *watch);

/* The session's hooks; the context is the watch. Outside of start and stop they do nothing. */
void profile_watch_part(void *watch, attn_part part);
void profile_watch_chunk(void *watch, size_t chunk, size_t frames_out);

#endif
