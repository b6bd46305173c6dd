/* The published table of results, and what a study measured for each of its cells. */
#ifndef REPORTS_STUDY_PUBLISHED_H
#define REPORTS_STUDY_PUBLISHED_H

#include "base/text/table.h"
#include "reports/study/study_data.h"

/* Adds a row a published row: its cells, and those of the study's model of that type. An mla is one at latent_dim =
 * d_model, half of mha's cache, fine-tuned where there is one. */
void study_published_rows(text_table *t, const study_data *d);

#endif
