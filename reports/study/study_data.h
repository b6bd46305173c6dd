/* A finished study (DIR/study.json, docs/study.md), and what its runs say together: a row a model, over all seeds, folds
 * and test splits. dev has results of its own, unless it is the only test. */
#ifndef REPORTS_STUDY_DATA_H
#define REPORTS_STUDY_DATA_H

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { STUDY_FIGURES_MAX = 128 };

typedef struct study_figure {
    char name[48], shows[200], about[800];
    char title[160]; /* a finding; "": nothing was found */
    json_t *marks;   /* picture.h */
    char *svg;       /* NULL: not drawn */
} study_figure;

typedef struct study_data {
    json_t *root; /* NULL: no study */
    json_t *models;
    json_t *runs;       /* a row each, for the table */
    json_t *published;  /* reports/paper/results.json */
    const char *speech; /* "synthetic speech" or "speech" */
    bool synthetic;
    char heard[400];       /* a sentence that names the splits of WER and loss */
    study_figure *figures; /* filled by study_plots_draw */
    size_t figure_count;
} study_data;

/* Takes the object, after a failure too; `name` stands for it in messages. Free with study_data_free. */
int study_data_make(study_data *d, json_t *root, const char *name, attn_error *error);
/* Of FOLDER/study.json. */
int study_data_read(study_data *d, const char *folder, attn_error *error);
void study_data_free(study_data *d);

#endif
