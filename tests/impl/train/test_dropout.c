/* Philox against the known answers of its authors (Random123, kat_vectors), and what dropout makes of it. */
#include "impl/train/passes/pass.h"
#include "impl/train/passes/philox.h"
#include "tests/support/cmocka_all.h"

#include <string.h>

static void expect(const uint32_t counter[4], const uint32_t key[2], const uint32_t word[4]) {
    attn_philox block = attn_philox_block(counter[0], counter + 1, key);
    assert_memory_equal(block.word, word, sizeof block.word);
}

static void test_known_answers(void **state) {
    (void)state;
    expect((uint32_t[]){0, 0, 0, 0}, (uint32_t[]){0, 0},
           (uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    expect((uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, (uint32_t[]){0xffffffff, 0xffffffff},
           (uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    expect((uint32_t[]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, (uint32_t[]){0xa4093822, 0x299f31d0},
           (uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

enum { COUNT = 100003 };
static float x[COUNT], y[COUNT];

static size_t drop(float *out, const attn_train_pass *pass, attn_dropout_site site, size_t lane) {
    size_t kept = 0;
    for (size_t i = 0; i < COUNT; i++)
        out[i] = 3;
    attn_train_dropout(out, COUNT, site, lane, pass);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(out[i] == 0 || out[i] == 3 / 0.75f);
        kept += out[i] != 0;
    }
    return kept;
}

static size_t both(void) {
    size_t count = 0;
    for (size_t i = 0; i < COUNT; i++)
        count += x[i] != 0 && y[i] != 0;
    return count;
}

/* Any other seed, step, layer, site or lane gives bits that know nothing of the first. */
static void test_dropout(void **state) {
    (void)state;
    attn_train_pass pass = {.dropout = 0.25, .seed = 0x100000005, .step = 6, .layer = 2}, other;
    assert_in_range(drop(x, &pass, ATTN_DROP_INNER, 4), 74200, 75800);
    for (int i = 0; i < 6; i++) {
        other = pass;
        other.seed += i == 0 ? 1 : i == 1 ? 0x100000000 : 0;
        other.step += i == 2;
        other.layer += i == 3;
        drop(y, &other, i == 4 ? ATTN_DROP_MERGED : ATTN_DROP_INNER, i == 5 ? 5 : 4);
        assert_in_range(both(), 55500, 57000);
    }
    drop(y, &pass, ATTN_DROP_INNER, 4);
    assert_memory_equal(x, y, sizeof x);
    pass.dropout = 0;
    y[7] = 11;
    attn_train_dropout(y, COUNT, ATTN_DROP_INNER, 4, &pass);
    assert_true(y[7] == 11);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_answers), cmocka_unit_test(test_dropout)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
