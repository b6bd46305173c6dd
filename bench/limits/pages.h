/* Memory in pages of a chosen size. Private to bench/. */
#ifndef BENCH_LIMITS_PAGES_H
#define BENCH_LIMITS_PAGES_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { PAGES_SMALL, PAGES_HUGE }; /* words of the field `pages` */

typedef struct pages {
    void *memory; /* zeros, aligned to 2 MiB; every page is there already */
    size_t size;
    void *mapped;
    size_t mapped_size;
} pages;

/* Zeros in the kernel's small pages or in transparent huge ones. ATTN_ERROR_UNSUPPORTED when huge ones are wanted and
 * the kernel gives fewer than nine tenths of the memory in them. pages_free is fine after -1 too. */
int pages_map(pages *p, size_t size, unsigned which, attn_error *error);
void pages_free(pages *p);

#endif
