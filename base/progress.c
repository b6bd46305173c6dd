#include "base/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR = 24 };

void progress_init(progress *p, size_t total, size_t done) {
    *p = (progress){total, done, done, clock_now(), isatty(STDERR_FILENO)};
}

void progress_time(char *text, size_t size, double seconds) {
    long s = (long)(seconds + 0.5);
    if (s < 60)
        snprintf(text, size, "%ld s", s);
    else if (s < 3600)
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

/* "" until a case of this run has shown how long one takes. */
static void time_left(const progress *p, char *text, size_t size) {
    char left[32];
    text[0] = '\0';
    if (p->done == p->first || p->done == p->total)
        return;
    double each = (clock_now() - p->began) / (double)(p->done - p->first);
    progress_time(left, sizeof left, each * (double)(p->total - p->done));
    snprintf(text, size, ", about %s left", left);
}

static size_t columns(void) {
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 20 ? size.ws_col : 80;
}

void progress_clear(const progress *p) {
    if (p->terminal)
        fputs("\r\033[K", stderr);
}

void progress_running(const progress *p, const char *row) {
    char bar[BAR + 1], left[64], line[512];
    if (!p->terminal)
        return;
    memset(bar, '.', BAR);
    memset(bar, '#', p->total ? BAR * p->done / p->total : 0);
    bar[BAR] = '\0';
    time_left(p, left, sizeof left);
    snprintf(line, sizeof line, "[%s] %zu/%zu%s  %s", bar, p->done, p->total, left, row);
    fprintf(stderr, "\r\033[K%.*s", (int)(columns() - 1), line);
    fflush(stderr);
}

void progress_done(progress *p, const char *row, const char *outcome) {
    char left[64];
    p->done++;
    if (p->terminal)
        return;
    time_left(p, left, sizeof left);
    fprintf(stderr, "[%zu/%zu] %s: %s%s\n", p->done, p->total, row, outcome, left);
}
