/* The time that passes. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_now(void); /* seconds since some moment; never goes back */

#endif
