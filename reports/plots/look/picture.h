/* What a picture says next to what gnuplot draws: its title, and what each of its points is. */
#ifndef REPORTS_PLOTS_LOOK_PICTURE_H
#define REPORTS_PLOTS_LOOK_PICTURE_H

#include "reports/data/measured.h"
#include "reports/plots/look/frame.h"

typedef struct picture {
    char title[160];  /* a finding */
    char basis[96];   /* how many runs, which aggregate */
    char held[240];   /* what all points share */
    char more[640];   /* what the caption says of these points only, after what it says of all such plots */
    plot_frame frame; /* closed, when there are points */
    json_t *marks;    /* [{x, y, text}], in pixels of the page's picture; NULL: none */
} picture;

/* The text of a point, for those that cannot see or want to know: "MLA 256, L 1024: 0.8 ms (0.79 to 0.82)" and the case's
 * name below it. Points outside the frame have none. A memory failure costs marks only. */
void picture_mark(picture *p, double x, double y, const char *text);
void picture_free(picture *p);

/* Title, then subtitle and basis in small, before the plot command; colours of the border and the grid. */
void picture_write_head(FILE *script, const picture *p, const char *name, const char *subtitle,
                        const char *cpu);

#endif
