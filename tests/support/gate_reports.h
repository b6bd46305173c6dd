/* Reports of the gate, for tests of what is in them. */
#ifndef TESTS_SUPPORT_GATE_REPORTS_H
#define TESTS_SUPPORT_GATE_REPORTS_H

#include "harness/gate/report/gate_report.h"

#include <stdio.h>

/* What `write` writes; free() it. */
char *gate_written(void (*write)(const gate_report *report, FILE *to), const gate_report *report);

/* Frees it, and ends the test when anything is left. */
void gate_done(gate_report *report);

#endif
