#include "harness/run/partner.h"

#include "base/clock.h"
#include "base/process/child_fate.h"
#include "base/text/utf8.h"
#include "bench/turns/turn_lines.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What its end says, over what was found out before. */
static int has_failed(partner *p, const char *found) {
    child_result r;
    char fate[CHILD_FATE];
    child_end(&p->talk, &r);
    child_fate(fate, &r);
    const char *said = measure_said(&r);
    if (p->late)
        snprintf(p->why, sizeof p->why, "%s", found);
    else if (*said)
        snprintf(p->why, sizeof p->why, "%.*s", (int)sizeof p->why - 1, said);
    else if (r.signal && r.signal != SIGKILL)
        snprintf(p->why, sizeof p->why, "the measuring process %s", fate);
    else
        snprintf(p->why, sizeof p->why, "%s", found);
    utf8_mend(p->why);
    return 1;
}

/* The next line, without its end; later ones stay in `text`. */
static int read_line(partner *p, char line[PARTNER_LINE], double end, attn_error *error) {
    for (char *stop; !(stop = memchr(p->text, '\n', p->used));) {
        struct pollfd polled = {p->talk.out, POLLIN, 0};
        int in_time = child_poll(&polled, 1, end, error);
        if (in_time < 0)
            return -1;
        p->late = !in_time;
        if (p->late)
            return has_failed(p, "the measuring process did not answer in its turn, and was ended");
        if (!polled.revents)
            continue;
        ssize_t n = read(p->talk.out, p->text + p->used, PARTNER_LINE - p->used);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            return has_failed(p, p->used == PARTNER_LINE ? "the measuring process babbles"
                                                         : "the measuring process ended in its turn");
        p->used += n > 0 ? (size_t)n : 0;
    }
    size_t length = (size_t)((char *)memchr(p->text, '\n', p->used) - p->text);
    memcpy(line, p->text, length);
    line[length] = '\0';
    p->used -= length + 1;
    memmove(p->text, p->text + length + 1, p->used);
    return 0;
}

int partner_start(partner *p, const bench_case *c, int version, const measure_settings *settings,
                  attn_error *error) {
    *p = (partner){.version = version};
    return measure_start_turns(&p->talk, c, version, settings, error);
}

static int say(partner *p, const char *order) {
    size_t length = strlen(order);
    return send(p->talk.in, order, length, MSG_NOSIGNAL) == (ssize_t)length
               ? 0
               : has_failed(p, "the measuring process ended in its turn");
}

int partner_ask(partner *p, const bench_case *c, const measure_settings *settings) {
    char order[BENCH_NAME_MAX + 48];
    if (p->version < 2)
        return 0;
    snprintf(order, sizeof order, "case %.0f %s\n", settings->output_hash, c->name);
    return say(p, order);
}

int partner_await(partner *p, double end, attn_error *error) {
    char line[PARTNER_LINE], expected[32];
    snprintf(expected, sizeof expected, "ready %d", p->version);
    int failed = read_line(p, line, end, error);
    if (failed || !strcmp(line, expected))
        return failed;
    return has_failed(p, "the measuring process did not say that it is ready for turns");
}

int partner_go(partner *p, partner_turn *turns, size_t count, unsigned long long iterations, double end,
               attn_error *error) {
    char order[64], line[PARTNER_LINE];
    if (p->version < 2)
        snprintf(order, sizeof order, "go %llu\n", iterations);
    else
        snprintf(order, sizeof order, "go %llu %zu\n", iterations, count);
    int failed = say(p, order);
    for (size_t i = 0; i < count && !failed; i++) {
        failed = read_line(p, line, end, error);
        if (!failed && !bench_turn_done(line, &turns[i].ns, &turns[i].cpu_ns))
            failed = has_failed(p, "the measuring process did not say how long its turn took");
    }
    return failed;
}

int partner_move(partner *p, double *bytes, double end, attn_error *error) {
    char line[PARTNER_LINE], more;
    int failed = say(p, "move\n");
    if (!failed)
        failed = read_line(p, line, end, error);
    if (!failed && sscanf(line, "moved %lf%c", bytes, &more) != 1)
        failed = has_failed(p, "the measuring process did not say what it moved");
    return failed;
}

void partner_end(partner *p) {
    child_result r;
    if (p->talk.pid > 0)
        child_end(&p->talk, &r);
}
