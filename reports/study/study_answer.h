/* What a study says on the first screen of a report: the recognition that a quarter of the cache costs. */
#ifndef REPORTS_STUDY_ANSWER_H
#define REPORTS_STUDY_ANSWER_H

#include "reports/study/study_data.h"

enum { STUDY_ANSWER = 700 };

/* "In recognition: .." and what it stands on: model, error rates, interval and paired test, speech and its amount. */
void study_answer(const study_data *d, char lead[STUDY_ANSWER], char text[STUDY_ANSWER]);

/* The first model's tuned row whose cache is nearest to a quarter of mha's, of alike ones the mla; NULL: there is none. */
const json_t *study_quarter(const study_data *d);

/* The error rate of the tuned row of that type whose cache is that share of mha's, to a percent of it; mha's is that of the
 * control, which trained as long. NaN without one. */
double study_wer_at(const study_data *d, const char *type, double share);

#endif
