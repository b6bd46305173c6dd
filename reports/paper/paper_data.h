/* The published KV-cache tables as data (reports/paper/published.json): every cell as printed, and the two
 * geometries that it is compared under. */
#ifndef REPORTS_PAPER_PAPER_DATA_H
#define REPORTS_PAPER_PAPER_DATA_H

#include "attn/attention.h"

enum { PAPER_ROWS = 8, PAPER_MODELS = 4, PAPER_TEXT = 48, PAPER_CITATION = 120 };

typedef enum paper_quantity {
    PAPER_TOTAL,
    PAPER_PER_LAYER,
    PAPER_REDUCTION,
    PAPER_QUANTITIES
} paper_quantity;
extern const char *const paper_quantity_names[]; /* "total", "per_layer", "reduction", NULL */

/* What a row of the table is under one reading of it. */
typedef struct paper_shape {
    size_t num_layers;
    attn_geometry geometry;
} paper_shape;

typedef struct paper_row {
    char name[PAPER_TEXT], label[PAPER_TEXT];
    const attn_variant *variant;
    paper_shape claimed, identified;
    char published[PAPER_QUANTITIES]
                  [16]; /* as printed, so that its digits count; "" where there is no cell */
} paper_row;

typedef struct paper_model {
    char name[PAPER_TEXT];
    size_t rows;
    paper_row row[PAPER_ROWS];
} paper_model;

typedef struct paper_tables {
    size_t frames, batch, element; /* what all cells stand for; element in bytes */
    double frame_seconds;          /* hop of one feature frame */
    char paper[PAPER_CITATION], document[PAPER_CITATION], source[PAPER_CITATION]; /* to cite them by */
    size_t models;
    paper_model model[PAPER_MODELS];
} paper_tables;

/* Bytes of caches that were allocated, by model and row. */
typedef struct paper_live {
    size_t layer[PAPER_MODELS][PAPER_ROWS]; /* of the first layer */
    size_t total[PAPER_MODELS][PAPER_ROWS];
    size_t rounded[PAPER_MODELS][PAPER_ROWS]
                  [ATTN_ELEMENTS]; /* of one layer, in other types than f32; 0: not run */
} paper_live;

/* Reads the tables from a file; strict about every key. */
int paper_read(paper_tables *tables, const char *path, attn_error *error);
/* The same of the file that the project has. */
int paper_read_published(paper_tables *tables, attn_error *error);

#endif
