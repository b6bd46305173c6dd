/* Results that survive a kill: a journal of what is finished, a round of a case a line, next to the results file, which
 * appears at the end, whole.
 *
 * R.json.journal has one line of JSON each: first who writes it ({"journal", "plan", "plan_sha", "commit",
 * "fingerprint", "date"}), then {"started": row, "round"} before and {"finished": row, "round", "failed", "entries"} after
 * each round of a case. Every line is synced to the disk before the sweep goes on. Rounds count from 1 in the file, and
 * from 0 here. */
#ifndef HARNESS_RESULTS_STORE_H
#define HARNESS_RESULTS_STORE_H

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What makes results of two runs parts of one file. */
typedef struct store_identity {
    const char *plan, *plan_hash, *commit, *fingerprint;
} store_identity;

/* What to do with results of another identity that are there already. */
typedef enum store_policy {
    STORE_REFUSE,
    STORE_REPLACE, /* drop them; resume those of the same identity */
    STORE_RESTART  /* drop those of the same identity too */
} store_policy;

typedef enum store_state { STORE_NEW, STORE_RESUMED, STORE_COMPLETE } store_state;

typedef struct results_store results_store;

/* Opens the journal of the results file `path`, or finds that the file is complete (then nothing is to be run
 * and *s is NULL). What the policy does not drop, and another sweep at work, are errors that say what to do;
 * a file that is none of ours is only dropped by STORE_RESTART. Close with store_close. */
int store_open(results_store **s, store_state *state, const char *path, const store_identity *identity,
               store_policy policy, attn_error *error);
void store_close(results_store *s); /* the journal stays; NULL is fine */

/* Entries of the case from that round when it is finished, else NULL; *failed as it was given. */
const json_t *store_find(const results_store *s, const char *row, size_t round, bool *failed);

/* Lines about finished rounds in the journal that cannot be believed: these are missing. *first says what
 * is wrong with the first of them, "" when there is none. */
size_t store_damaged(const results_store *s, const char **first);
/* Rounds of cases that were in flight when an earlier sweep ended. */
size_t store_interrupted(const results_store *s);
const char *store_date(const results_store *s); /* when the first of the sweeps began, ISO 8601 */

int store_started(results_store *s, const char *row, size_t round, attn_error *error);
int store_finished(results_store *s, const char *row, size_t round, json_t *entries, bool failed,
                   attn_error *error); /* borrows */

/* Writes the results file in one step and removes the journal. */
int store_commit(results_store *s, const json_t *results, attn_error *error);

/* Of a complete file, as store_open found it: cases and failed ones. */
int store_read_counts(const char *path, size_t *cases, size_t *failed, attn_error *error);

#endif
