#include "cli/frame/kept_steps.h"

#include "attn/file.h"
#include "base/text/hash.h"

uint64_t kept_steps_hash(int argc, char **argv) {
    uint64_t hash = HASH_START;
    for (int i = 1; i < argc; i++)
        hash = hash_text(hash, argv[i]);
    return hash;
}

int kept_steps_open(step_journal **steps, const char *command, const char *out, uint64_t work,
                    attn_error *error) {
    if (attn_output_try(out, error) || steps_open(steps, out, work, error))
        return -1;
    if (steps_count(*steps))
        fprintf(stderr, "attnbench %s: resuming: %zu steps are in %s.journal\n", command, steps_count(*steps),
                out);
    return 0;
}

int kept_steps_write(step_journal *steps, const char *out, kept_steps_print *print, const void *results,
                     attn_error *error) {
    attn_output output;
    if (attn_output_open(&output, out, error))
        return -1;
    if (print(results, output.stream, error)) {
        attn_output_discard(&output);
        return -1;
    }
    return attn_output_commit(&output, error) || steps_finish(steps, error) ? -1 : 0;
}
