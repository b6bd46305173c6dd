/* Titles that say what a plot found, from its own lines; "" when they have nothing to say. A difference is called one
 * only where series_apart says so. */
#ifndef REPORTS_PLOTS_LOOK_TITLES_H
#define REPORTS_PLOTS_LOOK_TITLES_H

#include "reports/data/series.h"

typedef void title_function(char *text, size_t size, const series_lines *l);

/* "MLA 256 and GQA 2 keep 25% of MHA's bytes at L = 4096": the smallest caches, of a layer and of a stream. */
title_function title_smallest, title_stream_cache;
/* "Linear decodes in 0.11 of MHA's time at L = 4096": of decode, prefill and streams. */
title_function title_decode, title_prefill, title_stream;
/* "MLA: 512 numbers of latent take 2.3 times the time of 64", of the line that changes most. */
title_function title_latent_time, title_heads_time, title_kv_heads_time;
/* "MLA with a latent of 512 keeps 50% of MHA's bytes". */
title_function title_latent_bytes;
/* "MHA's cache has one size with 2 to 16 heads". */
title_function title_heads_bytes, title_kv_heads_bytes;
/* "Absorbing wins up to 64 new frames". */
title_function title_paths;

/* The line of that type and order of evaluation, or NULL. */
const series_line *title_path_line(const series_lines *l, const char *type, const char *path);
/* Up to which x `a` is faster than `b` and from where it is slower, where they are apart; NaN: nowhere. */
void title_crossing(const series_line *a, const series_line *b, double *faster_to, double *slower_from);

#endif
