/* Which kernels OpenBLAS picked for this CPU, and whether that was a good choice.
 *
 * A build of OpenBLAS knows the CPUs of its day. On a newer one it falls back to what it recognises: 0.3.21
 * takes Haswell's kernels on CPUs that have AVX-512, and sgemm runs at half its speed. The choice is made
 * when the library is loaded, from OPENBLAS_CORETYPE if that is set, so changing it takes a new process. */
#ifndef HARNESS_MACHINE_BLAS_H
#define HARNESS_MACHINE_BLAS_H

#include "attn/cpu.h"
#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct blas_state {
    char library[72];   /* "OpenBLAS 0.3.21 pthread", or serial or openmp */
    char core[32];      /* what is in use */
    const char *better; /* the core type to use instead; NULL when `core` is fine or not known to us */
    bool chosen;        /* the user set OPENBLAS_CORETYPE, and OpenBLAS followed */
    char ignored[32];   /* what the user set it to when OpenBLAS did not (it knows no such core); else "" */
    char replaced[32];  /* the core that this program's restart replaced; "" without one */
} blas_state;

void blas_read(blas_state *state);

/* The core type that suits a CPU with `isa` better than `core` does, or NULL. Only cores that are known to
 * leave vector instructions of the CPU unused are replaced. */
const char *blas_better_core(const char *core, attn_isa isa);

/* Runs this program again with a better OPENBLAS_CORETYPE when there is one, unless the user set it or this
 * is the new process already. Returns 0 when there was nothing to do; on success it does not return. To be
 * called before anything is printed or opened. */
int blas_restart_if_needed(char **argv, attn_error *error);

/* In one line that OpenBLAS does not know the OPENBLAS_CORETYPE that was set; nothing when there is nothing
 * to say. */
void blas_warn(const char *command, const blas_state *state);

/* The object "blas" of the results file; `threads` is what the measuring processes get. */
json_t *blas_json(const blas_state *state, int threads);

#endif
