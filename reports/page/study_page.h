/* The page of a study. */
#ifndef REPORTS_PAGE_STUDY_PAGE_H
#define REPORTS_PAGE_STUDY_PAGE_H

#include "reports/plots/run/gnuplot.h"
#include "reports/study/study_data.h"

/* Writes OUT/index.html, tables and plots. A picture that cannot be drawn is no error (`pictures`). */
int study_page_make(study_data *d, const char *out, drawing *pictures, attn_error *error);

#endif
