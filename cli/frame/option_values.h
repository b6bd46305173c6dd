/* Values of options as people write them. */
#ifndef CLI_OPTION_VALUES_H
#define CLI_OPTION_VALUES_H

#include "attn/error.h"

#include <stddef.h>

/* Of --activation-dtype. */
extern const char *const option_activation_dtypes[]; /* "f32", "bf16", NULL */

/* How many words an option that may be given again got; NULL: none. */
size_t word_count(const char *const *words);

/* "2%" or "2": the log of 1.02. From 0 to 1000%. */
int word_percent(double *effect, const char *option, const char *text, attn_error *error);

/* "5m", "90s", "1h", "90": seconds, above 0 and at most a week. */
int word_duration(double *seconds, const char *option, const char *text, attn_error *error);

#endif
