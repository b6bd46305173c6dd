/* One number and its interval from samples of several processes. Two processes of one program differ by where memory
 * and code came to lie and by what the machine did meanwhile, which samples within one process do not show. So each
 * process counts as one value, the median of its samples, and the interval is of the spread of those values
 * (Kalibera, Jones: Rigorous benchmarking in reasonable time, ISMM 2013: only the highest level that is repeated
 * gives the interval). */
#ifndef BASE_STATISTICS_PROCESSES_H
#define BASE_STATISTICS_PROCESSES_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct process_sample {
    double value; /* above 0 */
    size_t process;
} process_sample;

typedef struct process_summary {
    size_t processes;
    double median;    /* of the processes' medians */
    double low, high; /* around it */
    bool interval;    /* true: a 95% interval of the median; false: too few samples, so least and most */
} process_summary;

/* With six processes or more the interval is that of stats_median_interval over their values. With two to five,
 * which can't reach 95% that way, it is Student's over the logarithms of the values, taken for normal. Samples of one
 * process give stats_median_interval over the samples: an interval of that process and not of the next. NaN in, NaN
 * out; all NaN without samples. Sorts the samples by process and value. */
int process_summarize(process_summary *summary, process_sample *samples, size_t n, attn_error *error);

typedef struct process_range {
    double low, high;
    size_t processes; /* that it stands on; 0: not known, taken for one */
} process_range;

/* Whether two such numbers differ: their intervals do not meet. Of equal programs whose processes are normal at most 0.6%
 * of pairs do so by chance (simulated, 2 to 10 processes a side). The interval of a single process misses the spread of
 * processes: where either is such, the gap must be wider than both. */
bool process_apart(process_range a, process_range b);

#endif
