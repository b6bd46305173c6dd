/* What convert says. */
#ifndef HARNESS_CONVERSION_CONVERT_PRINT_H
#define HARNESS_CONVERSION_CONVERT_PRINT_H

#include "attn/convert.h"
#include "base/text/table.h"

/* An attn_convert_progress: one line on stderr. */
void convert_print_progress(void *context, size_t layer, size_t layers, const attn_convert_report *report);

/* The layers; where ranks were spread, also that next to one rank for all. json: an object with "layers" and
 * "spread". */
int convert_print(const attn_conversion *made, const attn_config *from, const attn_convert_options *options,
                  size_t frames, table_format format, FILE *stream, attn_error *error);

#endif
