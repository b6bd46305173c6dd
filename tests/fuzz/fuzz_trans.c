/* The transcripts parser on any bytes: it accepts or refuses, and what it accepts can be found again. */
#include "attn/alloc.h"
#include "datasets/transcripts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t live = attn_alloc_live();
    attn_error error = {0};
    transcripts t;
    if (transcripts_parse(&t, (const char *)data, size, "input", &error)) {
        if (!error.message[0] || strchr(error.message, '\n') || t.lines || t.buffer)
            abort();
    } else {
        for (size_t i = 0; i < t.count; i++)
            if (transcripts_find(&t, t.lines[i].id) != t.lines[i].text || !t.lines[i].text[0])
                abort();
        transcripts_free(&t);
    }
    if (attn_alloc_live() != live)
        abort();
    return 0;
}
