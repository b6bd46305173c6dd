/* Formulas over counters: numbers, names (letters, digits, _), + - * / and brackets. */
#ifndef BASE_TEXT_FORMULA_H
#define BASE_TEXT_FORMULA_H

#include "attn/error.h"

#include <stddef.h>

enum { FORMULA_NAME_MAX = 64 };

/* The value of a name; -1 and an error when there is none. */
typedef int formula_lookup(void *context, const char *name, double *value, attn_error *error);

/* -1 and an error that says where the text is wrong, what a name lacks, or that something is divided by 0 or
 * too large to be a number. */
int formula_evaluate(double *value, const char *text, formula_lookup *lookup, void *context,
                     attn_error *error);

/* Whether the text is a formula; `lookup` is asked for every name in it, and values do not matter. */
int formula_check(const char *text, formula_lookup *lookup, void *context, attn_error *error);

#endif
