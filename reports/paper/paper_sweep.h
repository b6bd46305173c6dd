/* Trade-off curves at the published geometries. */
#ifndef REPORTS_PAPER_PAPER_SWEEP_H
#define REPORTS_PAPER_PAPER_SWEEP_H

#include "harness/conversion/study.h"

/* study_sweep_random for each published model's identified geometry. */
int paper_sweep(text_table *t, const study *s, attn_error *error);

#endif
