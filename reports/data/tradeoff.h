/* Trade-off curves: what `attnbench analyze --sweep` measured, a curve each. */
#ifndef REPORTS_DATA_TRADEOFF_H
#define REPORTS_DATA_TRADEOFF_H

#include "base/text/table.h"

enum { TRADEOFFS_MAX = 8 };

/* The points of one subject: whose weights they are. */
typedef struct tradeoff {
    char name[24]; /* of its files */
    text_table points;
    char *svg; /* for the page; NULL: not drawn */
} tradeoff;

typedef struct tradeoffs {
    size_t count;
    tradeoff of[TRADEOFFS_MAX];
} tradeoffs;

void tradeoff_name(char name[24], size_t index);

/* Adds the rows by their subjects, which `name` (for messages) must have in full. */
int tradeoffs_add(tradeoffs *t, const json_t *rows, const char *name, attn_error *error);
/* The same of a file that `analyze --sweep --format json` wrote. */
int tradeoffs_read(tradeoffs *t, const char *path, attn_error *error);
void tradeoffs_free(tradeoffs *t);

/* "Within 5% of the output down to 50% of MHA's cache (joint)": for a title. */
void tradeoff_title(char *text, size_t size, const tradeoff *t);

/* A sentence on where joint is exact, from the measured points; attn_free it. */
char *tradeoff_finding(const tradeoff *t, attn_error *error);

#endif
