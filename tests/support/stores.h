/* Stores of results, each test's in a folder of its own; every failure ends the test. */
#ifndef TESTS_SUPPORT_STORES_H
#define TESTS_SUPPORT_STORES_H

#include "harness/results/store.h"

extern char store_folder[256], results_path[288], journal_path[320];
extern const store_identity store_us;

int make_store_folder(void **state);
#define IN_STORE_FOLDER(test) cmocka_unit_test_setup(test, make_store_folder)

results_store *open_store(store_state expected);
void assert_refused(const store_identity *identity, const char *message);

void start_case(results_store *s, const char *row);
/* The one entry of a row, as a sweep writes it; `number` sets entries apart. */
json_t *store_entry(const char *row, int number, bool failed);
void finish_case(results_store *s, const char *row, int number, bool failed);
void assert_found(const results_store *s, const char *row, int number, bool failed);
void assert_missing(const results_store *s, const char *row);

char *file_text(const char *path, size_t *size); /* attn_free it */
void put_file(const char *path, const char *text, size_t size);

#endif
