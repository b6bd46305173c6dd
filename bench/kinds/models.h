/* What cases of one attention layer and of whole encoders have in common. Private to bench/. */
#ifndef BENCH_KINDS_MODELS_H
#define BENCH_KINDS_MODELS_H

#include "bench/case.h"

/* Finds the mode, and sets mode and where. */
int models_read_mode(bench_case *c, const char *kind, const char *word, attn_error *error);

/* The new frames of a call, by mode where the row leaves them out. */
int models_complete_queries(bench_case *c, attn_error *error);

/* Fills impl, impl_name and isa from impl_choice: in its name a case says what "auto" took. Checks what the type of
 * attention says of the other fields. */
int models_complete(bench_case *c, attn_error *error);

/* The implementation that our own code runs with, also where it stands in for a peer. */
const char *models_impl_name(const bench_case *c);

/* Whether its attention marks where its parts begin: the plain references do not. */
bool models_marks_attention(const bench_case *c);

/* 0, or -1 and the reason: what the case asks for and this machine, or the library so far, lacks. */
int models_supported(const bench_case *c, attn_error *error);

#endif
