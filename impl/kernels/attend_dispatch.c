#include "attn/cpu.h"
#include "impl/kernels/attend.h"
#include "impl/kernels/isa/isa.h"

ISA_DISPATCH(attn_attend_kernels, attn_attend)
