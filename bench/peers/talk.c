#define _GNU_SOURCE /* sched_getaffinity, memfd_create */
#include "bench/peers/talk.h"

#include "base/status.h"
#include "base/text/utf8.h"
#include "bench/kind.h"
#include "bench/turns/turn_lines.h"

#include "attn/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 32, LINE = 256 };

static void descriptor_path(char path[PATH], int file) {
    snprintf(path, PATH, "/proc/self/fd/%d", file);
}

/* On the CPU that the harness has pinned this process to, and the next ones. Not pinned: on any. */
static child_place place_of(size_t threads) {
    cpu_set_t allowed;
    int cpu = -1;
    if (!sched_getaffinity(0, sizeof allowed, &allowed) && (size_t)CPU_COUNT(&allowed) <= threads)
        for (cpu = 0; !CPU_ISSET((size_t)cpu, &allowed);)
            cpu++;
    return (child_place){.cpu = cpu, .cpus = threads};
}

static int start(peer_talk *t, int file, int output, size_t threads, attn_error *error) {
    char in[PATH], out[PATH];
    descriptor_path(in, file);
    descriptor_path(out, output);
    char *script = bench_peer_script(t->peer, error), *python = attn_strdup(bench_peer_python(), error);
    const child_place place = place_of(threads);
    char *const words[] = {python, script, in, out, NULL};
    int result = script && python ? child_start(&t->child, words, &place, error) : -1;
    attn_free(script);
    attn_free(python);
    if (result)
        return -1;
    t->answers = fdopen(t->child.out, "r");
    if (!t->answers)
        return attn_fail(error, "%s: %s", t->peer->title, strerror(errno));
    t->child.out = -1; /* the stream's */
    return 0;
}

/* Ends the peer. The error is its last words, or `found` where it had none. */
static int has_failed(peer_talk *t, const char *found, attn_error *error) {
    child_result r;
    child_end(&t->child, &r);
    utf8_mend(r.message);
    attn_fail_as(error, r.status == STATUS_UNDECIDED ? ATTN_ERROR_UNSUPPORTED : ATTN_ERROR_INPUT, "%s: %s",
                 t->peer->title, *r.message ? r.message : found);
    return r.status == STATUS_UNDECIDED ? BENCH_UNSUPPORTED : -1;
}

static int await_ready(peer_talk *t, attn_error *error) {
    char line[LINE], expected[32];
    int length = snprintf(expected, sizeof expected, "ready %d ", BENCH_TURNS_ONE_CASE);
    if (!fgets(line, sizeof line, t->answers))
        return has_failed(t, "it ended before it was ready", error);
    if (strncmp(line, expected, (size_t)length))
        return has_failed(t, "it did not say that it is ready", error);
    line[strcspn(line, "\n")] = '\0';
    utf8_mend(line);
    snprintf(t->title, sizeof t->title, "%.*s", PEER_TITLE - 1, line + length);
    return 0;
}

static int read_output(const peer_talk *t, int file, float *out, size_t floats, attn_error *error) {
    struct stat status;
    size_t bytes = floats * sizeof *out, done = 0;
    if (fstat(file, &status) || (size_t)status.st_size != bytes)
        return attn_fail(error, "%s: gave %zu bytes of output, expected %zu", t->peer->title,
                         (size_t)status.st_size, bytes);
    while (done < bytes) {
        ssize_t n = pread(file, (char *)out + done, bytes - done, (off_t)done);
        if (!n || (n < 0 && errno != EINTR))
            return attn_fail(error, "%s: its output cannot be read: %s", t->peer->title, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int peer_talk_start(peer_talk *t, const bench_peer *peer, int file, size_t threads, float *out, size_t floats,
                    attn_error *error) {
    *t = (peer_talk){.peer = peer, .child = {.in = -1, .out = -1, .err = -1}};
    int output = memfd_create("output", 0);
    if (output < 0)
        return attn_fail(error, "%s: %s", peer->title, strerror(errno));
    int result = start(t, file, output, threads, error);
    if (!result)
        result = await_ready(t, error);
    if (!result)
        result = read_output(t, output, out, floats, error);
    close(output);
    return result;
}

int peer_talk_go(peer_talk *t, uint64_t iterations, bench_elapsed *took, attn_error *error) {
    char line[LINE];
    double ns, cpu_ns;
    int length = snprintf(line, sizeof line, "go %" PRIu64 "\n", iterations);
    if (!t->answers || send(t->child.in, line, (size_t)length, MSG_NOSIGNAL) != length ||
        !fgets(line, sizeof line, t->answers))
        return has_failed(t, "it ended in its turn", error);
    line[strcspn(line, "\n")] = '\0';
    if (!bench_turn_done(line, &ns, &cpu_ns))
        return has_failed(t, "it did not say how long its turn took", error);
    *took = (bench_elapsed){ns / 1e9, cpu_ns / 1e9};
    return 0;
}

void peer_talk_end(peer_talk *t) {
    child_result r;
    if (t->child.pid > 0)
        child_end(&t->child, &r);
    if (t->answers)
        fclose(t->answers);
    t->answers = NULL;
}
