/* The lines of a study's pictures: what belongs together. Private to study_*.c. */
#ifndef REPORTS_STUDY_PICTURES_STUDY_LINES_H
#define REPORTS_STUDY_PICTURES_STUDY_LINES_H

#include "reports/study/study_data.h"

enum { STUDY_LINES_MAX = 48, STUDY_POINTS_MAX = 32 };

/* How models came about, as far as a picture shows it: those of one group are compared with each other. */
typedef enum study_group { STUDY_SCRATCH, STUDY_CONVERTED, STUDY_TUNED, STUDY_GROUPS } study_group;
extern const char *const study_group_names[STUDY_GROUPS]; /* "from scratch" */

/* False where the row belongs to none: a model without attention. */
bool study_group_of(study_group *group, const json_t *row);

typedef struct study_line {
    const char *type, *origin;
    study_group group;
    char title[64]; /* "MLA", "MLA in steps", "MLA tuned"; of a learning curve "MLA 256" */
    double x[STUDY_POINTS_MAX], y[STUDY_POINTS_MAX];
    double low[STUDY_POINTS_MAX], high[STUDY_POINTS_MAX]; /* NaN where there is no interval */
    const json_t *row[STUDY_POINTS_MAX];
    size_t count;
} study_line;

typedef struct study_lines {
    study_line at[STUDY_LINES_MAX];
    size_t count;
    double level[2]; /* of attention switched off, and of none in training; NaN: there is none */
} study_lines;

/* Models of that name by attention and origin, y against x (keys of their rows): those of a group, or those
 * of MLA of all groups (STUDY_GROUPS). */
void study_lines_of(study_lines *l, const study_data *d, const char *model, const char *x, const char *y,
                    study_group group);

/* Loss of the development split by epoch, mean over runs: of what begins from nothing, or of what is tuned. */
void study_curves_of(study_lines *l, const study_data *d, const char *model, bool tuned);

#endif
