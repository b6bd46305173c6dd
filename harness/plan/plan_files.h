/* Where plans are: those that are shipped, by name in a folder below the program's home, and files of the user's. */
#ifndef HARNESS_PLAN_PLAN_FILES_H
#define HARNESS_PLAN_PLAN_FILES_H

#include "attn/error.h"

/* The names in a folder: "encoder, full, quick". */
enum { PLAN_NAMES = 400 };
int plan_names(char list[PLAN_NAMES], const char *folder, attn_error *error);

/* The help text of --plan: "needed: a name (encoder, full, quick) or a file"; without names where there are none. */
void plan_help(char text[PLAN_NAMES + 64], const char *folder);

/* The file of a plan: `which` is a name in the folder, or a path (with a slash, or ending in .yaml). attn_free it. NULL
 * and an error that lists the names on failure. */
char *plan_path(const char *which, const char *folder, attn_error *error);

#endif
