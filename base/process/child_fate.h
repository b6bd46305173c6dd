/* How a process ended, in words. */
#ifndef BASE_PROCESS_CHILD_FATE_H
#define BASE_PROCESS_CHILD_FATE_H

#include "base/process/child.h"

enum { CHILD_FATE = 80 };

/* "was ended by signal 11 (Segmentation fault)" or "ended with status 7". */
void child_fate(char text[CHILD_FATE], const child_result *result);

#endif
