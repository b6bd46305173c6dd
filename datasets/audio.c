#include "datasets/audio.h"

#include "attn/alloc.h"
#include "datasets/flac.h"
#include "datasets/wav.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { FIRST_BLOCK = 1 << 18 };
static const float LOUDEST = 100; /* 40 dB above full scale: no recording, but numbers of another unit */

/* libsndfile's own words for a missing file or a folder are "System error". */
static int check_regular(const char *path, attn_error *error) {
    struct stat status;
    if (stat(path, &status))
        return attn_fail(error, "%s: cannot be read: %s", path, strerror(errno));
    return S_ISREG(status.st_mode) ? 0 : attn_fail(error, "%s: not a regular file", path);
}

static SNDFILE *open_checked(size_t *claimed, bool *is_flac, const char *path, attn_error *error) {
    if (check_regular(path, error))
        return NULL;
    SF_INFO info = {0};
    errno = 0;
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (!file) {
        if (sf_error(NULL) == SF_ERR_SYSTEM && errno)
            attn_fail(error, "%s: cannot be read: %s", path, strerror(errno));
        else
            attn_fail(error, "%s: not audio that can be read (%s), expected FLAC or WAV", path,
                      sf_strerror(NULL));
        return NULL;
    }
    *is_flac = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC;
    if (info.samplerate != AUDIO_RATE)
        attn_fail(error, "%s: %d Hz, expected %d Hz (resample it first)", path, info.samplerate, AUDIO_RATE);
    else if (info.channels != 1)
        attn_fail(error, "%s: %d channels, expected 1", path, info.channels);
    else if (*is_flac || !wav_check_whole(path, error)) {
        *claimed = info.frames > 0 && info.frames < SF_COUNT_MAX ? (size_t)info.frames : 0;
        return file;
    }
    sf_close(file);
    return NULL;
}

int audio_check(size_t *count, const char *path, attn_error *error) {
    bool is_flac;
    SNDFILE *file = open_checked(count, &is_flac, path, error);
    if (!file)
        return -1;
    sf_close(file);
    return 0;
}

/* The buffer follows what is decoded, not what the header claims: a damaged header may claim terabytes. */
static int read_all(audio *a, SNDFILE *file, const char *path, attn_error *error) {
    size_t room = 0;
    for (;;) {
        if (a->count == room) {
            room = room ? room * 2 : FIRST_BLOCK;
            float *grown = attn_realloc(a->samples, room, sizeof *grown, path, error);
            if (!grown)
                return -1;
            a->samples = grown;
        }
        sf_count_t got = sf_readf_float(file, a->samples + a->count, (sf_count_t)(room - a->count));
        if (got <= 0)
            break;
        a->count += (size_t)got;
    }
    return sf_error(file)
               ? attn_fail(error, "%s: damaged after %zu samples (%s)", path, a->count, sf_strerror(file))
               : 0;
}

static int check_samples(const audio *a, size_t claimed, const char *path, attn_error *error) {
    if (claimed && a->count != claimed)
        return attn_fail(error, "%s: %zu samples, its header says %zu", path, a->count, claimed);
    if (a->count == 0)
        return attn_fail(error, "%s: no samples", path);
    for (size_t i = 0; i < a->count; i++)
        if (!isfinite(a->samples[i]))
            return attn_fail(error, "%s: sample %zu is not finite", path, i);
        else if (fabsf(a->samples[i]) > LOUDEST)
            return attn_fail(error,
                             "%s: sample %zu is %g, expected -1 to 1 (floats in the range of integers?)",
                             path, i, (double)a->samples[i]);
    return 0;
}

int audio_read(audio *a, const char *path, attn_error *error) {
    *a = (audio){0};
    size_t claimed;
    bool is_flac;
    SNDFILE *file = open_checked(&claimed, &is_flac, path, error);
    if (!file)
        return -1;
    int result = is_flac ? flac_read(&a->samples, &a->count, path, error) : read_all(a, file, path, error);
    if (!result)
        result = check_samples(a, claimed, path, error);
    sf_close(file);
    if (result) {
        attn_free(a->samples);
        *a = (audio){0};
    }
    return result;
}
