/* Where the project's data files are (plans, counter groups, cases): ATTNBENCH_HOME, else share/attnbench
 * next to the folder of an installed executable, else the folder above the executable's. Some of them are known by
 * name; a user may give the path of another file in place of a name. */
#ifndef BASE_HOME_H
#define BASE_HOME_H

#include "attn/error.h"

#include <stdbool.h>

/* `relative` below the project's folder; attn_free it. Does not check that it exists. */
char *home_path(const char *relative, attn_error *error);

/* The help text of an option that takes the name of a file NAME.yaml in a folder below the project's: "needed: a name
 * (encoder, full, quick) or a file"; without names where there are none. */
enum { HOME_NAMES = 400 }; /* bytes for the names */
void home_names_help(char text[HOME_NAMES + 64], const char *folder);

/* Whether it is the path of a file (with a slash, or ending in .yaml), and no name. */
bool home_is_path(const char *which);

/* The file that a name in the folder, or a path, stands for; attn_free it. NULL and an error that lists the names when
 * there is no such name: it says `option` and `what` ("--plan", "plan"). */
char *home_named_file(const char *which, const char *folder, const char *option, const char *what,
                      attn_error *error);

/* The running executable; attn_free it. */
char *home_executable(attn_error *error);

#endif
