/* The LibriSpeech-layout reader: what it lists, in which order, and what it refuses. */
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/random.h"
#include "datasets/audio.h"
#include "datasets/corpus.h"
#include "datasets/transcripts.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <sndfile.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char root[256];

static void make_folder(const char *path) {
    attn_error error = {0};
    assert_int_equal(attn_make_folder(path, &error), 0);
}

static void put_text(const char *name, const char *text) {
    char path[512];
    attn_error error = {0};
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(attn_write_file(path, text, strlen(text), &error), 0);
}

static void put_audio(const char *name, int format) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    SF_INFO info = {.samplerate = AUDIO_RATE, .channels = 1, .format = format | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    float samples[800] = {0};
    assert_non_null(file);
    assert_int_equal(sf_writef_float(file, samples, 800), 800);
    assert_int_equal(sf_close(file), 0);
}

static void put_flac(const char *name) {
    put_audio(name, SF_FORMAT_FLAC);
}

/* A corpus of its own for each test: speakers 7 and 10, three utterances. */
static int make_corpus(void **state) {
    static int nth;
    (void)state;
    char path[512];
    char name[32];
    snprintf(name, sizeof name, "corpus%d", nth++);
    snprintf(root, sizeof root, "%s", scratch_path(name));
    static const char *const folders[] = {"test/7/70", "test/10/3", "dev/7/71"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        make_folder(path);
    }
    put_flac("test/7/70/7-70-0000.flac");
    put_flac("test/7/70/7-70-0001.flac");
    put_text("test/7/70/7-70.trans.txt", "7-70-0001 ONE  TWO \r\n\n7-70-0000 ZERO");
    put_flac("test/10/3/10-3-0000.flac");
    put_text("test/10/3/10-3.trans.txt", "10-3-0000 NINE\n");
    put_text("README.TXT", "not looked at");
    return 0;
}

static void test_reads(void **state) {
    (void)state;
    attn_error error = {0};
    corpus c;
    size_t live = attn_alloc_live();
    assert_int_equal(corpus_read(&c, root, "test", &error), 0);
    assert_int_equal(c.count, 3);
    assert_string_equal(c.utterances[0].id, "10-3-0000");
    assert_string_equal(c.utterances[1].id, "7-70-0000");
    assert_string_equal(c.utterances[2].id, "7-70-0001");
    assert_string_equal(c.utterances[0].transcript, "NINE");
    assert_string_equal(c.utterances[1].transcript, "ZERO");
    assert_string_equal(c.utterances[2].transcript, "ONE  TWO");
    for (size_t i = 0; i < c.count; i++) {
        audio a;
        assert_int_equal(audio_read(&a, c.utterances[i].path, &error), 0);
        assert_int_equal(a.count, 800);
        attn_free(a.samples);
    }
    corpus_free(&c);
    assert_true(attn_alloc_live() == live);
}

enum { MD5_START = 26, MD5_END = 42 }; /* in STREAMINFO */

