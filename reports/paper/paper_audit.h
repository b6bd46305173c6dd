/* The audit of the published tables: every cell next to the formula under both geometries and the bytes of a
 * cache that was really allocated, with a verdict found by comparison. */
#ifndef REPORTS_PAPER_PAPER_AUDIT_H
#define REPORTS_PAPER_PAPER_AUDIT_H

#include "base/text/table.h"
#include "reports/paper/paper_data.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct paper_audit {
    text_table cells;       /* rows as `attnbench paper --format json` gives them */
    text_table additions;   /* what the tables leave out */
    size_t live_mismatches; /* cells and additions whose live bytes are not the formula's */
} paper_audit;

/* `live` may be NULL: nothing was allocated. Free with paper_audit_free (a zeroed audit is fine too). */
int paper_audit_run(paper_audit *audit, const paper_tables *tables, const paper_live *live,
                    attn_error *error);
void paper_audit_free(paper_audit *audit);

/* Whether `value` prints as `published` when rounded to as many digits. */
bool paper_rounds_to(double value, const char *published);

/* What the cells are computed for: frames, batch, bytes_per_element, and for each row of the tables the
 * claimed and the identified geometry. NULL when memory is short. */
json_t *paper_geometries_json(const paper_tables *tables);

/* "24 layers, d_model 1024, 16 heads": attn_free it. */
char *paper_shape_text(const paper_shape *shape, attn_error *error);

#endif
