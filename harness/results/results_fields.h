/* Fields of an entry of a results file, taken strictly. Private to harness/results/. */
#ifndef HARNESS_RESULTS_RESULTS_FIELDS_H
#define HARNESS_RESULTS_RESULTS_FIELDS_H

#include "harness/results/results_case.h"

#include "attn/error.h"

/* Where the reader is, for messages: FILE: PLACE.KEY. */
typedef struct results_place {
    const char *file;
    char where[64];
    attn_error *error;
} results_place;

/* -1, with what was found under the key (NULL: nothing) and what was expected. */
int results_wrong(const results_place *p, const char *key, const json_t *found, const char *expected);

int results_take_text(const char **to, const results_place *p, const json_t *object, const char *key);
int results_take_object(const json_t **to, const results_place *p, const json_t *object, const char *key);

/* NaN where the key is absent and not needed. */
int results_take_number(double *to, const results_place *p, const json_t *object, const char *key,
                        bool needed, double lowest);

/* An entry's "case". */
int results_take_shape(results_case *c, const results_place *p, const json_t *shape);

/* Adds the entry's repetition to the case; the first one has the costs of an iteration. */
int results_add_sample(results_case *c, const results_place *p, const json_t *entry);

#endif
