/* Numbers as the tables show them. */
#ifndef REPORTS_DATA_ROUNDING_H
#define REPORTS_DATA_ROUNDING_H

#include <jansson.h>

/* Rounded to four significant digits, as a JSON number; null for NaN. Noise is above that, and the raw
 * samples stay in the results file. */
json_t *four_digits(double value);

/* The same for counts and bytes: whole numbers stay as they are. */
json_t *exact_count(double value);

#endif
