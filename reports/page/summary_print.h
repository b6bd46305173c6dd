/* The first screen of the page as text: for a terminal of 80 columns, or for a pull request. */
#ifndef REPORTS_PAGE_SUMMARY_PRINT_H
#define REPORTS_PAGE_SUMMARY_PRINT_H

#include "attn/error.h"
#include "reports/data/measured.h"

#include <stdbool.h>
#include <stdio.h>

/* The question, the answer's sentences, bars of bytes and times against MHA, and what to know before trusting them. */
int summary_print(const report_data *data, bool markdown, FILE *stream, attn_error *error);

#endif
