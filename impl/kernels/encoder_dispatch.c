#include "attn/cpu.h"
#include "impl/kernels/encoder_rows.h"
#include "impl/kernels/isa/isa.h"

ISA_DISPATCH(attn_encoder_row_kernels, attn_encoder_rows)
