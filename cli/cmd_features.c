/* attnbench features: log-mel features of one speech file. */
#include "attn/alloc.h"
#include "attn/npy.h"
#include "cli/frame/command.h"
#include "datasets/fbank.h"

#include <stdio.h>

static int write_features(const char *input, const char *output, attn_error *error) {
    fbank *f = fbank_create(error);
    float *features = NULL;
    size_t frames;
    int result = -1;
    if (f && !fbank_read(f, &features, &frames, NULL, input, error))
        result = attn_npy_write(output, features, 2, (size_t[]){frames, FBANK_BINS}, error);
    if (!result)
        fprintf(stderr, "%s: %zu frames of %d log-mel bins\n", output, frames, FBANK_BINS);
    attn_free(features);
    fbank_free(f);
    return result;
}

int cmd_features(int argc, char **argv) {
    char *input = NULL, *output = NULL;
    struct poptOption table[] = {
        {"input", '\0', POPT_ARG_STRING, &input, 0, "needed: speech: FLAC or WAV, 16 kHz, mono", "F.flac"},
        {"output", '\0', POPT_ARG_STRING, &output, 0, "needed: features: [frames, 80] float32", "X.npy"},
        POPT_TABLEEND};
    int status;
    if (!command_options(
            argc, argv, "",
            "Writes the log-mel features of a speech file (Kaldi's fbank: 80 bins, 25 ms every 10 ms).",
            table, NULL, &status))
        return status;
    attn_error error = {0};
    if (option_needs("--input", input, &error) || option_needs("--output", output, &error) ||
        option_distinct("--output", output, "--input", input, &error) ||
        write_features(input, output, &error))
        return command_fail(argv[0], &error);
    return STATUS_OK;
}
