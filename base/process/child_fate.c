#include "base/process/child_fate.h"

#include <stdio.h>
#include <string.h>

void child_fate(char text[CHILD_FATE], const child_result *result) {
    if (result->signal)
        snprintf(text, CHILD_FATE, "was ended by signal %d (%s)", result->signal, strsignal(result->signal));
    else
        snprintf(text, CHILD_FATE, "ended with status %d", result->status);
}
