/* Features against torchaudio's (tests/golden/make_fbank.py), and what reading audio refuses. */
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/npy.h"
#include "datasets/audio.h"
#include "datasets/fbank.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <float.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

static const double TOLERANCE = 1e-3;
static const float RANGE = 18; /* nepers below the peak of the frame */
static const char *const golden = "tests/golden/fbank";

static float row_peak(const float *row) {
    float peak = row[0];
    for (size_t b = 1; b < FBANK_BINS; b++)
        peak = fmaxf(peak, row[b]);
    return peak;
}

/* How many bins are beyond the tolerance. */
static size_t count_bad(const float *features, const float *expected, size_t frames, const char *name) {
    size_t bad = 0;
    for (size_t t = 0; t < frames; t++) {
        const float *row = expected + t * FBANK_BINS;
        float peak = row_peak(row);
        for (size_t b = 0; b < FBANK_BINS; b++) {
            double found = features[t * FBANK_BINS + b];
            if (row[b] >= peak - RANGE ? fabs(found - row[b]) <= TOLERANCE : isfinite(found))
                continue;
            if (!bad++)
                fprintf(stderr, "%s: frame %zu, bin %zu is %g, expected %g\n", name, t, b, found, row[b]);
        }
    }
    return bad;
}

static void check_golden(fbank *f, const char *name) {
    char wav[320], npy[320];
    snprintf(wav, sizeof wav, "%s/%s.wav", golden, name);
    snprintf(npy, sizeof npy, "%s/%s.npy", golden, name);
    attn_error error = {0};
    attn_array expected = {0};
    float *features;
    size_t frames, samples;
    assert_int_equal(attn_npy_read(&expected, npy, &error), 0);
    assert_int_equal(fbank_read(f, &features, &frames, &samples, wav, &error), 0);
    assert_int_equal(expected.rank, 2);
    assert_int_equal(expected.dims[0], frames);
    assert_int_equal(expected.dims[1], FBANK_BINS);
    assert_int_equal(frames, fbank_frames(samples));
    assert_int_equal(count_bad(features, expected.data, frames, name), 0);
    attn_free(features);
    attn_free(expected.data);
}

static void test_golden(void **state) {
    (void)state;
    attn_error error = {0};
    fbank *f = fbank_create(&error);
    assert_non_null(f);
    DIR *folder = opendir(golden);
    assert_non_null(folder);
    size_t signals = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[256];
        snprintf(name, sizeof name, "%s", entry->d_name);
        char *ending = strstr(name, ".wav");
        if (!ending)
            continue;
        *ending = '\0';
        check_golden(f, name);
        signals++;
    }
    closedir(folder);
    fbank_free(f);
    assert_true(signals >= 10);
}

static void test_frames(void **state) {
    (void)state;
    assert_int_equal(fbank_frames(0), 0);
    assert_int_equal(fbank_frames(399), 0);
    assert_int_equal(fbank_frames(400), 1);
    assert_int_equal(fbank_frames(559), 1);
    assert_int_equal(fbank_frames(560), 2);
    assert_int_equal(fbank_frames(16000), 98);
}

/* No energy at all, with and without an offset: every bin is at the floor, none is -inf or NaN. */
static void test_silence(void **state) {
    (void)state;
    attn_error error = {0};
    fbank *f = fbank_create(&error);
    assert_non_null(f);
    for (int k = 0; k < 2; k++) {
        float samples[FBANK_WINDOW], row[FBANK_BINS];
        for (size_t i = 0; i < FBANK_WINDOW; i++)
            samples[i] = 0.25f * (float)k;
        fbank_compute(f, row, samples, FBANK_WINDOW);
        for (size_t b = 0; b < FBANK_BINS; b++)
            assert_true(row[b] == logf(FLT_EPSILON));
    }
    fbank_free(f);
}

