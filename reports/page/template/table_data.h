/* Tables and pictures as data for the templates table.html and figure.html. */
#ifndef REPORTS_PAGE_TEMPLATE_TABLE_DATA_H
#define REPORTS_PAGE_TEMPLATE_TABLE_DATA_H

#include "base/text/table.h"
#include "reports/plots/run/gnuplot.h"

#include <stdbool.h>

/* What stands around a table. */
typedef struct table_frame {
    const char *name;   /* of its files */
    bool section, part; /* under a large heading, under a small one */
    const char *note;   /* below it; "": none */
    json_t *remarks;    /* texts below its links; NULL: none */
    size_t shown;       /* how many columns, from the first, are seen at first; 0: all */
} table_frame;

/* {name, title, label, section, part, folded, columns, rows, note, remarks}. A column without any value is left out;
 * one of numbers only is `numeric`, one beyond those that are shown `extra`. `folded` is what a long table hides behind, null for a short one. NULL on
 * failure. */
json_t *table_data(const text_table *t, const table_frame *frame, attn_error *error);

/* What is said under a picture: `held` is null or {word, text}; `basis` null or a text. */
typedef struct figure_caption {
    const char *name, *title; /* NULL: none */
    const char *shows;        /* below a title that is a finding; NULL: the title says it */
    const char *svg;          /* NULL: not drawn */
    const char *about;
    const char *held_word, *held; /* "": nothing is held */
    const char *basis;            /* "": not said */
} figure_caption;

/* {name, title, shows, svg, about, held, basis}. NULL on failure. */
json_t *figure_data(const figure_caption *f);

/* null, or {all, why}: some pictures were not drawn. */
json_t *missing_pictures_data(const drawing *d);

#endif
