/* A command of this program, word by word, in a process of its own. */
#ifndef HARNESS_STUDY_COMMAND_H
#define HARNESS_STUDY_COMMAND_H

#include "attn/error.h"

#include <stddef.h>

enum { STUDY_WORDS = 48 };

typedef struct study_command {
    const char *words[STUDY_WORDS];
    size_t count;
    char *made[STUDY_WORDS]; /* attn_free'd with it */
    size_t made_count;
    int failed;
} study_command;

/* `word` outlives the command. */
void study_say(study_command *c, const char *word);
/* An option and a text that the command takes; NULL, for want of memory, fails it. */
void study_say_made(study_command *c, const char *option, char *text);

/* Runs it: a status other than 0 is an error in the command's own last words. */
int study_command_run(const study_command *c, attn_error *error);
/* The same, and what it prints becomes the file, unless that is there. */
int study_command_write(const study_command *c, const char *path, attn_error *error);
void study_command_free(study_command *c);

#endif