/* A file of `count` samples at a quarter of full scale. */
static const char *make_audio(const char *name, int format, int rate, int channels, size_t count) {
    const char *path = scratch_path(name);
    SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    for (size_t i = 0; i < count; i++) {
        float frame[2] = {0.25f, 0.25f};
        assert_int_equal(sf_writef_float(file, frame, 1), 1);
    }
    assert_int_equal(sf_close(file), 0);
    return path;
}

enum { FLAC = SF_FORMAT_FLAC | SF_FORMAT_PCM_16, WAV = SF_FORMAT_WAV | SF_FORMAT_FLOAT };

static void test_flac(void **state) {
    (void)state;
    attn_error error = {0};
    audio a;
    size_t claimed;
    const char *path = make_audio("fine.flac", FLAC, 16000, 1, 1000);
    assert_int_equal(audio_check(&claimed, path, &error), 0);
    assert_int_equal(claimed, 1000);
    assert_int_equal(audio_read(&a, path, &error), 0);
    assert_int_equal(a.count, 1000);
    for (size_t i = 0; i < a.count; i++)
        assert_true(a.samples[i] == 0.25f);
    attn_free(a.samples);
}

static void refuse(const char *path, const char *expected) {
    attn_error error = {0};
    fbank *f = fbank_create(&error);
    float *features;
    size_t frames, live = attn_alloc_live();
    assert_non_null(f);
    assert_int_equal(fbank_read(f, &features, &frames, NULL, path, &error), -1);
    assert_null(features);
    assert_true(attn_alloc_live() == live);
    if (!strstr(error.message, expected) || !strstr(error.message, path))
        fail_msg("\"%s\", expected \"%s\" and the path", error.message, expected);
    fbank_free(f);
}

static void test_refusals(void **state) {
    (void)state;
    refuse(make_audio("slow.flac", FLAC, 8000, 1, 1000), "8000 Hz, expected 16000 Hz");
    refuse(make_audio("wide.flac", FLAC, 16000, 2, 1000), "2 channels, expected 1");
    refuse(make_audio("short.flac", FLAC, 16000, 1, 399), "399 samples, shorter than one frame");
    refuse(make_audio("empty.wav", WAV, 16000, 1, 0), "no samples");
    refuse(scratch_file("text.flac", "not audio\n", 10), "not audio");
    refuse(scratch_file("nothing.flac", "", 0), "not audio");
    refuse(scratch_path("missing.flac"), "No such file");
    refuse(scratch_path(""), "not a regular file");
}

static void test_damaged(void **state) {
    (void)state;
    char bytes[20000];
    const char *whole = make_audio("whole.wav", WAV, 16000, 1, 2000);
    FILE *stream = fopen(whole, "rb");
    assert_non_null(stream);
    size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    assert_in_range(size, 8000, sizeof bytes - 1);

    float bad = NAN;
    memcpy(bytes + 4000, &bad, sizeof bad);
    refuse(scratch_file("nan.wav", bytes, size), "is not finite");

    const char *flac = make_audio("whole.flac", FLAC, 16000, 1, 60000);
    stream = fopen(flac, "rb");
    assert_non_null(stream);
    size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    assert_in_range(size, 1, sizeof bytes - 1);
    refuse(scratch_file("cut.flac", bytes, size / 2), "damaged after 12288 samples");
}

/* Each allocation refused in turn: an error, nothing leaked, nothing left to free. */
static int read_once(void *context, attn_error *error) {
    float *features = NULL;
    size_t frames;
    fbank *f = fbank_create(error);
    int result = f ? fbank_read(f, &features, &frames, NULL, context, error) : -1;
    attn_free(features);
    fbank_free(f);
    return result;
}

static void test_allocation(void **state) {
    (void)state;
    char *path = (char *)make_audio("alloc.flac", FLAC, 16000, 1, 2000);
    assert_true(refuse_each_allocation(read_once, path) >= 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),     cmocka_unit_test(test_frames),   cmocka_unit_test(test_silence),
        cmocka_unit_test(test_flac),       cmocka_unit_test(test_refusals), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
