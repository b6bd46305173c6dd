/* A call of a kernel with operands of its own, made from its row in impl/kernels/kernels.inc: what the check of a
 * kernel and its benchmark share. */
#ifndef BENCH_KERNEL_SETUP_H
#define BENCH_KERNEL_SETUP_H

#include "attn/element.h"
#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KERNEL_SIZES = 4, KERNEL_OPERANDS = 8 };

struct kernel_setup;

typedef struct kernel_row {
    const char *name;
    size_t most[KERNEL_SIZES], typical[KERNEL_SIZES]; /* m, n, k, p */
    double tolerance;
    void (*operands)(struct kernel_setup *s); /* asks for every operand once */
    void (*run)(struct kernel_setup *s);      /* calls the kernel, or the reference when s->plain */
    double (*flops)(const struct kernel_setup *s), (*bytes)(const struct kernel_setup *s);
} kernel_row;

extern const kernel_row kernel_rows[]; /* ended by a NULL name */

/* How the operands of a call are drawn. */
typedef struct kernel_draw {
    size_t size[KERNEL_SIZES];
    attn_element type;
    uint64_t seed;
    size_t gap;    /* between rows, in floats */
    bool flag;     /* what a row makes optional is there */
    int magnitude; /* IN_LARGE is times ten to this power, IN_SMALL divided by it */
    bool has_nan;  /* one number that is read is a NaN */
} kernel_draw;

typedef enum kernel_role { KERNEL_IN, KERNEL_OUT, KERNEL_INOUT, KERNEL_WORK } kernel_role;

typedef struct kernel_operand {
    const char *name;
    kernel_role role;
    size_t bytes;
    /* As it was drawn, for the kernel, for the reference; what is only read has the first alone. */
    char *block[3];
    size_t offset; /* bytes into each block: operands are aligned to their elements only */
} kernel_operand;

typedef struct kernel_setup {
    const kernel_row *row;
    kernel_draw draw;
    kernel_operand operand[KERNEL_OPERANDS];
    size_t operands;
    bool plain, has_cache; /* an operand of the row has a cache's type */
    uint64_t random;
    attn_error *error;
    bool failed;
} kernel_setup;

/* Allocates and fills the operands. Free with kernel_setup_free, also after a failure. */
int kernel_setup_init(kernel_setup *s, const kernel_row *row, const kernel_draw *draw, attn_error *error);
void kernel_setup_free(kernel_setup *s);

/* Puts back what the kernel (or, `plain`, the reference) writes to as it was drawn; s->row->run(s) calls it. */
void kernel_setup_restore(kernel_setup *s, bool plain);
void kernel_setup_run(kernel_setup *s, bool plain); /* both */

/* Whether the two agree; if not, `what` says where. max_error: the largest difference, in units of what the
 * tolerance is multiplied with. */
bool kernel_setup_agrees(const kernel_setup *s, double *max_error, char *what, size_t size);

#endif
