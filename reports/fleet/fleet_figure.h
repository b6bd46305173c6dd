/* A picture of several machines. */
#ifndef REPORTS_FLEET_FLEET_FIGURE_H
#define REPORTS_FLEET_FLEET_FIGURE_H

#include "reports/fleet/fleet.h"

typedef struct fleet_figure {
    const char *name, *title, *about;
    char held[300]; /* what all lines share; "": nothing */
    size_t lines;   /* 0: there is nothing to show */
    char *svg;      /* attn_free it; NULL: not drawn */
} fleet_figure;

#endif
