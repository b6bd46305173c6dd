#include "attn/cpu.h"
#include "impl/kernels/isa/isa.h"
#include "impl/train/passes/rows.h"

#ifdef ATTN_TRAIN_F64
extern const attn_train_row_kernels ISA_NAME(attn_train_rows);
const attn_train_row_kernels *attn_train_rows(void) {
    return &ISA_NAME(attn_train_rows);
}
#else
ISA_DISPATCH(attn_train_row_kernels, attn_train_rows)
#endif