static char *put_noise_flac(const char *path, size_t *size) {
    SF_INFO info = {.samplerate = AUDIO_RATE, .channels = 1, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    float samples[400];
    uint64_t seed = 3;
    attn_error error = {0};
    attn_random_uniform(samples, 400, 0.5f, &seed);
    assert_non_null(file);
    assert_int_equal(sf_writef_float(file, samples, 400), 400);
    assert_int_equal(sf_close(file), 0);
    char *bytes = attn_read_file(path, 1 << 20, size, &error);
    assert_non_null(bytes);
    return bytes;
}

static int reads_flac(const char *path, const char *bytes, size_t size) {
    attn_error error = {0};
    audio a;
    assert_int_equal(attn_write_file(path, bytes, size, &error), 0);
    int result = audio_read(&a, path, &error);
    attn_free(a.samples);
    return result;
}

/* One damaged bit of a frame, or a missing end, never goes unnoticed; without an MD5 the frame's checksum is
 * left. */
static void test_damaged_flac(void **state) {
    (void)state;
    char path[512];
    size_t size, first = 0;
    snprintf(path, sizeof path, "%s/noise.flac", root);
    char *bytes = put_noise_flac(path, &size);
    while (memcmp(bytes + first, "\xff\xf8", 2))
        first++;
    assert_int_equal(reads_flac(path, bytes, size), 0);
    for (size_t i = first; i < size; i += i < first + 16 || i + 16 > size ? 1 : 7) {
        bytes[i] ^= (char)(1 << i % 8);
        assert_int_equal(reads_flac(path, bytes, size), -1);
        assert_int_equal(reads_flac(path, bytes, i), -1);
        bytes[i] ^= (char)(1 << i % 8);
    }
    bytes[MD5_START] ^= 1;
    assert_int_equal(reads_flac(path, bytes, size), -1);
    memset(bytes + MD5_START, 0, MD5_END - MD5_START);
    assert_int_equal(reads_flac(path, bytes, size), 0);
    bytes[size - 9] ^= 1;
    assert_int_equal(reads_flac(path, bytes, size), -1);
    attn_free(bytes);
}

static void refuse(const char *split, const char *expected) {
    attn_error error = {0};
    corpus c;
    size_t live = attn_alloc_live();
    assert_int_equal(corpus_read(&c, root, split, &error), -1);
    assert_int_equal(c.count, 0);
    assert_null(c.utterances);
    assert_true(attn_alloc_live() == live);
    if (!strstr(error.message, expected))
        fail_msg("\"%s\", expected \"%s\"", error.message, expected);
}

static void test_splits(void **state) {
    (void)state;
    refuse("train", "no split \"train\", there is: dev, test");
    refuse(NULL, "which split? There is: dev, test");
    refuse("", "there is: dev, test");
    refuse("README.TXT", "there is: dev, test");
    refuse("dev", "no utterances");
    snprintf(root, sizeof root, "%s", scratch_path("nowhere"));
    refuse("test", "No such file");
}

static void test_no_transcript(void **state) {
    (void)state;
    put_flac("test/7/70/7-70-0002.flac");
    refuse("test", "7-70-0002.flac: no transcript in ");
}

static void test_no_transcripts_file(void **state) {
    (void)state;
    put_flac("dev/7/71/7-71-0000.flac");
    refuse("dev", "7-71.trans.txt: cannot be read: No such file");
}

static void test_no_audio(void **state) {
    (void)state;
    put_text("test/10/3/10-3.trans.txt", "10-3-0000 NINE\n10-3-0001 LOST\n");
    refuse("test", "10-3.trans.txt: utterance 10-3-0001 has no audio");
}

static void test_wav_and_any_case(void **state) {
    (void)state;
    put_audio("dev/7/71/7-71-0000.wav", SF_FORMAT_WAV);
    put_audio("dev/7/71/7-71-0001.WAV", SF_FORMAT_WAV);
    put_flac("dev/7/71/7-71-0002.FLAC");
    put_text("dev/7/71/7-71.trans.txt", "7-71-0000 ZERO\n7-71-0001 ONE\n7-71-0002 TWO\n");
    attn_error error = {0};
    corpus c;
    assert_int_equal(corpus_read(&c, root, "dev", &error), 0);
    assert_int_equal(c.count, 3);
    static const char *const endings[] = {"/7-71-0000.wav", "/7-71-0001.WAV", "/7-71-0002.FLAC"};
    for (size_t i = 0; i < 3; i++) {
        audio a;
        assert_non_null(strstr(c.utterances[i].path, endings[i]));
        assert_int_equal(strlen(c.utterances[i].id), strlen("7-71-0000"));
        assert_int_equal(audio_read(&a, c.utterances[i].path, &error), 0);
        assert_int_equal(a.count, 800);
        attn_free(a.samples);
    }
    corpus_free(&c);
    put_flac("dev/7/71/7-71-0000.flac");
    refuse("dev", "7-71-0000.flac and 7-71-0000.wav are one utterance twice");
}

static void test_other_audio(void **state) {
    (void)state;
    put_text("test/10/3/10-3.trans.txt", "10-3-0000 NINE\n10-3-0001 LOST\n");
    put_text("test/10/3/10-3-0001.opus", "not looked into");
    refuse("test", "10-3-0001.opus: only FLAC and WAV are read");
    put_text("test/10/3/10-3.trans.txt", "10-3-0000 NINE\n10-3-0002 LOST\n");
    refuse("test", "10-3-0002 has no audio");
}

static void test_other_layouts(void **state) {
    (void)state;
    put_text("dev/transcripts.txt", "7_71_0000\tZERO\n");
    refuse("dev", "looks like the layout of MLS");
    put_audio("dev/7/71/7_71_000000_000000.wav", SF_FORMAT_WAV);
    refuse("dev", "7-71.trans.txt: cannot be read: No such file or directory: the transcripts of ");
    put_text("dev/7/71/7-71.trans.txt", "7-71-0000 ZERO\n");
    refuse("dev", "7_71_000000_000000.wav: expected a name that starts with 7-71-, as LibriSpeech has them");
}

/* Numbers of another unit, such as 16-bit samples kept as floats, are not speech at full scale. */
static void test_floats_of_integers(void **state) {
    (void)state;
    static const float loud[] = {1.5f, 99.0f, 101.0f, 32767.0f, 3e38f, -3e38f};
    char path[512];
    snprintf(path, sizeof path, "%s/loud.wav", root);
    for (size_t i = 0; i < sizeof loud / sizeof *loud; i++) {
        SF_INFO info = {.samplerate = AUDIO_RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
        SNDFILE *file = sf_open(path, SFM_WRITE, &info);
        float samples[800] = {[3] = loud[i]};
        assert_non_null(file);
        assert_int_equal(sf_writef_float(file, samples, 800), 800);
        assert_int_equal(sf_close(file), 0);
        attn_error error = {0};
        audio a;
        assert_int_equal(audio_read(&a, path, &error), i < 2 ? 0 : -1);
        if (i < 2)
            assert_true(a.samples[3] == loud[i]);
        else
            assert_non_null(strstr(error.message, "loud.wav: sample 3 is "));
        attn_free(a.samples);
    }
}

static void test_foreign_audio(void **state) {
    (void)state;
    put_flac("test/10/3/10-4-0000.flac");
    refuse("test", "10-4-0000.flac: expected a name that starts with 10-3-");
}

/* A link to a chapter is a chapter; hidden files and other files are not looked at. */
static void test_links_and_others(void **state) {
    (void)state;
    char from[512], to[512];
    snprintf(from, sizeof from, "%s/test/10", root);
    snprintf(to, sizeof to, "%s/dev/10", root);
    assert_int_equal(symlink(from, to), 0);
    put_text("test/10/3/.10-3-0009.flac", "hidden");
    put_text("test/10/3/notes.txt", "notes");
    attn_error error = {0};
    corpus c;
    assert_int_equal(corpus_read(&c, root, "dev", &error), 0);
    assert_int_equal(c.count, 1);
    corpus_free(&c);
}

/* An id that is another's beginning: byte order of file names and of ids differ here. */
static void test_prefix_ids(void **state) {
    (void)state;
    put_flac("dev/7/71/7-71-1.flac");
    put_flac("dev/7/71/7-71-1-b.flac");
    put_text("dev/7/71/7-71.trans.txt", "7-71-1 ONE\n7-71-1-b TWO\n");
    attn_error error = {0};
    corpus c;
    assert_int_equal(corpus_read(&c, root, "dev", &error), 0);
    assert_int_equal(c.count, 2);
    assert_string_equal(c.utterances[0].transcript, "ONE");
    assert_string_equal(c.utterances[1].transcript, "TWO");
    corpus_free(&c);
}

static void test_order(void **state) {
    (void)state;
    static const int order[] = {5, 1, 8, 4, 2, 7, 0, 3, 6};
    char name[64], text[512] = "";
    for (size_t i = 0; i < 9; i++) {
        size_t used = strlen(text);
        snprintf(name, sizeof name, "dev/7/71/7-71-%d.flac", order[i]);
        put_flac(name);
        snprintf(text + used, sizeof text - used, "7-71-%d WORD\n", order[i]);
    }
    put_text("dev/7/71/7-71.trans.txt", text);
    attn_error error = {0};
    corpus c;
    assert_int_equal(corpus_read(&c, root, "dev", &error), 0);
    assert_int_equal(c.count, 9);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(c.utterances[i].id[5], '0' + (int)i);
    corpus_free(&c);
}

static int read_once(void *context, attn_error *error) {
    corpus c;
    (void)context;
    int result = corpus_read(&c, root, "test", error);
    corpus_free(&c);
    return result;
}

static void test_allocation(void **state) {
    (void)state;
    assert_true(refuse_each_allocation(read_once, NULL) >= 20);
}

static void test_bad_transcripts(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"1-2-0000 A\n1-2-0001\n",
         "T: line 2: \"1-2-0001\", expected an utterance's id, a space and its words"},
        {"1-2-0000 \t\n", "line 1"},
        {" 1-2-0000 A\n", "line 1"},
        {"1-2-0000 A\n1-2-0000 B\n", "utterance 1-2-0000 is there twice"},
        {"\xff-2 A\n", "byte 1 of the utterance's id is 0xff"},
        {"../x A\n", "0x2f, expected printable ASCII without a slash"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        attn_error error = {0};
        transcripts t;
        assert_int_equal(transcripts_parse(&t, cases[i].text, strlen(cases[i].text), "T", &error), -1);
        assert_null(t.lines);
        if (!strstr(error.message, cases[i].expected))
            fail_msg("\"%s\", expected \"%s\"", error.message, cases[i].expected);
    }
    attn_error error = {0};
    transcripts t;
    assert_int_equal(transcripts_parse(&t, "1 A\0B\n", 6, "T", &error), -1);
    assert_non_null(strstr(error.message, "NUL"));
    error = (attn_error){0};
    assert_int_equal(transcripts_parse(&t, "", 0, "T", &error), 0);
    assert_int_equal(t.count, 0);
    assert_null(transcripts_find(&t, "1"));
    transcripts_free(&t);
}

#define IN_A_CORPUS(test) cmocka_unit_test_setup(test, make_corpus)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_CORPUS(test_reads),
        IN_A_CORPUS(test_damaged_flac),
        IN_A_CORPUS(test_splits),
        IN_A_CORPUS(test_no_transcript),
        IN_A_CORPUS(test_no_transcripts_file),
        IN_A_CORPUS(test_no_audio),
        IN_A_CORPUS(test_wav_and_any_case),
        IN_A_CORPUS(test_other_audio),
        IN_A_CORPUS(test_other_layouts),
        IN_A_CORPUS(test_floats_of_integers),
        IN_A_CORPUS(test_foreign_audio),
        IN_A_CORPUS(test_links_and_others),
        IN_A_CORPUS(test_prefix_ids),
        IN_A_CORPUS(test_order),
        IN_A_CORPUS(test_allocation),
        cmocka_unit_test(test_bad_transcripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
