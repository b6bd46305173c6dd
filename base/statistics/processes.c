#include "base/statistics/processes.h"

#include "base/statistics/stats.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double CONFIDENCE = 0.95;
enum { STUDENT_MOST = 5 };

static int by_process(const void *left, const void *right) {
    process_sample a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    if (a.process != b.process)
        return (a.process > b.process) - (a.process < b.process);
    if (isnan(a.value) || isnan(b.value))
        return isnan(a.value) - isnan(b.value);
    return (a.value > b.value) - (a.value < b.value);
}

/* Overwrites `values` from its front: the median of each process. */
static size_t take_medians(double *values, const process_sample *samples, size_t n) {
    size_t count = 0;
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && samples[to].process == samples[from].process; to++)
            values[to] = samples[to].value;
        values[count++] = stats_quantile(values + from, to - from, 0.5);
    }
    return count;
}

/* The 97.5% quantile of Student's t for n values, 2 to STUDENT_MOST: n - 1 degrees of freedom. */
static double student(size_t n) {
    static const double quantile[STUDENT_MOST + 1] = {NAN, NAN, 12.7062047, 4.3026527, 3.1824463, 2.7764451};
    return quantile[n];
}

static stats_interval student_interval(const double *values, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(values[i]);
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (log(values[i]) - mean) * (log(values[i]) - mean);
    double half = student(n) * sqrt(squares / (double)(n - 1) / (double)n);
    return (stats_interval){exp(mean - half), exp(mean + half), CONFIDENCE};
}

int process_summarize(process_summary *summary, process_sample *samples, size_t n, attn_error *error) {
    *summary = (process_summary){0, NAN, NAN, NAN, false};
    if (!n)
        return 0;
    double *values = attn_alloc(n, sizeof *values, "samples", error);
    if (!values)
        return -1;
    qsort(samples, n, sizeof *samples, by_process);
    size_t count = take_medians(values, samples, n), processes = count;
    if (processes == 1) {
        for (count = 0; count < n; count++)
            values[count] = samples[count].value;
    }
    stats_sort(values, count);
    stats_interval i = processes > 1 && processes <= STUDENT_MOST
                           ? student_interval(values, count)
                           : stats_median_interval(values, count, CONFIDENCE);
    bool interval = !isnan(i.low);
    *summary = (process_summary){.processes = processes,
                                 .median = stats_quantile(values, count, 0.5),
                                 .low = interval ? i.low : values[0],
                                 .high = interval ? i.high : values[count - 1],
                                 .interval = interval};
    attn_free(values);
    return 0;
}

bool process_apart(process_range a, process_range b) {
    double gap = fmax(a.low - b.high, b.low - a.high);
    if (a.processes > 1 && b.processes > 1)
        return gap > 0;
    return gap > fmax(a.high - a.low, b.high - b.low);
}
