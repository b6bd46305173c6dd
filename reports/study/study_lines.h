/* The lines of a study's pictures: what belongs together, and how it looks. Private to study_*.c. */
#ifndef REPORTS_STUDY_LINES_H
#define REPORTS_STUDY_LINES_H

#include "reports/study/study_data.h"

enum { STUDY_LINES_MAX = 48 };

typedef struct study_line {
    const char *type, *origin;
    char title[64];
    double x[32], y[32], low[32], high[32]; /* low and high: NaN where there is no interval */
    size_t count;
    const char *kind; /* of a learning curve */
} study_line;

typedef struct study_lines {
    study_line at[STUDY_LINES_MAX];
    size_t count;
    double level[2]; /* of no_attention and without_attention; NaN: there is none */
} study_lines;

/* Models of that name by attention and origin, y against x (keys of their rows). */
void study_lines_of(study_lines *l, const study_data *d, const char *model, const char *x, const char *y);

/* Loss of the development split by epoch, mean over runs: of what begins from nothing, or of what is tuned. */
void study_curves_of(study_lines *l, const study_data *d, const char *model, bool tuned);

#endif
