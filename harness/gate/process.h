/* What the gate takes from one process of one case. */
#ifndef HARNESS_GATE_PROCESS_H
#define HARNESS_GATE_PROCESS_H

#include "harness/gate/decide/verdict.h"
#include "harness/run/measure.h"

/* Of a program: what it says of itself. */
typedef struct gate_side {
    const char *program;
    const char *delay; /* ATTNBENCH_DELAY of its processes; NULL: none */
    json_t *info;      /* of `PROGRAM info --format json`; NULL until gate_side_ask */
} gate_side;

/* Asks the program. -1: it cannot be run, or is no attnbench. json_decref side->info. */
int gate_side_ask(gate_side *side, int cpu, attn_error *error);

typedef enum process_outcome {
    PROCESS_MEASURED,
    PROCESS_MISSING, /* the program does not know the row */
    PROCESS_UNSUPPORTED,
    PROCESS_FAILED
} process_outcome;

typedef struct process_value {
    process_outcome outcome;
    bool late;                      /* failed: it was still running at its limit */
    char why[300];                  /* when not measured */
    double time;                    /* ns: single_best_time */
    double plain_time;              /* ns: single_time, as of stored results */
    double ns, cpu_ns;              /* of all repetitions: passed, and on a CPU */
    double instructions;            /* of one iteration, when simulated */
    double bytes[GATE_BYTE_COUNTS]; /* NaN: not reported */
    double output_hash;             /* 0: not asked for, or there is none */
} process_value;

/* -1: a stop signal, memory, or the program cannot be run. */
int gate_process(process_value *value, const bench_case *c, const measure_settings *settings,
                 attn_error *error);

#endif
