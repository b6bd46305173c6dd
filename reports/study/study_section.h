/* A study's section: of its own page, and of the page of a report. */
#ifndef REPORTS_STUDY_STUDY_SECTION_H
#define REPORTS_STUDY_STUDY_SECTION_H

#include "reports/plots/run/gnuplot.h"
#include "reports/study/study_data.h"

/* Data for study.html: {plan, summary, heard, synthetic, size, facts, findings, figures, missing}; null without a study. */
json_t *study_page_data(const study_data *d, const drawing *pictures);

#endif
