#include "harness/command.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What popt allocates, the context and its copies of words, is left to the end of the process: the leak
 * checker is told so. */
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
    poptSetOtherOptionHelp(context, after);
    int code;
    do
        code = poptGetNextOpt(context);
    while (code > 0);
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

int command_choice(const char *option, const char *value, const char *const *choices, attn_error *error) {
    char list[256] = "";
    for (int i = 0; choices[i]; i++) {
        if (!strcmp(value, choices[i]))
            return i;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", choices[i]);
    }
    return attn_fail(error, "%s %s: expected one of %s", option, value, list);
}

int command_impl(const char *value, attn_error *error) {
    attn_error inner = {0};
    if (command_choice("--impl", value, attn_impl_names, error) < 0)
        return STATUS_BAD_INPUT;
    for (size_t i = 0; attn_isa_names[i]; i++)
        if (!strcmp(value, attn_isa_names[i]) && attn_cpu_has((attn_isa)i, &inner)) {
            attn_fail(error, "--impl %s: %s", value, inner.message);
            return STATUS_UNDECIDED;
        }
    return STATUS_OK;
}

int command_path_applies(attn_path path, const attn_variant *variant, attn_error *error) {
    if (path == ATTN_PATH_AUTO || variant->has_latent)
        return 0;
    return attn_fail(error, "--path %s: goes with mla and mla_simple, %s attention has one way only",
                     attn_path_names[path], variant->name);
}

int command_range(const char *option, long long value, long long lowest, long long highest,
                  attn_error *error) {
    if (value >= lowest && value <= highest)
        return 0;
    return attn_fail(error, "%s %lld: expected %lld to %lld", option, value, lowest, highest);
}

int command_needs(const char *option, const char *value, attn_error *error) {
    return value ? 0 : attn_fail(error, "%s is needed", option);
}

int command_distinct(const char *option, const char *path, const char *other_option, const char *other,
                     attn_error *error) {
    struct stat a, b;
    if (!path || !other)
        return 0;
    bool same = !strcmp(path, other) ||
                (!stat(path, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino);
    if (same && !stat(path, &a) && !S_ISREG(a.st_mode))
        same = false; /* two results may go to /dev/null */
    return same ? attn_fail(error, "%s %s: is the same file as %s", option, path, other_option) : 0;
}
