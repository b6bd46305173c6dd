#include "cli/frame/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What popt allocates, the context and its copies of words, stays until the process ends. The leak
 * checker leaves it out. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable() ((void)0)
#endif

int command_fail(const char *name, const attn_error *error) {
    fprintf(stderr, "attnbench %s: %s\n", name, error->message);
    return STATUS_BAD_INPUT;
}

static int usage_error(const char *name, const char *what, const char *why) {
    attn_error error = {0};
    attn_fail(&error, "%s: %s (see attnbench %s --help)", what, why, name);
    return command_fail(name, &error);
}

/* popt names the value where that is bad ("five"); people need the option as well ("--chunk five"). */
static int option_error(const char *name, int argc, char **argv, const char *word, const char *why) {
    char both[256];
    for (int i = 2; word[0] != '-' && i < argc; i++)
        if (!strcmp(argv[i], word)) {
            snprintf(both, sizeof both, "%s %s", argv[i - 1], word);
            return usage_error(name, both, why);
        }
    return usage_error(name, word, why);
}

enum { STOP_AT_TEXT = 1, STOP_AT_NUMBER };

/* Reads all options. popt stops at those that have a number in `val`, so that what it has no error for is seen here: a
 * word that it had no memory to copy, for which the option gets NULL, and an empty one, which it reads as the number 0. */
static int read_options(poptContext context, struct poptOption *table) {
    for (struct poptOption *o = table; o->longName || o->shortName; o++) {
        unsigned kind = o->argInfo & POPT_ARG_MASK;
        if (kind == POPT_ARG_STRING)
            o->val = STOP_AT_TEXT;
        else if (kind != POPT_ARG_NONE && kind != POPT_ARG_ARGV)
            o->val = STOP_AT_NUMBER;
    }
    int code;
    while ((code = poptGetNextOpt(context)) > 0) {
        char *word = poptGetOptArg(context);
        bool empty = word && !*word;
        free(word);
        if (!word)
            return POPT_ERROR_MALLOC;
        if (empty && code == STOP_AT_NUMBER)
            return POPT_ERROR_BADNUMBER;
    }
    return code;
}

int command_options(int argc, char **argv, const char *arguments, const char *description,
                    struct poptOption *table, const char *const **rest, int *status) {
    int help = 0;
    struct poptOption all[] = {{NULL, '\0', POPT_ARG_INCLUDE_TABLE, table, 0, NULL, NULL},
                               {"help", 'h', POPT_ARG_NONE, &help, 0, "show this", NULL},
                               POPT_TABLEEND};
    const char *name = argv[0];
    char program[64], after[160];
    snprintf(program, sizeof program, "attnbench %s", name);
    snprintf(after, sizeof after, "[OPTION...] %s", arguments);
    argv[0] = program;
    __lsan_disable();
    poptContext context = poptGetContext(name, argc, (const char **)argv, all, 0);
    if (!context) {
        attn_error error = {0};
        attn_no_memory(&error, "options");
        *status = command_fail(name, &error);
        return 0;
    }
    poptSetOtherOptionHelp(context, after);
    int code = read_options(context, table);
    __lsan_enable();
    if (code < -1 || !help)
        argv[0] = (char *)name; /* what the context still points to: the help names the whole program */
    if (code < -1) {
        *status = option_error(name, argc, argv, poptBadOption(context, 0), poptStrerror(code));
        return 0;
    }
    if (help) {
        printf("%s\n\n", description);
        poptPrintHelp(context, stdout, 0);
        *status = STATUS_OK;
        return 0;
    }
    const char *const *words = (const char *const *)poptGetArgs(context);
    static const char *const none[] = {NULL};
    if (!rest && words) {
        *status = usage_error(name, words[0], "unexpected argument");
        return 0;
    }
    if (rest)
        *rest = words ? words : none;
    return 1;
}
