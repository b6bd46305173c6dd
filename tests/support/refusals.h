/* Memory that is refused, at every place in turn. */
#ifndef TESTS_SUPPORT_REFUSALS_H
#define TESTS_SUPPORT_REFUSALS_H

#include "attn/error.h"

#include <stddef.h>

/* Frees what it made, whether it could do all of it or not. */
typedef int refused_work(void *context, attn_error *error);

/* Runs the work with its first allocation refused, then its second, until it succeeds. Every run that fails has
 * to say ATTN_ERROR_MEMORY, and none may leave a block behind. Returns how many failed. */
size_t refuse_each_allocation(refused_work *work, void *context);

#endif
