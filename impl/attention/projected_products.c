#include "impl/attention/projected_products.h"

#include "attn/size.h"
#include "impl/kernels/attend.h"
#include "impl/kernels/kernels.h"
#include "impl/kernels/panels.h"

#include <string.h>

attn_projected_rows attn_projected_heads(attn_projected_rows p, size_t head) {
    if (p.data)
        p.data += head * p.head;
    return p;
}

/* Some positions inside of a panel. */
static void multiply_inside(float *y, size_t ldy, const float *x, size_t m, size_t d_k, const float *panel,
                            size_t first, size_t count) {
    enum { ROWS = 16 };
    float all[ROWS * ATTN_PANEL];
    for (size_t r = 0; r < m; r += ROWS) {
        size_t some = attn_smaller(ROWS, m - r);
        attn_attend()->linear_panels(all, ATTN_PANEL, x + r * d_k, d_k, panel, NULL, false, some, ATTN_PANEL,
                                     d_k);
        for (size_t i = 0; i < some; i++)
            memcpy(y + (r + i) * ldy, all + i * ATTN_PANEL + first, count * sizeof *y);
    }
}

static void multiply_panels(float *y, size_t ldy, const float *x, size_t m, size_t d_k, const float *panels,
                            size_t first, size_t count) {
    size_t inside = first % ATTN_PANEL;
    const float *panel = panels + (first - inside) * d_k;
    if (inside) {
        size_t some = attn_smaller(count, ATTN_PANEL - inside);
        multiply_inside(y, ldy, x, m, d_k, panel, inside, some);
        panel += ATTN_PANEL * d_k;
        y += some;
        count -= some;
    }
    attn_attend()->linear_panels(y, ldy, x, d_k, panel, NULL, false, m, count, d_k);
}

void attn_projected_multiply(float *y, size_t ldy, const float *x, size_t m, size_t d_k,
                             const attn_projected_rows *p, size_t first, size_t count) {
    if (!m || !count)
        return;
    if (p->panels)
        multiply_panels(y, ldy, x, m, d_k, p->data, p->at + first, count);
    else
        attn_gemm_nt(m, count, d_k, 1.0f, x, d_k, p->data + first * p->stride, p->stride, 0.0f, y, ldy);
}

size_t attn_projected_whole(const attn_projected_rows *p, size_t first, size_t count) {
    return p->panels ? count - attn_smaller(count, (p->at + first + count) % ATTN_PANEL) : 0;
}
