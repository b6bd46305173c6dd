/* Where the project's data files are (plans, counter groups, cases): ATTNBENCH_HOME, else share/attnbench
 * next to the folder of an installed executable, else the folder above the executable's. */
#ifndef BASE_HOME_H
#define BASE_HOME_H

#include "attn/error.h"

/* `relative` below the project's folder; attn_free it. Does not check that it exists. */
char *home_path(const char *relative, attn_error *error);

/* The running executable; attn_free it. */
char *home_executable(attn_error *error);

#endif
