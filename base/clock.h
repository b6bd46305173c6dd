/* The time that passes, and the time that a thread runs. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_now(void);    /* seconds since some moment; never goes back */
double clock_thread(void); /* seconds that the calling thread has had a CPU */

#endif
