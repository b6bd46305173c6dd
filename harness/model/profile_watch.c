#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "harness/model/profile_watch.h"

#include "base/clock.h"
#include "base/statistics/disturbed.h"

#include "attn/alloc.h"
#include "attn/size.h"

#include <string.h>
#include <sys/resource.h>

int profile_watch_reserve(profile_watch *watch, size_t frames, size_t runs, attn_error *error) {
    size_t more = watch->full_chunk ? frames / watch->full_chunk * runs : 0, need = watch->chunk_count + more;
    size_t room = attn_alloc_size(watch->chunks) / sizeof *watch->chunks;
    if (need <= room)
        return 0;
    double *grown =
        attn_realloc(watch->chunks, attn_larger(need, 2 * room), sizeof *grown, "times of chunks", error);
    if (!grown)
        return -1;
    watch->chunks = grown;
    return 0;
}

void profile_watch_free(profile_watch *watch) {
    attn_free(watch->chunks);
    *watch = (profile_watch){0};
}

static long major_faults(void) {
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_majflt;
}

void profile_watch_start(profile_watch *watch) {
    memset(watch->parts, 0, sizeof watch->parts);
    watch->part = ATTN_PART_OTHER;
    watch->first_chunk = 0;
    watch->faults_start = major_faults();
    watch->cpu_start = clock_thread();
    watch->start = watch->part_began = watch->chunk_began = clock_now();
}

void profile_watch_stop(profile_watch *watch) {
    double now = clock_now();
    watch->cpu = clock_thread() - watch->cpu_start;
    watch->parts[watch->part] += now - watch->part_began;
    watch->seconds = now - watch->start;
    watch->disturbed =
        is_disturbed(watch->seconds, watch->cpu, (double)(major_faults() - watch->faults_start));
    watch->start = 0;
}

void profile_watch_part(void *context, attn_part part) {
    profile_watch *watch = context;
    if (!(watch->start > 0))
        return;
    double now = clock_now();
    watch->parts[watch->part] += now - watch->part_began;
    watch->part_began = now;
    watch->part = part;
}

void profile_watch_chunk(void *context, size_t chunk, size_t frames_out) {
    profile_watch *watch = context;
    if (!(watch->start > 0))
        return;
    double now = clock_now();
    if (chunk == 0)
        watch->first_chunk = now - watch->start;
    if (watch->full_chunk && frames_out == watch->full_chunk)
        watch->chunks[watch->chunk_count++] = now - watch->chunk_began;
    watch->chunk_began = now;
}
