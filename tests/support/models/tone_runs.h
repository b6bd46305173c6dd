/* Trainings on tones, in the scratch folder; every failure ends the test. */
#ifndef TESTS_SUPPORT_MODELS_TONE_RUNS_H
#define TESTS_SUPPORT_MODELS_TONE_RUNS_H

#include "harness/model/training/training.h"

#include <stdio.h>

extern const char tone_model[]; /* a configuration */
/* A corpus that is large enough to learn from; its split "strange" has another word. */
extern char tone_folder[256];
extern FILE *tone_nowhere;

/* For cmocka's groups. */
int tone_runs_set_up(void **state);
int tone_runs_tear_down(void **state);

/* A run of that name; tone_run_free it. */
training_request tone_run(const char *name, const char *config, size_t epochs);
void tone_run_free(training_request *r);

void tone_run_train(const training_request *r);

/* A file of the run; attn_free it. */
char *tone_run_file(const training_request *r, const char *name, size_t *size);

/* The value of `key` in the last line of the log, which has `lines` lines. */
double tone_run_last(const training_request *r, const char *key, size_t lines);

#endif
