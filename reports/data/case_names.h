/* What people call a case: "MLA 256", "GQA 2 of 8". */
#ifndef REPORTS_DATA_CASE_NAMES_H
#define REPORTS_DATA_CASE_NAMES_H

#include "harness/results/results.h"

#include <stddef.h>

enum { CASE_NAME = 48 };

/* A type's key as a name: words of up to three letters are abbreviations. "mla_simple": "MLA simple". */
void type_name(char *text, size_t size, const char *type);

/* Its cache has another type than f32. */
bool case_rounds_cache(const results_case *c);

/* The type, then what compresses its cache: "MLA 256" (latent_dim), "GQA 2" (key/value heads), "MHA f16" (a cache of
 * another type than f32). */
void case_short_name(char *text, size_t size, const results_case *c);

/* The same in words: "MLA with a latent of 256", "GQA with 2 of 8 key/value heads", "MHA in f16", "linear attention". */
void case_long_name(char *text, size_t size, const results_case *c);

/* "Conformer" of "conformer". */
void model_name(char *text, size_t size, const char *model);

/* "Conformer, MLA 256" */
void case_model_name(char *text, size_t size, const results_case *c);

#endif
