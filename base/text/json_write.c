#include "base/text/json_write.h"

#include "base/text/json.h"

#include "attn/file.h"

static int dump(const json_t *value, size_t flags, FILE *stream) {
    return !value || json_dumpf(value, stream, flags) || fputc('\n', stream) == EOF;
}

int json_print(const json_t *value, size_t flags, const char *what, FILE *stream, attn_error *error) {
    if (!dump(value, flags, stream))
        return 0;
    return ferror(stream) ? attn_fail(error, "%s cannot be written", what)
                          : json_not_made(error, what, "text");
}

int json_write_file(const char *path, const json_t *value, size_t flags, attn_error *error) {
    attn_output output;
    if (attn_output_open(&output, path, error))
        return -1;
    if (dump(value, flags, output.stream) && !ferror(output.stream)) {
        attn_output_discard(&output);
        return json_not_made(error, path, "text");
    }
    return attn_output_commit(&output, error); /* which says why when the stream failed */
}
