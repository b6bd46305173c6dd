/* Several machines side by side: results of each, and the cases that they share. */
#ifndef REPORTS_FLEET_FLEET_H
#define REPORTS_FLEET_FLEET_H

#include "reports/data/measured.h"

enum { FLEET_MAX = 12, FLEET_NAME = 120, FLEET_KEY = 32 };

typedef struct fleet_machine {
    results results; /* of one kind of machine */
    report_data data;
    const char *file;
    char name[FLEET_NAME];  /* its CPU; with its host, and its file, where others are the same */
    char folder[FLEET_KEY]; /* of its own page, "machine-1" */
    char key[FLEET_KEY], speed_key[FLEET_KEY]; /* of columns: a value, and its ratio to the base */
} fleet_machine;

/* A case that at least one machine has numbers for. */
typedef struct fleet_case {
    const char *name;
    const measured *of[FLEET_MAX]; /* NULL: none of that machine */
} fleet_case;

typedef struct fleet {
    size_t count, base; /* machines; the one that ratios are to */
    fleet_machine machine[FLEET_MAX];
    size_t cases; /* of attention, encoders and kernels */
    fleet_case *list;
} fleet;

/* Reads results files, ended by NULL; one of several kinds of machine (harness/results/machines.h) counts as several,
 * and one of nothing but limits of the machine of an earlier file belongs to that machine.
 * Stays where it is; free with fleet_free. */
int fleet_read(fleet *f, const char *const *files, attn_error *error);
void fleet_free(fleet *f);

/* Sets the base: a machine's name, host or file, or a part of one machine's name alone. NULL: the first. */
int fleet_choose_base(fleet *f, const char *name, attn_error *error);

const char *fleet_host(const fleet_machine *m);

#endif
