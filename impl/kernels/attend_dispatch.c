#include "attn/cpu.h"
#include "impl/kernels/attend.h"
#include "impl/kernels/isa/isa.h"

ISA_DISPATCH(attn_attend_kernels, attn_attend)

size_t attn_attend_floats(size_t k_width, size_t v_width) {
    return ATTN_ATTEND_BLOCK * (2 * k_width + v_width);
}
