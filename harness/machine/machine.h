/* What this runs on: CPU, caches, memory, kernel. */
#ifndef HARNESS_MACHINE_MACHINE_H
#define HARNESS_MACHINE_MACHINE_H

#include "attn/error.h"

#include <jansson.h>
#include <stddef.h>

enum { MACHINE_CACHES = 8 };

typedef struct machine_cache {
    int level;
    char type[16]; /* "Data", "Instruction", "Unified" */
    size_t bytes;
    int sharing; /* CPUs that share it */
} machine_cache;

/* What could not be found out is "" or 0 (family and model: -1), and null in JSON. */
typedef struct machine {
    char cpu[128];     /* as the CPU calls itself; on arm64 implementer and part */
    char vendor[32];   /* arm64: implementer */
    int family, model; /* arm64: architecture and part number */
    int cpus;          /* online */
    double mhz;        /* highest of cpufreq, else as /proc/cpuinfo says now */
    const char *isa;   /* what our kernels use: attn_cpu_isa() */
    size_t caches;
    machine_cache cache[MACHINE_CACHES];
    size_t memory_bytes;
    char host[64], kernel[128], architecture[32];
    char hypervisor[32]; /* "" also when there is none */
    char governor[32];
    char huge_pages[16]; /* transparent ones: "always", "madvise" or "never" */
} machine;

/* `root` stands for "/" when reading /proc and /sys (tests); NULL is the machine itself. */
void machine_read(machine *m, const char *root);

/* The machine itself, read once, at the first call. For reasons and messages, which need it often; not where a process
 * moves between cores of different kinds. One thread at a time. */
const machine *machine_here(void);

/* Data or unified cache of a level: its size, 0 when unknown. */
size_t machine_cache_bytes(const machine *m, int level);

/* The objects "machine" and "build" of the results file, and Google Benchmark's list of caches. NULL when
 * memory is short. */
json_t *machine_json(const machine *m);
json_t *machine_caches_json(const machine *m);
json_t *machine_build_json(void);

/* Names what must agree before two speeds may be compared: CPU, instruction set in use, caches, number of
 * CPUs, hypervisor, governor, huge pages, and the BLAS with its core type. The kernel, the compiler and the commit are
 * not in it. */
enum { MACHINE_FINGERPRINT = 24 };
void machine_fingerprint(char name[MACHINE_FINGERPRINT], const machine *m, const char *blas_library,
                         const char *blas_core);

#endif
