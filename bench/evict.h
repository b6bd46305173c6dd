/* Memory out of the caches of this CPU, for cases with cache:cold. Private to bench/. */
#ifndef BENCH_EVICT_H
#define BENCH_EVICT_H

/* Throws every block of attn_alloc out of all caches: weights, KV cache, input, output and workspace of the case. On x86
 * line by line (clflush); elsewhere by writing 4 times what the largest cache holds, at least 64 MiB. Code, the stack
 * and buffers of BLAS (which it fills anew in each product) stay as they are. */
void bench_evict(void);

#endif
