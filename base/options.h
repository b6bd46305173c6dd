/* Values of command-line options, checked: messages name the option, what was given and what was expected. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "attn/error.h"

#include <limits.h>

/* What an option of whole numbers holds when it is not on the command line: a number that nobody gives. */
#define OPTION_NOT_GIVEN LLONG_MIN

/* One of `choices` (NULL-terminated): its index, or -1 and an error naming the option and the choices. */
int option_choice(const char *option, const char *value, const char *const *choices, attn_error *error);

/* 0 when lowest <= value <= highest, else an error naming the option. */
int option_range(const char *option, long long value, long long lowest, long long highest, attn_error *error);

/* The same, and 0 for OPTION_NOT_GIVEN. */
int option_range_given(const char *option, long long value, long long lowest, long long highest,
                       attn_error *error);

/* 0 when value is given, else an error saying that the option is needed. */
int option_needs(const char *option, const char *value, attn_error *error);

/* 0 unless both paths name the same file: a result must not replace what it is made from, or another
 * result. */
int option_distinct(const char *option, const char *path, const char *other_option, const char *other,
                    attn_error *error);

#endif
