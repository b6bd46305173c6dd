/* Trade-off curves: what `attnbench analyze --sweep` measured, as plots and as a part of the page. */
#ifndef REPORTS_DATA_TRADEOFF_H
#define REPORTS_DATA_TRADEOFF_H

#include "base/text/table.h"
#include "reports/plots/gnuplot.h"

#include <stdio.h>

enum { TRADEOFFS_MAX = 8 };

/* The points of one subject: whose weights they are. */
typedef struct tradeoff {
    char name[24]; /* of its files */
    table points;
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

/* Writes NAME.dat and NAME.gp of each into `folder` and draws NAME.svg and NAME.png there. `why` is for
 * pictures that were not drawn (the result is then not GNUPLOT_DRAWN); `error` for all else (-1). */
int tradeoffs_draw(tradeoffs *t, const char *folder, gnuplot_result *drawn, attn_error *why,
                   attn_error *error);

/* The same by way of a folder of its own below `out`. */
int tradeoffs_plot(tradeoffs *t, const char *out, gnuplot_result *drawn, attn_error *why, attn_error *error);

/* A sentence on where joint is exact, from the measured points; attn_free it. */
char *tradeoff_finding(const tradeoff *t, attn_error *error);

/* The part of the page; files are linked in plots/ and tables/. Nothing when there are none. */
int tradeoffs_section(FILE *out, const tradeoffs *t, attn_error *error);

#endif
