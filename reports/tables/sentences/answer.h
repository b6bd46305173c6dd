/* The answer to the page's question, for a reader who knows no key: a few sentences, and what to know before trusting
 * them. */
#ifndef REPORTS_TABLES_SENTENCES_ANSWER_H
#define REPORTS_TABLES_SENTENCES_ANSWER_H

#include "reports/data/measured.h"

/* [{lead, text}]: the smallest cache, the fastest frame, a whole model and, by a study, recognition, each with what a
 * quarter of the cache does to it, as far as the data have it. NULL when memory is short. */
json_t *answer_list(const report_data *data);

/* {checked, machine, rest, line}: three parts of one line, and the line. The checks; the machine, its share of time lost
 * and its counters, short enough for a small screen; how far to trust it. NULL when memory is short. */
json_t *answer_trust(const report_data *data);

#endif
