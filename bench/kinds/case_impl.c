/* The key impl: an implementation, or an instruction set that our kernels are held to. */
#include "bench/kind.h"

#include "attn/cpu.h"

#include <string.h>

/* In its name a case says what "auto" took. */
int bench_impl_complete(bench_case *c, attn_error *error) {
    const char *asked = attn_impl_names[c->impl_choice];
    c->impl = attn_impl_find(c->variant, asked);
    if (!c->impl)
        return attn_fail(error, "impl: %s attention has no %s", c->variant->name, asked);
    for (unsigned i = 0; !strcmp(asked, "auto") && attn_impl_names[i]; i++)
        if (!strcmp(attn_impl_names[i], c->impl->name))
            c->impl_choice = i;
    c->impl_name = attn_impl_names[c->impl_choice];
    c->isa = attn_impl_isa(c->impl_name);
    return 0;
}

int bench_impl_supported(const bench_case *c, attn_error *error) {
    attn_error inner = {0};
    if (!strcmp(c->impl_name, c->impl->name) || !attn_cpu_has((attn_isa)c->isa, &inner))
        return 0;
    return attn_fail(error, "impl: %s", inner.message);
}
