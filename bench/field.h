/* The fields of a case as data: bench/fields.inc, a row each. */
#ifndef BENCH_FIELD_HEADER
#define BENCH_FIELD_HEADER

#include "bench/case.h"

#include <stdbool.h>
#include <stdio.h>

enum {
#define NUMBER(id, ...) BENCH_FIELD_##id,
#define CHOICE(id, ...) BENCH_FIELD_##id,
#include "bench/fields.inc"
    BENCH_FIELDS
};

typedef enum bench_needs {
    BENCH_NEEDS_NOTHING,
    BENCH_NEEDS_HEADS,
    BENCH_NEEDS_LATENT,
    BENCH_NEEDS_MERGE
} bench_needs;

typedef struct bench_field {
    const char *key;
    size_t offset;            /* in bench_case: of a size_t, or of an unsigned (or enum) that counts words */
    const char *const *words; /* of a choice, ended by NULL; NULL: a number */
    bool required;
    size_t fallback;        /* the default (0: the kind's own code fills it in) */
    size_t least, most;     /* numbers */
    unsigned rows, results; /* sets of bench_where: which cases have it in their rows, and in their results */
    /* Where it is left out of names at its default, and of results and tables too. */
    unsigned unnamed, unsaid;
    bench_needs needs; /* of the type or model */
    const char *plan;  /* key in a sweep; NULL: none */
    int rank;          /* among the keys of a sweep: 1 changes slowest */
    unsigned planned;  /* set of bench_where, together with `rows` */
    const char *about; /* for people */
} bench_field;

extern const bench_field bench_fields[BENCH_FIELDS];

/* The bit of a kind ("attention") and mode ("chunk"; of the machine "read"; of kernels any), or 0. */
bench_where bench_where_find(const char *kind, const char *mode);

/* The modes of a kind, for messages: "prefill, chunk, decode". */
void bench_where_modes(char *text, size_t size, const char *kind);

/* Whether a case of this set of bench_where, type and model takes the field. */
bool bench_field_applies(const bench_field *field, unsigned set, const bench_case *c);

size_t bench_field_get(const bench_field *field, const bench_case *c); /* a number, or the index of a word */
void bench_field_set(const bench_field *field, bench_case *c, size_t value);
bool bench_field_is_default(const bench_field *field, const bench_case *c);

/* For --help and docs/fields.md, three lines a field: what it is, the cases that take it, its values. */
void bench_fields_print(FILE *stream);

#endif
