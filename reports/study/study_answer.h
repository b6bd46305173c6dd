/* What a study says on the first screen of a report: the recognition that a quarter of the cache costs. */
#ifndef REPORTS_STUDY_ANSWER_H
#define REPORTS_STUDY_ANSWER_H

#include "reports/data/case_names.h"
#include "reports/study/study_data.h"

enum { STUDY_ANSWER = 700 };

/* "In recognition: .." and what it stands on: model, speech and its amount, both error rates, interval and paired test. */
void study_answer(const study_data *d, char lead[STUDY_ANSWER], char text[STUDY_ANSWER]);

/* The first model's tuned row whose cache is nearest to a quarter of mha's, of equal ones the mla; NULL: there is none. */
const json_t *study_quarter(const study_data *d);

/* Appends what that type loses in recognition with that share of mha's cache, tuned or else trained from scratch, and of
 * which model that is; nothing where the study lacks it. */
void study_price(char *text, size_t size, const study_data *d, const char *type, double share);

/* A small model of the study that stands for a type with a share of mha's cache. */
typedef struct study_small {
    double wer;  /* percent; NaN: the study has none */
    double mha;  /* of the mha that trained as much */
    bool tuned;  /* after conversion, as long as the quarter; else trained from scratch */
    bool shares; /* its cache has that share of mha's; else it is of a type whose state has one size */
    char name[CASE_NAME]; /* "GQA with 1 of 4 key/value heads" */
} study_small;

/* Tuned or else trained from scratch; mha's own is that of the control, which trained as long. */
study_small study_small_at(const study_data *d, const char *type, double share);

#endif
