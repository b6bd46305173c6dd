#include "impl/kernels/panels.h"

#include "attn/cpu.h"
#include "attn/size.h"

bool attn_panels_pay(void) {
    return attn_cpu_isa() != ATTN_ISA_BASE;
}

size_t attn_panels_floats(size_t out, size_t in) {
    size_t panels = out / ATTN_PANEL + (out % ATTN_PANEL != 0);
    return attn_times(attn_times(panels, ATTN_PANEL), in);
}

void attn_panels_fill(float *panels, const float *weight, size_t step_out, size_t step_in, size_t out,
                      size_t in) {
    for (size_t o = 0; o < out; o += ATTN_PANEL)
        for (size_t i = 0; i < in; i++)
            for (size_t lane = 0; lane < ATTN_PANEL; lane++, panels++)
                *panels = o + lane < out ? weight[(o + lane) * step_out + i * step_in] : 0.0f;
}
