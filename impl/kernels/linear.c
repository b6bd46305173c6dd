#include "attn/cpu.h"
#include "attn/threads.h"
#include "impl/kernels/attend.h"
#include "impl/kernels/kernels.h"
#include "impl/kernels/panels.h"

enum {
    LEAST_WORK = 1 << 16, /* multiply-adds worth sharing */
    ROWS = 4,             /* of the kernel's tiles, and where threads cut */
    COLUMNS = 32,         /* likewise */
    FEW_ROWS = 32,        /* for each thread: with fewer of them columns are cut */
    PANEL_ROWS = 4        /* with 4 rows or more, panels are faster than the weight as it lies */
};

/* Up to this many rows our kernels, which read the weight as it lies, are faster than OpenBLAS, which packs it
 * first: measured on maps of 512 and 2048 on a core with AVX-512, where it holds at least to 256 rows. */
static size_t most_rows(void) {
    static const size_t most[] = {[ATTN_ISA_BASE] = 0, [ATTN_ISA_AVX2] = 32, [ATTN_ISA_AVX512] = (size_t)-1};
    return most[attn_cpu_isa()];
}

typedef struct product {
    float *y;
    size_t ldy;
    const float *x;
    size_t ldx;
    const attn_linear *w;
    size_t rows;
    bool ours;   /* by our kernel that reads the weight as it lies */
    bool panels; /* by the one that reads panels */
} product;

static void map_rows(const product *p, attn_range rows, const attn_linear *w, size_t column) {
    float *y = p->y + rows.begin * p->ldy + column;
    const float *x = p->x + rows.begin * p->ldx;
    size_t count = rows.end - rows.begin;
    if (p->panels && w->panels)
        attn_attend()->linear_panels(y, p->ldy, x, p->ldx, w->panels, w->bias, false, count, w->out, w->in);
    else if (p->ours)
        attn_attend()->linear(y, p->ldy, x, p->ldx, w->weight, w->bias, count, w->out, w->in);
    else
        attn_linear_blas(y, p->ldy, x, p->ldx, w, count);
}

/* A part has some of the rows or, of few rows, some of the columns: the weight is then read once in all. */
static void map_part(void *context, size_t part, size_t parts) {
    const product *p = context;
    attn_range all = {0, p->rows};
    if (parts == 1) {
        map_rows(p, all, p->w, 0);
    } else if (p->rows >= FEW_ROWS * parts) {
        map_rows(p, attn_part_range(p->rows, ROWS, part, parts), p->w, 0);
    } else {
        attn_range columns = attn_part_range(p->w->out, COLUMNS, part, parts);
        attn_linear some = attn_linear_rows(p->w, columns.begin, columns.end - columns.begin);
        map_rows(p, all, &some, columns.begin);
    }
}

void attn_linear_fast(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    product p = {y, ldy, x, ldx, w, rows, rows <= most_rows(), rows >= PANEL_ROWS && attn_panels_pay()};
    if ((double)rows * (double)w->out * (double)w->in < LEAST_WORK)
        map_part(&p, 0, 1);
    else
        attn_share(map_part, &p);
}

void attn_fold_blas(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    attn_gemm_nn(rows, w->in, w->out, 1.0f, x, ldx, w->weight, w->in, 0.0f, y, ldy);
}

void attn_fold_fast(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    if (rows <= most_rows())
        attn_attend()->fold(y, ldy, x, ldx, w->weight, rows, w->out, w->in);
    else
        attn_fold_blas(y, ldy, x, ldx, w, rows);
}
