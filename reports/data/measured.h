/* Results as numbers to show: each case's median, interval and rates, and the machine's own roofs. */
#ifndef REPORTS_DATA_MEASURED_H
#define REPORTS_DATA_MEASURED_H

#include "attn/attention.h"
#include "base/statistics/processes.h"
#include "harness/results/results.h"

enum { ROOFS = 40, MEMORY_LEVELS = 8 };

typedef struct measured {
    const results_case *c;
    const attn_variant *variant; /* NULL: a type that this build does not know, or a machine case */
    size_t runs, disturbed;
    size_t processes; /* that the runs are of */
    double time;      /* ns per iteration of CPU time, of several threads on the wall clock: the median */
    double best;      /* the least */
    double low, high; /* around it: process_summarize's */
    double wall;      /* the median of the same on the wall clock */
    double lost;      /* share of the wall clock in which the case did not run, over all samples: 0 to 1 */
    bool interval;    /* true: a 95% interval of the median; false: too few runs, so least and most */
    double gflops, gbytes; /* a second; flops and bytes are by formula, time is measured. NaN: no formula */
    double roof;  /* gflops over what the roofline of as many cores allows; NaN where that was not measured */
    double sgemm; /* the same over the best sgemm rate */
} measured;

/* What this machine was measured to do, from the machine cases of the same file, each the best of its runs: what slows
 * one down is no limit. NaN where there is none. */
typedef struct machine_roofs {
    size_t threads;      /* that did the same at once; working sets are those of all together */
    double flops, sgemm; /* GFLOP/s */
    double peak;         /* the higher of the two */
    size_t isas;         /* instruction sets whose peak was measured, in the file's order */
    struct {
        const char *isa;
        double gflops;
    } by_isa[ROOFS];
    size_t count; /* read bandwidths, by ascending working set */
    struct {
        size_t working_set;
        double gbytes;
    } read[ROOFS];
} machine_roofs;

typedef struct report_data {
    const results *results;
    const struct study_data *study; /* that was given; NULL: none */
    size_t count; /* our cases that have numbers, machine cases among them, in the file's order */
    measured *cases;
    size_t peer_count; /* those of peers, which no other figure is made from */
    measured *peers;
    machine_roofs roofs;     /* of one core */
    machine_roofs roofs_all; /* of as many as were measured together; threads 0: none */
    size_t levels;           /* of memory, found in the latency; 0: no latency was measured */
    struct {
        char name[12];   /* "L1", "memory" */
        char after[28];  /* "L2/memory": of sets between it and the next one, partly in either */
        double from, to; /* bytes: the smallest and the largest set in it */
    } level[MEMORY_LEVELS];
} report_data;

/* `r` must outlive the data. */
int report_data_init(report_data *data, const results *r, attn_error *error);
void report_data_free(report_data *data);

/* Sums over the samples of all cases. */
typedef struct measured_samples {
    size_t count, disturbed;
    double passed; /* ns of the wall clock */
    double lost;   /* share of it in which the cases did not run: 0 to 1; NaN when there are no samples */
} measured_samples;
measured_samples measured_all_samples(const report_data *data);

/* How many cases passed and failed their check against a plain reference. A case that needs what the machine lacks is in
 * neither number. */
typedef struct measured_checks {
    size_t passed, failed; /* a failed one has an error and no numbers */
} measured_checks;
measured_checks measured_all_checks(const report_data *data);

/* GB/s of the largest measured working set within `bytes`, else of the smallest; NaN when none was measured.
 * Smaller sets are faster, so that it is a roof. */
double machine_bandwidth(const machine_roofs *roofs, double bytes);

/* The level of a set of `bytes` bytes, "L1" or "memory". Levels are those that the latency shows where the file has it
 * ("L2/memory" is a set between two of them), else the caches that the kernel names, of which a virtual machine may
 * have a share only; "" when neither is known. */
const char *machine_level(const report_data *data, double bytes);

/* What the numbers of several cases stand on; start with a zeroed one. */
typedef struct measured_basis {
    size_t least_runs, most_runs, least_processes, most_processes;
    bool no_interval; /* some bars are from least to most */
} measured_basis;
void measured_basis_add(measured_basis *basis, const measured *m);

/* "1 run", "3 runs", "3 to 6 runs". */
enum { RUNS_TEXT = 64 };
void runs_text(char text[RUNS_TEXT], size_t least, size_t most);

/* "median of 9 runs in 3 processes, bars: 95% interval". */
void measured_basis_text(char *text, size_t size, const measured_basis *basis);

/* The place of its type in the registry; that of an unknown one is behind all. */
size_t measured_type_rank(const measured *m);

/* Whether two cases' times differ, by process_apart of their bars. */
bool measured_apart(const measured *a, const measured *b);

/* Its interval is wider than this part of its median. */
#define MEASURED_VARIES 0.2
bool measured_varies(const measured *m);

/* "15.6 MiB". */
void bytes_text(char *to, size_t size, double bytes);

#endif
