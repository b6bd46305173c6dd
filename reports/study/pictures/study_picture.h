/* One picture of a study: its data, its gnuplot script, and what its points say. Private to study_*.c. */
#ifndef REPORTS_STUDY_PICTURES_STUDY_PICTURE_H
#define REPORTS_STUDY_PICTURES_STUDY_PICTURE_H

#include "reports/plots/look/picture.h"
#include "reports/study/pictures/study_lines.h"

typedef enum study_marks { STUDY_JOINED, STUDY_POINTS } study_marks; /* points: no lines between them */

typedef struct study_picture {
    const char *name, *shows, *x_label, *y_label; /* labels end with ", UNIT", or have none */
    const char *x, *y;                            /* keys of models; x NULL: learning curves */
    double x_scale;
    bool log_x;
    study_group group; /* of curves STUDY_SCRATCH or STUDY_TUNED; STUDY_GROUPS: all */
    study_marks marks;
    const char *about;
} study_picture;

/* Widens the frame, empty at first, until it holds the lines: pictures that are compared share it. */
void study_picture_hold(plot_frame *f, const study_picture *p, const study_lines *l);

/* Writes NAME.dat and NAME.gp; the frame of `look` is the one to draw in, closed, and its title the finding. Adds the
 * marks of its points. */
int study_picture_write(picture *look, const study_picture *p, const study_lines *l, const char *name,
                        const char *subtitle, const char *whose, const char *folder, attn_error *error);

#endif
