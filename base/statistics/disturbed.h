/* Whether what was timed had to wait: for the CPU, which something else had, or for the disk. */
#ifndef BASE_STATISTICS_DISTURBED_H
#define BASE_STATISTICS_DISTURBED_H

#include <stdbool.h>

/* The share of the time that passed in which the work did not run: 0 to 1; NaN where one of them is.
 * `ran` is CPU time in the same unit. */
double lost_share(double passed, double ran);

/* Over 1% of the time lost, or a page read from disk. NaN is not disturbed. */
bool is_disturbed(double passed, double ran, double major_faults);

#endif
