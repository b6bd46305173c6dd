/* JSON text that is one object with one long list in it, read without holding all of the list: an element takes ten
 * times its text in memory. */
#ifndef BASE_TEXT_JSON_LIST_H
#define BASE_TEXT_JSON_LIST_H

#include "attn/error.h"

#include <jansson.h>
#include <stddef.h>

/* Takes the element, its reference too. `before` has the members of the object that came before the list. -1: stop. */
typedef int json_element(void *context, const json_t *before, json_t *element, attn_error *error);

/* Returns the object, with an empty list in the place of the one under `key`, when there is one. Keys that come twice are
 * refused. NULL: `name` (the file, for messages), its line and what is wrong, or what `each` said.
 * `without`: members that elements come without, ended by NULL (NULL: all come). They are passed over in a fraction of
 * the time, and not checked. */
json_t *json_read_list(const char *text, size_t size, const char *name, const char *key,
                       const char *const *without, json_element *each, void *context, attn_error *error);

#endif
