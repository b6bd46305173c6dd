/* The file: 64 bytes of head, features of one utterance after the other (float32 [frames, FBANK_BINS]), frames of each and
 * samples of all (uint64). It is as the machine that wrote it keeps numbers. */
#include "harness/model/speech/feature_file.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/hash.h"
#include "datasets/fbank.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char head[64] = "attnbench features 1: float32 [frames, 80]\n";

/* ---- Its name ---- */

/* attn_free it. */
static char *file_path(const char *folder, const char *split, const corpus *c, attn_error *error) {
    uint64_t hash = hash_text(HASH_START, head);
    if (corpus_hash_state(&hash, c, c->count, error))
        return NULL;
    return attn_format(error, "%s/%s-%016" PRIx64 ".features", folder, split, hash);
}

/* ---- Writing ---- */

static int write_utterances(attn_output *out, fbank *extractor, const corpus *c, uint64_t *tail,
                            attn_error *error) {
    for (size_t i = 0; i < c->count; i++) {
        float *features;
        size_t frames, samples;
        if (fbank_read(extractor, &features, &frames, &samples, c->utterances[i].path, error))
            return -1;
        tail[i] = frames;
        tail[c->count] += samples;
        fwrite(features, FBANK_BINS * sizeof *features, frames, out->stream);
        attn_free(features);
    }
    return 0;
}

/* What could not be written is found by the commit. */
static int make_file(const char *path, const corpus *c, attn_error *error) {
    attn_output out = {0};
    fbank *extractor = fbank_create(error);
    uint64_t *tail = attn_alloc(c->count + 1, sizeof *tail, "lengths of features", error);
    int result = -1;
    if (extractor && tail && !attn_output_open(&out, path, error)) {
        fwrite(head, sizeof head, 1, out.stream);
        result = write_utterances(&out, extractor, c, tail, error);
    }
    if (!result) {
        fwrite(tail, sizeof *tail, c->count + 1, out.stream);
        result = attn_output_commit(&out, error);
    }
    attn_output_discard(&out);
    attn_free(tail);
    fbank_free(extractor);
    return result;
}

/* ---- Reading ---- */

static int map_file(feature_file *f, const char *path, attn_error *error) {
    struct stat s;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0 && !fstat(file, &s) && s.st_size > 0) {
        void *map = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_SHARED, file, 0);
        if (map != MAP_FAILED)
            *f = (feature_file){map, (size_t)s.st_size};
    }
    int why = errno;
    if (file >= 0)
        close(file);
    return f->map ? 0 : attn_fail(error, "%s: cannot be mapped: %s", path, strerror(why));
}

static int take_up(const feature_file *f, const char *path, size_t count, const float **features,
                   size_t *frames, size_t *samples, attn_error *error) {
    const char *bytes = f->map;
    size_t ends = (count + 1) * sizeof(uint64_t), at = sizeof head, row = FBANK_BINS * sizeof(float);
    bool good = f->size >= at + ends && !memcmp(bytes, head, sizeof head);
    uint64_t length;
    for (size_t i = 0; good && i < count; i++) {
        memcpy(&length, bytes + f->size - ends + i * sizeof length, sizeof length);
        good = length <= (f->size - ends - at) / row;
        features[i] = (const float *)(const void *)(bytes + at);
        frames[i] = (size_t)length;
        at += good ? (size_t)length * row : 0;
    }
    if (!good || at != f->size - ends)
        return attn_fail(error, "%s: is no file of features of %zu utterances: remove it", path, count);
    memcpy(&length, bytes + f->size - sizeof length, sizeof length);
    *samples = (size_t)length;
    return 0;
}

int feature_file_open(feature_file *f, const char *folder, const char *split, const corpus *c,
                      const float **features, size_t *frames, size_t *samples, attn_error *error) {
    char *path = attn_make_folder(folder, error) ? NULL : file_path(folder, split, c, error);
    int result = path ? 0 : -1;
    *f = (feature_file){0};
    if (path && access(path, F_OK))
        result = make_file(path, c, error);
    if (!result)
        result =
            map_file(f, path, error) || take_up(f, path, c->count, features, frames, samples, error) ? -1 : 0;
    attn_free(path);
    return result;
}

void feature_file_close(feature_file *f) {
    if (f->map)
        munmap(f->map, f->size);
    *f = (feature_file){0};
}
