#include "attn/cpu.h"
#include "impl/kernels/isa/isa.h"
#include "impl/kernels/kernels.h"

ISA_DISPATCH(attn_row_kernels, attn_rows)
