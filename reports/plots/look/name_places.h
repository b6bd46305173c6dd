/* Where names of points go in a plot with lines: next to their marks, over none of them, over few lines, or at the end of
 * a thin line of their own. All in parts of the plot's width and height. */
#ifndef REPORTS_PLOTS_LOOK_NAME_PLACES_H
#define REPORTS_PLOTS_LOOK_NAME_PLACES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct spot {
    double x, y;
} spot;

/* What something covers. */
typedef struct name_box {
    double left, right, low, high;
} name_box;

enum { NAME_BOXES = 80, NAME_LINES = 120 };

/* Zeroed: an empty plot. What is beyond its limits is left out. */
typedef struct name_map {
    size_t boxes, lines;
    name_box box[NAME_BOXES];
    struct {
        spot from, to;
    } line[NAME_LINES];
} name_map;

typedef struct name_place {
    const char *side; /* what gnuplot aligns it by: "left", "center", "right" */
    spot at;          /* of that side, on the name's middle line */
    bool leads;       /* it is so far away that a line leads to it from the mark, up to `at` */
} name_place;

void name_map_mark(name_map *m, spot at);
void name_map_box(name_map *m, name_box box); /* nothing goes there */
void name_map_line(name_map *m, spot from, spot to);

/* Finds a place for a name of that many letters in a font of `points`, and takes it. False: there is no room. */
bool name_map_find(name_map *m, name_place *place, spot mark, size_t letters, double points);

#endif
