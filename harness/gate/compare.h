/* Two stored results files, case by case. */
#ifndef HARNESS_GATE_COMPARE_H
#define HARNESS_GATE_COMPARE_H

#include "harness/gate/decide/decide.h"
#include "harness/gate/report/gate_report.h"
#include "harness/results/results.h"

/* Names and values of what differs and would change speeds by itself (CPU, BLAS and its core type, threads,
 * compiler, governor...), "" when nothing does. Returns how many fields differ. */
size_t compare_surroundings(char *text, size_t size, const results *base, const results *candidate);

/* Adds one row a case of either file. `scale` of the noise between processes; NaN: as seen in the differences
 * of all cases. `caution` (may be NULL) goes into every row. */
int compare_rows(gate_rows *rows, const results *base, const results *candidate, const gate_rule *rule,
                 double scale, const char *caution, attn_error *error);

/* The case's time in one process (single_time); NaN without samples or memory. */
double compare_case_time(const results_case *c, attn_error *error);

/* Fills in what the case reports, at that side. */
void compare_case_bytes(const results_case *c, double bytes[GATE_BYTE_COUNTS][2], size_t side);

#endif
