#include "harness/machine/blas.h"

#include "base/home.h"

#include "attn/alloc.h"

#include <cblas.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Set by a restart to the core that it replaced: stops a second one, and is named in the results. */
static const char replaced_variable[] = "ATTNBENCH_BLAS_REPLACED";

/* OpenBLAS's x86 cores by the vector instructions that their sgemm uses. Names as openblas_get_corename has
 * them. */
static const struct {
    const char *core;
    attn_isa isa;
} cores[] = {
    {"Katmai", ATTN_ISA_BASE},       {"Coppermine", ATTN_ISA_BASE},
    {"Northwood", ATTN_ISA_BASE},    {"Prescott", ATTN_ISA_BASE},
    {"Banias", ATTN_ISA_BASE},       {"Atom", ATTN_ISA_BASE},
    {"Core2", ATTN_ISA_BASE},        {"Penryn", ATTN_ISA_BASE},
    {"Dunnington", ATTN_ISA_BASE},   {"Nehalem", ATTN_ISA_BASE},
    {"Athlon", ATTN_ISA_BASE},       {"Opteron", ATTN_ISA_BASE},
    {"Opteron_SSE3", ATTN_ISA_BASE}, {"Barcelona", ATTN_ISA_BASE},
    {"Nano", ATTN_ISA_BASE},         {"Sandybridge", ATTN_ISA_BASE},
    {"Bobcat", ATTN_ISA_BASE},       {"Bulldozer", ATTN_ISA_BASE},
    {"Piledriver", ATTN_ISA_BASE},   {"Steamroller", ATTN_ISA_BASE},
    {"Excavator", ATTN_ISA_AVX2},    {"Haswell", ATTN_ISA_AVX2},
    {"Zen", ATTN_ISA_AVX2},          {"SkylakeX", ATTN_ISA_AVX512},
    {"Cooperlake", ATTN_ISA_AVX512}, {"Sapphirerapids", ATTN_ISA_AVX512},
};

const char *blas_better_core(const char *core, attn_isa isa) {
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
        if (!strcasecmp(core, cores[i].core) && cores[i].isa < isa)
            return isa == ATTN_ISA_AVX512 ? "SkylakeX" : "Haswell";
    return NULL;
}

/* Builds of one version that divide work among threads in different ways are different libraries. */
static const char *threading(void) {
    switch (openblas_get_parallel()) {
    case OPENBLAS_SEQUENTIAL:
        return "serial";
    case OPENBLAS_THREAD:
        return "pthread";
    case OPENBLAS_OPENMP:
        return "openmp";
    default:
        return "unknown threads";
    }
}

void blas_read(blas_state *state) {
    const char *chosen = getenv("OPENBLAS_CORETYPE"), *replaced = getenv(replaced_variable);
    bool is_set = chosen && *chosen && !replaced;
    *state = (blas_state){.chosen = is_set && !strcasecmp(chosen, openblas_get_corename())};
    if (is_set && !state->chosen)
        snprintf(state->ignored, sizeof state->ignored, "%s", chosen);
    char name[24] = "OpenBLAS", version[24] = "";
    sscanf(openblas_get_config(), "%23s %23s", name, version);
    snprintf(state->library, sizeof state->library, "%s %s %s", name, version, threading());
    snprintf(state->core, sizeof state->core, "%s", openblas_get_corename());
    snprintf(state->replaced, sizeof state->replaced, "%s", replaced ? replaced : "");
    state->better = blas_better_core(state->core, attn_cpu_isa());
}

void blas_warn(const char *command, const blas_state *state) {
    if (state->ignored[0])
        fprintf(stderr, "attnbench %s: OpenBLAS does not take OPENBLAS_CORETYPE=%s and picked %s itself\n",
                command, state->ignored, state->core);
}

int blas_restart_if_needed(char **argv, attn_error *error) {
    blas_state state;
    blas_read(&state);
    blas_warn(argv[1], &state);
    if (!state.better || state.chosen || state.replaced[0])
        return 0;
    char *executable = home_executable(error);
    if (!executable)
        return -1;
    if (!setenv("OPENBLAS_CORETYPE", state.better, 1) && !setenv(replaced_variable, state.core, 1))
        execv(executable, argv);
    attn_fail(error, "restart with OPENBLAS_CORETYPE=%s failed: %s", state.better, strerror(errno));
    attn_free(executable);
    return -1;
}

json_t *blas_json(const blas_state *state, int threads) {
    json_t *blas = json_pack("{ss ss si sb}", "library", state->library, "core", state->core, "threads",
                             threads, "restarted", state->replaced[0] != '\0');
    if (blas && state->ignored[0])
        json_object_set_new(blas, "ignored_core", json_string(state->ignored));
    return blas;
}
