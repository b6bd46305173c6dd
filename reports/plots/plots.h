/* The report's plots: one row of a table each. */
#ifndef REPORTS_PLOTS_PLOTS_H
#define REPORTS_PLOTS_PLOTS_H

#include "reports/plots/look/titles.h"

typedef enum plot_kind {
    PLOT_LINES,
    PLOT_OVERVIEW,  /* cache bytes against the time of a frame */
    PLOT_ROOFLINE,  /* every case under the measured roofs */
    PLOT_BANDWIDTH, /* of the machine, against the working set */
    PLOT_LATENCY,   /* the same */
    PLOT_PARTS      /* time shares of the parts of encoders */
} plot_kind;

/* Where on the page. */
typedef enum plot_place {
    PLOT_BELOW,
    PLOT_FIRST,
    PLOT_MODELS,
    PLOT_SMALL,
    PLOT_MACHINE,
    PLOT_PLACES
} plot_place;

typedef struct plot {
    const char *name;              /* of its files */
    const char *title;             /* what it shows */
    const char *x_label, *y_label; /* y ends with ", UNIT" */
    const char *x_name;            /* of x, short: "L" */
    const char *about;             /* a sentence under the picture */
    const char *needs;             /* what a results file must have for it */
    plot_kind kind;
    plot_place place;
    /* The rest is of lines. */
    title_function *finding; /* the title of this data; NULL: `title` */
    series_selection select;
    double scale; /* y in the plot's unit = y * scale */
    bool log_x, log_y;
    bool bound;     /* with what the machine allows MHA */
    bool guides;    /* of slope 1 and 2 */
    bool all_cores; /* a roofline of cases on all cores */
    bool shared;    /* of one y axis with the others of its y_label that say so */
} plot;

enum { PLOTS_MAX = 32 };
extern const plot plots[]; /* ended by a NULL name; at most PLOTS_MAX */

#endif
