#include "attn/cpu.h"
#include "impl/kernels/isa/isa.h"
#include "impl/kernels/state.h"

ISA_DISPATCH(attn_state_kernels, attn_state)

size_t attn_state_floats(size_t width) {
    enum { LARGEST_VECTOR = 16 }; /* phi is padded to whole ones */
    return ATTN_STATE_ROWS * (width + LARGEST_VECTOR);
}
