/* What a study says on the first screen of a report: the recognition that a quarter of the cache costs. */
#ifndef REPORTS_STUDY_ANSWER_H
#define REPORTS_STUDY_ANSWER_H

#include "reports/study/study_data.h"

enum { STUDY_ANSWER = 700 };

/* "In recognition: .." and what it stands on: model, speech and its amount, both error rates, interval and paired test. */
void study_answer(const study_data *d, char lead[STUDY_ANSWER], char text[STUDY_ANSWER]);

/* The first model's tuned row whose cache is nearest to a quarter of mha's, of equal ones the mla; NULL: there is none. */
const json_t *study_quarter(const study_data *d);

/* Appends what that type loses in recognition with that share of mha's cache, tuned or else trained from scratch; nothing
 * where the study lacks it. */
void study_price(char *text, size_t size, const study_data *d, const char *type, double share);

/* The error rate of the row of that type and share that was tuned as long as the quarter; mha's is that of the control,
 * which trained as long. NaN without one. */
double study_wer_at(const study_data *d, const char *type, double share);

#endif
