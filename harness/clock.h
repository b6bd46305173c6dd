/* The time that passes. */
#ifndef HARNESS_CLOCK_H
#define HARNESS_CLOCK_H

double clock_now(void); /* seconds since some moment; never goes back */

#endif
