#include "harness/results/finished.h"

#include "attn/alloc.h"

#include <unistd.h>

int results_read_finished(results *r, const char *path, attn_error *error) {
    char *journal = attn_format(error, "%s.journal", path);
    int unfinished = journal && access(path, F_OK) && !access(journal, F_OK);
    int result = journal ? 0 : -1;
    *r = (results){0};
    if (unfinished)
        result = attn_fail(error,
                           "%s: the sweep that writes it is not finished (%s is there): give the same sweep "
                           "command again, which goes on where it stopped",
                           path, journal);
    attn_free(journal);
    return result ? result : results_read(r, path, error);
}
