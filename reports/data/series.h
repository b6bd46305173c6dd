/* From cases to lines of a plot: which cases are comparable, which belong to one line, and its slope. */
#ifndef REPORTS_DATA_SERIES_H
#define REPORTS_DATA_SERIES_H

#include "reports/data/case_fields.h"

typedef enum plot_quantity { QUANTITY_CACHE_BYTES, QUANTITY_TIME_PER_FRAME, QUANTITY_TIME } plot_quantity;

/* What to draw. Fields that are neither x, hold nor series are free: each line takes the setting of them
 * that has the most points, then the fastest. */
typedef struct series_selection {
    case_field x;
    plot_quantity y;
    const char *kind;   /* NULL: attention */
    const char *mode;   /* NULL: any */
    case_fields hold;   /* fields that all lines share; the setting with the most points is taken */
    case_fields series; /* fields that set lines apart */
    bool only_latent, only_kv_heads;
    bool slope;    /* fit y = a x^slope at the large end */
    bool mha_line; /* for x that mha lacks: what mha has in the held setting, as a level line */
} series_selection;

typedef struct series_point {
    double x, y, low, high;
    const measured *from;
} series_point;

enum { SERIES_LABEL = 64, SERIES_LINES = 10 };

typedef struct series_line {
    char label[SERIES_LABEL];
    const measured *from; /* its first point's case */
    size_t count;
    series_point *points; /* ascending x */
    double slope;         /* NaN: not asked for, or too few points */
    double slope_from_x;  /* the smallest x of the fit */
} series_line;

typedef struct series_lines {
    size_t count;
    series_line line[SERIES_LINES];
    char held[240];     /* "h 8, d_model 512, B 1, f32 cache, pos none" */
    char positions[80]; /* its last part, "pos none" */
    measured_basis basis;
} series_lines;

/* No lines (count 0) when no line would have two points. Free with series_free. */
int series_select(series_lines *out, const report_data *data, const series_selection *s, attn_error *error);
void series_free(series_lines *l);

/* The line of that type (its first), or NULL. */
const series_line *series_line_of(const series_lines *l, const char *type);

/* Whether two points of one quantity differ, by process_apart of their bars. */
bool series_apart(const series_point *a, const series_point *b);

/* The x that most lines have, the largest of those; NaN without lines. */
double series_common_x(const series_lines *l);

/* The point at x, or NULL. */
const series_point *series_point_at(const series_line *l, double x);

/* Least squares in logarithms over the points from the largest x down to a quarter of it, and at least two. */
double series_line_slope(const series_line *l, double *from_x);

#endif
