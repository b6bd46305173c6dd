#include "tests/support/refusals.h"

#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"

enum { MOST = 10000 };

size_t refuse_each_allocation(refused_work *work, void *context) {
    size_t live = attn_alloc_live();
    for (size_t nth = 1; nth < MOST; nth++) {
        attn_error error = {0};
        attn_alloc_fail_at(nth);
        int result = work(context, &error);
        attn_alloc_fail_at(0);
        if (attn_alloc_live() != live)
            fail_msg("allocation %zu refused: %zu bytes are left", nth, attn_alloc_live() - live);
        if (!result)
            return nth - 1;
        if (error.code != ATTN_ERROR_MEMORY)
            fail_msg("allocation %zu refused: code %d, \"%s\"", nth, (int)error.code, error.message);
    }
    fail_msg("it never succeeded");
    return 0;
}
