/* The audit as text, in every format of tables. */
#ifndef REPORTS_PAPER_PAPER_PRINT_H
#define REPORTS_PAPER_PAPER_PRINT_H

#include "reports/paper/paper_audit.h"

#include <stdio.h>

/* md and tex say what was audited, then both tables; csv is one table of all rows; json an object with "cells",
 * "additions" and "geometries". */
int paper_print(const paper_tables *tables, const paper_audit *audit, table_format format, FILE *stream,
                attn_error *error);

/* FOLDER/paper.md, .csv, .json and .tex (the folder is made). All are written before the first gets its name. */
int paper_write_folder(const paper_tables *tables, const paper_audit *audit, const char *folder,
                       attn_error *error);

#endif
