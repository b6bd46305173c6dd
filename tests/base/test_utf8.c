/* Text that need not be UTF-8, mended, against jansson's own idea of what is. */
#include "tests/support/cmocka_all.h"

#include "base/text/utf8.h"

#include "attn/random.h"

#include <string.h>

static void test_known(void **state) {
    (void)state;
    static const struct {
        const char *given, *mended;
    } texts[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xce\xbc \xe2\x80\x94 \xf0\x9f\x90\xa2", "\xce\xbc \xe2\x80\x94 \xf0\x9f\x90\xa2"},
        {"caf\xe9", "caf"}, /* may be the start of one that was cut */
        {"caf\xe9!", "caf?!"},
        {"cut \xe2\x80", "cut "},
        {"cut \xf0\x9f\x90", "cut "},
        {"\x80\xbf", "??"},
        {"\xc0\xaf", "??"},              /* overlong '/' */
        {"\xe0\x80\xaf", "???"},         /* likewise */
        {"\xed\xa0\x80", "???"},         /* half of a pair */
        {"\xf4\x90\x80\x80", "????"},    /* beyond the last */
        {"\xe2(\xce\xbc", "?(\xce\xbc"}, /* what follows is kept */
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *string = utf8_json(texts[i].given);
        assert_string_equal(json_string_value(string), texts[i].mended);
        json_decref(string);
    }
}

/* JSON takes the outcome for any input; what JSON takes anyway stays as it is. */
static void test_any_bytes(void **state) {
    (void)state;
    static const unsigned char likely[] = {0x41, 0x7f, 0x80, 0xbf, 0xc2, 0xdf, 0xe0, 0xa0,
                                           0xed, 0x9f, 0xef, 0xf0, 0x90, 0xf4, 0x8f, 0xff};
    uint64_t random = 3;
    for (int round = 0; round < 100000; round++) {
        char text[9] = "", mended[9];
        for (size_t i = 0, n = 1 + attn_random_below(&random, 8); i < n; i++)
            text[i] = (char)likely[attn_random_below(&random, sizeof likely)];
        memcpy(mended, text, sizeof mended);
        utf8_mend(mended);
        json_t *before = json_string(text), *after = json_string(mended);
        assert_non_null(after);
        assert_int_equal(utf8_is(text), before != NULL);
        if (before)
            assert_string_equal(text, mended);
        else
            assert_true(strcmp(text, mended) != 0);
        json_decref(before);
        json_decref(after);
    }
}

static void test_format(void **state) {
    (void)state;
    json_t *string = utf8_sprintf("%.4s and %d", "a\xe2\x80\x94z", 7);
    assert_string_equal(json_string_value(string), "a\xe2\x80\x94 and 7");
    json_decref(string);
    string = utf8_sprintf("%.3s and %d", "a\xe2\x80\x94z", 7);
    assert_string_equal(json_string_value(string), "a?? and 7");
    json_decref(string);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
