/* Members of the report's objects, for those who write it out. */
#ifndef HARNESS_GATE_REPORT_REPORT_MEMBERS_H
#define HARNESS_GATE_REPORT_REPORT_MEMBERS_H

#include <jansson.h>

const char *field_text(const json_t *object, const char *key); /* "" when it is none */
double field_number(const json_t *object, const char *key);    /* NaN when it is none */

#endif
