#include "harness/model/training/training_log.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 26 };

/* JSON has no number for what is not finite. */
static void print_real(FILE *to, const char *key, double value) {
    if (isfinite(value))
        fprintf(to, ", \"%s\": %.9g", key, value);
    else
        fprintf(to, ", \"%s\": null", key);
}

static void print_row(FILE *to, const training_row *r) {
    fprintf(to, "{\"epoch\": %zu, \"steps\": %zu", r->epoch, r->steps);
    print_real(to, "seconds", r->seconds);
    print_real(to, "loss", r->loss);
    print_real(to, "dev_loss", r->dev_loss);
    print_real(to, "dev_wer_percent", r->dev_wer_percent);
    print_real(to, "learning_rate", r->learning_rate);
    print_real(to, "gradient_norm", r->gradient_norm);
    fprintf(to, ", \"infeasible\": %zu, \"peak_bytes\": %zu, \"synthetic\": %s}\n", r->infeasible,
            r->peak_bytes, r->synthetic ? "true" : "false");
}

int training_log_add(const char *path, const training_row *row, attn_error *error) {
    char *before = NULL;
    attn_output output;
    if (row->epoch > 1 && access(path, F_OK) == 0 &&
        !(before = attn_read_file(path, MOST_BYTES, NULL, error)))
        return -1;
    if (attn_output_open(&output, path, error)) {
        attn_free(before);
        return -1;
    }
    const char *at = before;
    for (size_t line = 1; at && *at && line < row->epoch; line++) {
        size_t length = strcspn(at, "\n");
        fwrite(at, 1, length, output.stream);
        fputc('\n', output.stream);
        at += length + (at[length] == '\n');
    }
    print_row(output.stream, row);
    attn_free(before);
    return attn_output_commit(&output, error);
}
