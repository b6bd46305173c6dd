/* What this core and memory can do: the plan `machine`, measured, as numbers. Each is the best of its runs: it stands
 * for a limit, and what slows a run down is not the machine's doing. */
#ifndef HARNESS_MACHINE_SURVEY_H
#define HARNESS_MACHINE_SURVEY_H

#include "harness/machine/plateaus.h"
#include "harness/results/results.h"
#include "harness/run/sweep_file.h"

enum { SURVEY_ISAS = 16, SURVEY_SETS = 96, SURVEY_LEVELS = 8, SURVEY_PARTNERS = 64 };
/* A clock below this part of another is said to be lower. */
#define SURVEY_SLOWER 0.97
enum { SURVEY_READ, SURVEY_WRITE, SURVEY_COPY, SURVEY_TRIAD, SURVEY_NT_WRITE, SURVEY_STREAMS };
extern const char *const survey_streams[]; /* "read", "write", ..., NULL */
enum { SURVEY_SMALL, SURVEY_HUGE, SURVEY_PAGES };

/* What was not measured is NaN. */
typedef struct survey_isa {
    const char *isa; /* or a unit of the CPU (bench/limits/machine_units.h), which has no clock */
    double ghz, gflops;
    double gflops_all;   /* of all cores together */
    double vector_madds; /* multiply-adds of whole vectors in a cycle */
} survey_isa;

typedef struct survey_set {
    double bytes;                      /* of each core */
    double gbytes[SURVEY_STREAMS];     /* GB/s, of what the program reads and writes */
    double gbytes_all[SURVEY_STREAMS]; /* of all cores together */
    double latency[SURVEY_PAGES];      /* ns from load to load */
    double tlb[SURVEY_PAGES];          /* ns from load to load with one line in each 4 KiB, ... */
    double cost[SURVEY_PAGES]; /* ... and how much of it is more than as many lines side by side take */
} survey_set;

typedef struct survey_level {
    plateau in;
    bool memory;                   /* sets of 64 MiB and more are in it, and no larger ones were measured */
    double gbytes[SURVEY_STREAMS]; /* best of the sets in it; of memory the largest set's */
} survey_level;

typedef struct survey {
    size_t cores; /* that "all" stands for; 0: not measured together */
    size_t isas;
    survey_isa isa[SURVEY_ISAS];
    double sgemm; /* GFLOP/s */
    size_t sets;  /* by ascending bytes */
    survey_set set[SURVEY_SETS];
    size_t levels;
    survey_level level[SURVEY_LEVELS];
    size_t reaches; /* of TLBs, on small pages: ns is what a load costs more than side by side */
    plateau reach[SURVEY_LEVELS];
    size_t partners;
    struct {
        size_t cpu;
        double ns; /* one way */
    } partner[SURVEY_PARTNERS];
    size_t unsupported, failed;
    size_t least_runs, most_runs;
} survey;

/* What an instruction set or unit multiplies: "float32", "bfloat16, sums float32", "int8, sums int32". */
const char *survey_numbers(const char *isa);
bool survey_is_whole(const char *isa); /* its operations are not floating-point ones */

/* Texts are those of `r`, which must outlive it. */
void survey_of(survey *s, const results *r);

typedef struct survey_request {
    const char *out;    /* the results file; NULL: one that nobody keeps */
    const char *filter; /* of the plan's rows; NULL: all */
    int cpu;            /* to pin to; negative: the default */
    bool restart;       /* drop whatever is at `out` */
} survey_request;

/* Runs the plan `machine` and reads what came out. Free *r with results_free, after -1 too. After a stop signal
 * (sweep_stop_signal) -1; what was measured is kept in the journal when there is an `out`. */
int survey_run(results *r, sweep_outcome *outcome, const survey_request *request, attn_error *error);

#endif
