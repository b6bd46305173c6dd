/* Text of programs and of the system, which need not be UTF-8 and may be cut anywhere, for JSON, which has to
 * be. */
#ifndef BASE_TEXT_UTF8_H
#define BASE_TEXT_UTF8_H

#include <jansson.h>
#include <stdbool.h>

/* What is not UTF-8 becomes '?'; a character that the end cuts is dropped. */
void utf8_mend(char *text);

bool utf8_is(const char *text); /* all of it is UTF-8 */

/* A string of the text as utf8_mend leaves it. NULL when memory is short. */
json_t *utf8_json(const char *text);
json_t *utf8_sprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
