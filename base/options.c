#include "base/options.h"

#include "base/text/append.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

int option_choice(const char *option, const char *value, const char *const *choices, attn_error *error) {
    char list[256] = "";
    for (int i = 0; choices[i]; i++) {
        if (!strcmp(value, choices[i]))
            return i;
        text_list(list, sizeof list, ", ", "%s", choices[i]);
    }
    return attn_fail(error, "%s %s: expected one of %s", option, value, list);
}

int option_range(const char *option, long long value, long long lowest, long long highest,
                 attn_error *error) {
    if (value >= lowest && value <= highest)
        return 0;
    return attn_fail(error, "%s %lld: expected %lld to %lld", option, value, lowest, highest);
}

int option_range_given(const char *option, long long value, long long lowest, long long highest,
                       attn_error *error) {
    return value == OPTION_NOT_GIVEN ? 0 : option_range(option, value, lowest, highest, error);
}

int option_needs(const char *option, const char *value, attn_error *error) {
    return value ? 0 : attn_fail(error, "%s is needed", option);
}

int option_distinct(const char *option, const char *path, const char *other_option, const char *other,
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
