#include "bench/delay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WINDOWS = 15 }; /* the fastest counts */
static const double WINDOW_NS = 1e5;

int bench_delay_parse(bench_delay *delay, const char *text, attn_error *error) {
    static const struct {
        const char *word;
        bench_delay_unit unit;
    } units[] = {{"%", BENCH_DELAY_PERCENT}, {"ns", BENCH_DELAY_NS}, {"loops", BENCH_DELAY_LOOPS}};
    *delay = (bench_delay){0};
    if (!text || !*text)
        return 0;
    char *end = NULL, expression[256];
    const char *equals = strrchr(text, '=');
    double amount = equals ? strtod(equals + 1, &end) : NAN;
    bench_delay_unit unit = BENCH_DELAY_NONE;
    for (size_t i = 0; end && end > equals + 1 && i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].word))
            unit = units[i].unit;
    if (unit == BENCH_DELAY_NONE || !(amount >= 0 && amount <= 1e12) ||
        (size_t)(equals - text) >= sizeof expression)
        return attn_fail(error, BENCH_DELAY_VARIABLE "=%.80s: expected REGEX=NUMBER and one of %%, ns, loops",
                         text);
    memcpy(expression, text, (size_t)(equals - text));
    expression[equals - text] = '\0';
    if (regcomp(&delay->rows, expression, REG_EXTENDED | REG_NOSUB))
        return attn_fail(error,
                         BENCH_DELAY_VARIABLE "=%.80s: not a regular expression before the last =", text);
    delay->unit = unit;
    delay->amount = amount;
    return 0;
}

void bench_delay_free(bench_delay *delay) {
    if (delay->unit != BENCH_DELAY_NONE)
        regfree(&delay->rows);
    *delay = (bench_delay){0};
}

bool bench_delay_applies(const bench_delay *delay, const char *row) {
    return delay->unit != BENCH_DELAY_NONE && !regexec(&delay->rows, row, 0, NULL, 0);
}

void bench_delay_spin(uint64_t loops) {
    for (uint64_t i = loops; i; i--)
        __asm__ volatile("" : "+r"(i));
}

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void spin_thousand(void *state) {
    (void)state;
    bench_delay_spin(1000);
}

/* ns of one call, in one window. */
static double time_window(void (*run)(void *state), void *state) {
    double begin = now_ns(), end;
    size_t calls = 0;
    do {
        run(state);
        calls++;
        end = now_ns();
    } while (end - begin < WINDOW_NS);
    return (end - begin) / (double)calls;
}

/* Windows of both take turns, so that what else the machine does slows both; it only ever adds, and the
 * fastest of each have the least of it. */
uint64_t bench_delay_loops(const bench_delay *delay, void (*run)(void *state), void *state) {
    double row = INFINITY, loop = INFINITY;
    if (delay->unit == BENCH_DELAY_LOOPS)
        return (uint64_t)delay->amount;
    for (size_t i = 0; i < WINDOWS; i++) {
        row = fmin(row, time_window(run, state));
        loop = fmin(loop, time_window(spin_thousand, NULL) / 1000);
    }
    return (uint64_t)llround((delay->unit == BENCH_DELAY_NS ? delay->amount : row * delay->amount / 100) /
                             loop);
}
