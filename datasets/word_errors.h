/* Word and character error rates: the least edits that turn the reference into the hypothesis (Levenshtein
 * 1966), and how sure a rate is. */
#ifndef DATASETS_WORD_ERRORS_H
#define DATASETS_WORD_ERRORS_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct word_errors {
    size_t substitutions, deletions, insertions;
    size_t words; /* of the reference */
} word_errors;

static inline size_t word_errors_sum(const word_errors *e) {
    return e->substitutions + e->deletions + e->insertions;
}

/* By words, which spaces divide. Where ways of least edits tie, a substitution goes first. */
int word_errors_count(word_errors *e, const char *reference, const char *hypothesis, attn_error *error);

/* The same by characters (UTF-8 code points), a run of spaces between words being one. */
int character_errors_count(word_errors *e, const char *reference, const char *hypothesis, attn_error *error);

/* e += other */
void word_errors_add(word_errors *e, const word_errors *other);

/* 100 errors / words; NaN without words. May be above 100. */
double word_errors_percent(const word_errors *e);

/* 95% interval of the percentage: the bootstrap over utterances (Bisani and Ney 2004), whole utterances drawn
 * with replacement 1000 times, the 2.5% and 97.5% quantiles. The same seed, the same interval. NaN where there
 * are no words. */
int word_errors_interval(double low_high[2], const word_errors *utterances, size_t count, uint64_t seed,
                         attn_error *error);

#endif
