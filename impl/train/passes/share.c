#include "impl/train/passes/share.h"

enum { LINE = 16 }; /* values, so that parts do not write to the same line of a cache */

typedef struct sharing {
    size_t count, unit;
    const attn_ragged *rows; /* of utterances */
    attn_train_part *work;
    const void *context;
} sharing;

static void call(const sharing *s, attn_range r, size_t part) {
    if (r.begin < r.end)
        s->work(s->context, r.begin, r.end, part);
}

static void share_count(void *context, size_t part, size_t parts) {
    const sharing *s = context;
    call(s, attn_part_range(s->count, s->unit, part, parts), part);
}

void attn_train_share(size_t count, size_t unit, attn_train_part *work, const void *context) {
    sharing s = {.count = count, .unit = unit, .work = work, .context = context};
    attn_share(share_count, &s);
}

/* The first utterance whose middle is at or behind that share of the rows. */
static size_t cut(const attn_ragged *rows, size_t part, size_t parts) {
    size_t target = rows->rows * part / parts, u = 0;
    while (u < rows->utterances && (rows->start[u] + rows->start[u + 1]) / 2 < target)
        u++;
    return part == parts ? rows->utterances : u;
}

static void share_cut(void *context, size_t part, size_t parts) {
    const sharing *s = context;
    call(s, (attn_range){part ? cut(s->rows, part, parts) : 0, cut(s->rows, part + 1, parts)}, part);
}

void attn_train_share_utterances(const attn_ragged *rows, attn_train_part *work, const void *context) {
    sharing s = {.rows = rows, .work = work, .context = context};
    attn_share(share_cut, &s);
}

/* ---- Row functions ---- */

typedef struct mapping {
    void (*unary)(attn_real *y, const attn_real *x, size_t n);
    void (*binary)(attn_real *y, const attn_real *a, const attn_real *b, size_t n);
    attn_real *y;
    const attn_real *a, *b;
    size_t n; /* of a row */
} mapping;

static void map(const void *context, size_t begin, size_t end, size_t part) {
    const mapping *m = context;
    (void)part;
    if (m->unary)
        m->unary(m->y + begin, m->a + begin, end - begin);
    else
        m->binary(m->y + begin, m->a + begin, m->b + begin, end - begin);
}

void attn_train_unary(void (*function)(attn_real *y, const attn_real *x, size_t n), attn_real *y,
                      const attn_real *x, size_t count) {
    mapping m = {.unary = function, .y = y, .a = x};
    attn_train_share(count, LINE, map, &m);
}

void attn_train_binary(void (*function)(attn_real *y, const attn_real *a, const attn_real *b, size_t n),
                       attn_real *y, const attn_real *a, const attn_real *b, size_t count) {
    mapping m = {.binary = function, .y = y, .a = a, .b = b};
    attn_train_share(count, LINE, map, &m);
}

static void glu(const void *context, size_t begin, size_t end, size_t part) {
    const mapping *m = context;
    (void)part;
    for (size_t r = begin; r < end; r++)
        attn_train_rows()->glu(m->y + r * m->n, m->a + 2 * r * m->n, m->n);
}

void attn_train_glu(attn_real *y, const attn_real *x, size_t rows, size_t n) {
    mapping m = {.y = y, .a = x, .n = n};
    attn_train_share(rows, 1, glu, &m);
}

static void glu_backward(const void *context, size_t begin, size_t end, size_t part) {
    const mapping *m = context;
    (void)part;
    for (size_t r = begin; r < end; r++)
        attn_train_rows()->glu_backward(m->y + 2 * r * m->n, m->a + r * m->n, m->b + 2 * r * m->n, m->n);
}

void attn_train_glu_backward(attn_real *dx, const attn_real *dy, const attn_real *x, size_t rows, size_t n) {
    mapping m = {.y = dx, .a = dy, .b = x, .n = n};
    attn_train_share(rows, 1, glu_backward, &m);
}
