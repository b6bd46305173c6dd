/* A study from its plan to its page. */
#ifndef REPORTS_PAGE_STUDY_REPORT_H
#define REPORTS_PAGE_STUDY_REPORT_H

#include "harness/study/study.h"
#include "reports/plots/run/gnuplot.h"

/* Runs what is not done yet, and writes OUT/study.json, index.html, tables and plots. `s` is open. */
int study_report_make(study *s, const study_request *request, drawing *pictures, attn_error *error);

#endif
