/* Cache bytes of the published rows, by the formulas of the registry. */
#ifndef REPORTS_PAPER_PAPER_FORMULA_H
#define REPORTS_PAPER_PAPER_FORMULA_H

#include "reports/paper/paper_data.h"

#define PAPER_MIB 1048576.0
#define PAPER_MB 1e6

/* Cache bytes of one layer by the registry's formula; the published cells are of f32. */
double paper_layer_bytes(const paper_tables *tables, const paper_row *row, const paper_shape *shape,
                         size_t frames, attn_element type);

/* The same for another type with its defaults (latent_dim d_model) at the shape's d_model and heads. */
double paper_other_bytes(const paper_tables *tables, const char *type, const paper_shape *shape,
                         size_t frames);

#endif
