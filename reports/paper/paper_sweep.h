/* Trade-off curves at the published geometries. */
#ifndef REPORTS_PAPER_PAPER_SWEEP_H
#define REPORTS_PAPER_PAPER_SWEEP_H

#include "harness/conversion/analysis.h"

/* analysis_sweep_random for each published model's identified geometry. */
int paper_sweep(text_table *t, const analysis *s, attn_error *error);

#endif
