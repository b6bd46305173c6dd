/* Linear maps by a weight in panels (impl/kernels/panels.h): the outputs of a panel are the lanes of vectors, so that
 * nothing is summed across lanes, and the weight is one stream from memory. The values of the rows are laid side by
 * side, 16 rows together, for as many columns as stay near the core. */
#ifndef KERNELS_ISA_PANELS_H
#define KERNELS_ISA_PANELS_H

#include "impl/kernels/isa/transpose.h"
#include "impl/kernels/panels.h"

enum {
    PANEL_VECS = ATTN_PANEL / VL,
    GROUP = 16,          /* rows whose values lie side by side */
    GROUPS = 4,          /* that use a panel one after the other while it is near the core */
    GROUP_COLUMNS = 256, /* of the rows, at once */
    PANEL_AHEAD = 2048   /* bytes: how far before its use a panel is asked of memory */
};

/* Where a tile goes: y += sums, or y = start + sums. */
typedef struct panel_output {
    float *y;
    size_t ldy;
    const float *start; /* [ATTN_PANEL], or NULL */
    size_t rows, width; /* that there are */
} panel_output;

INLINE void put_lanes(float *y, const float *from, vec sum, size_t n) {
    if (n == VL)
        store(y, load(from) + sum);
    else
        store_part(y, load_part(from, n) + sum, n);
}

/* x [columns, GROUP], panel [columns, ATTN_PANEL]: rt rows with all outputs of the panel. */
TILE void panel_tile(const panel_output *to, const float *x, const float *panel, size_t columns, bool streams,
                     size_t rt) {
    vec acc[TALL * PANEL_VECS];
    UNROLL
    for (size_t i = 0; i < rt * PANEL_VECS; i++)
        acc[i] = (vec){0};
    for (size_t c = 0; c < columns; c++) {
        vec weight[PANEL_VECS];
        if (streams)
            __builtin_prefetch((const char *)(panel + c * ATTN_PANEL) + PANEL_AHEAD);
        UNROLL
        for (size_t v = 0; v < PANEL_VECS; v++)
            weight[v] = load(panel + c * ATTN_PANEL + v * VL);
        UNROLL
        for (size_t r = 0; r < rt; r++)
            UNROLL
        for (size_t v = 0; v < PANEL_VECS; v++)
            acc[r * PANEL_VECS + v] += broadcast(x[c * GROUP + r]) * weight[v];
    }
    UNROLL
    for (size_t r = 0; r < rt; r++)
        UNROLL
    for (size_t v = 0; v < PANEL_VECS; v++) {
        float *y = to->y + r * to->ldy + v * VL;
        size_t left = to->width > v * VL ? to->width - v * VL : 0;
        if (r < to->rows && left)
            put_lanes(y, to->start ? to->start + v * VL : y, acc[r * PANEL_VECS + v], left < VL ? left : VL);
    }
}

/* Rows of a group, of which there are to->rows. */
static void panel_group(panel_output to, const float *x, const float *panel, size_t columns, bool streams) {
    for (size_t step; to.rows; to.rows -= step, to.y += step * to.ldy, x += step) {
        size_t tall = to.rows > 8 ? 16 : to.rows > 4 ? 8 : to.rows > 2 ? 4 : 2;
        if (tall > TALL)
            tall = TALL;
        if (tall == 16)
            panel_tile(&to, x, panel, columns, streams, TALL > 8 ? 16 : TALL);
        else if (tall == 8)
            panel_tile(&to, x, panel, columns, streams, TALL > 4 ? 8 : TALL);
        else if (tall == 4)
            panel_tile(&to, x, panel, columns, streams, TALL > 2 ? 4 : TALL);
        else
            panel_tile(&to, x, panel, columns, streams, 2);
        step = tall < to.rows ? tall : to.rows;
        streams = false;
    }
}

/* The first values of an output: `count` of bias, and zeros. */
static const float *panel_start(float start[ATTN_PANEL], const float *bias, size_t count) {
    memset(start, 0, ATTN_PANEL * sizeof *start);
    if (bias)
        memcpy(start, bias, (count < ATTN_PANEL ? count : ATTN_PANEL) * sizeof *start);
    return start;
}

static void linear_panels(float *y, size_t ldy, const float *x, size_t ldx, const float *panels,
                          const float *bias, bool adds, size_t rows, size_t out, size_t in) {
    _Alignas(64) float side[GROUPS * GROUP_COLUMNS * GROUP], start[ATTN_PANEL];
    /* Columns at once: where the rows are one group, it has the room of all groups. */
    const size_t most = (rows > GROUP ? 1 : GROUPS) * GROUP_COLUMNS, next = most * GROUP;
    for (size_t r = 0; r < rows; r += GROUPS * GROUP)
        for (size_t c = 0; c < in; c += most) {
            size_t columns = in - c < most ? in - c : most;
            size_t some = rows - r < GROUPS * GROUP ? rows - r : GROUPS * GROUP;
            for (size_t g = 0; g < some; g += GROUP) {
                matrix group =
                    matrix_of(x + (r + g) * ldx + c, ldx * sizeof *x, some - g < GROUP ? some - g : GROUP);
                transpose_rows(side + g / GROUP * next, GROUP, &group, columns);
            }
            for (size_t o = 0; o < out; o += ATTN_PANEL) {
                const float *first = c || adds ? NULL : panel_start(start, bias ? bias + o : NULL, out - o);
                for (size_t g = 0; g < some; g += GROUP) {
                    panel_output to = {y + (r + g) * ldy + o, ldy, first, some - g < GROUP ? some - g : GROUP,
                                       out - o};
                    panel_group(to, side + g / GROUP * next, panels + o * in + c * ATTN_PANEL, columns,
                                g == 0);
                }
            }
        }
}

#endif
