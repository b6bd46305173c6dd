/* The plain references of the kernels, attn_plain_<name> for each row of kernels.inc: loops that read like the
 * equations, sums in double. Private to impl/ and its checks. Pure. */
#ifndef IMPL_KERNELS_PLAIN_H
#define IMPL_KERNELS_PLAIN_H

#include "impl/kernels/attend.h"
#include "impl/kernels/attend_shared.h"
#include "impl/kernels/encoder_rows.h"
#include "impl/kernels/kernels.h"
#include "impl/kernels/panels.h"
#include "impl/kernels/state.h"

#define KERNEL(name, function, ...) extern __typeof__(*(function)) attn_plain_##name;
#include "impl/kernels/kernels.inc"
#undef KERNEL

#endif
