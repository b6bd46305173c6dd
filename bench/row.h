/* Rows of text into cases. */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include "bench/case.h"

/* Fills the case, its canonical name included. Errors name the row, the key and what was expected. */
int bench_case_parse(bench_case *c, const char *row, attn_error *error);

#endif
