/* The gate: fresh processes of base and candidate, alternating, until the cases are decided or the budget is
 * spent. docs/gate-decision.md says why it goes as it goes. */
#ifndef HARNESS_GATE_GATE_H
#define HARNESS_GATE_GATE_H

#include "harness/gate/decide/decide.h"
#include "harness/gate/process.h"
#include "harness/gate/report/gate_report.h"
#include "harness/plan/plan.h"
#include "harness/results/results.h"

enum { GATE_BASE, GATE_CANDIDATE, GATE_SIDES };

typedef enum gate_metric { GATE_TIME, GATE_INSTRUCTIONS } gate_metric;
extern const char *const gate_metric_names[]; /* then NULL */
extern const char *const gate_min_effects[];  /* defaults, as text */

/* How programs are run next to each other. */
typedef enum gate_way {
    GATE_TURNS,    /* pairs of live processes take turns */
    GATE_PROCESSES /* whole processes, one after the other, in blocks of two pairs */
} gate_way;
extern const char *const gate_way_names[]; /* then NULL */

typedef struct gate_pair {
    double time[GATE_SIDES]; /* ns; instructions where those are compared */
    double effect, noise;    /* by turns: turn_ratio */
} gate_pair;

typedef struct gate_case {
    const bench_case *row;
    gate_finding finding; /* its verdict also says what kept the case from being measured */
    char why[400];
    gate_pair *pairs; /* by processes two a block */
    size_t count;
    double bytes[GATE_BYTE_COUNTS][GATE_SIDES]; /* NaN: not reported */
    double ns, cpu_ns;                          /* of all that was timed: passed, and on a CPU */
    double block_seconds;                       /* that the shortest block, or pair by turns, took */
    double base_seconds;            /* that the base took to be checked, with one repetition; 0: not known */
    double output_hash[GATE_SIDES]; /* of the output whose whole check passed; 0: not known */
    unsigned long long iterations;  /* of a turn; 0: not known yet */
    size_t turns;                   /* of a side in a pair, then */
    json_t *moved;                  /* what moved, when it is SLOWER */
} gate_case;

typedef struct gate_settings {
    const plan *plan;
    gate_metric metric;
    gate_way way; /* of time */
    int turns;    /* the version of bench/turns/turn_lines.h for both programs; 0: a side knows none */
    gate_rule rule;
    double budget; /* seconds, of measuring; what moved comes on top */
    uint64_t seed; /* of the order of cases and processes */
    int cpu;
    bool silent;    /* no progress on stderr */
    bool attribute; /* see what moved in cases that are slower */
} gate_settings;

/* Commands that print Google Benchmark's JSON in place of programs: gate_side.program is the command. */
typedef struct gate_commands {
    double began;
    json_t *first[GATE_SIDES]; /* what each said the first time (harness/gate/google.h); NULL: it failed */
    char why[GATE_SIDES][300]; /* then */
} gate_commands;

typedef struct gate {
    gate_settings settings;
    gate_side side[GATE_SIDES];
    gate_case *cases;
    size_t count;
    double began, seconds;             /* that measuring took */
    double opened;                     /* of it the first checks; 0: not known */
    double attributed;                 /* until when it may be seen what moved */
    size_t looks, blocks, blocks_seen; /* blocks that were run, and those before the last look */
    gate_looks spent, spent_before;    /* with the last look, and before it */
    uint64_t random;
    bool out_of_time, interrupted;
    bool attributing; /* beyond the budget */
    bool stored;      /* the base is a file: processes give plain_time, as that does */
    bool commands;    /* a block is one of all cases */
} gate;

/* Sets up; settings->plan has to live as long as the gate. Free with gate_free (a zeroed one is fine too). */
int gate_init(gate *g, const gate_settings *settings, attn_error *error);
void gate_free(gate *g);

/* Measures and decides. A stop signal ends it early: then `interrupted` is set and everything seen so far
 * counts. -1: memory, or a program cannot be run. */
int gate_run(gate *g, attn_error *error);

/* Runs each command once: *p has a row for each benchmark. -1, too, when that of the base fails. Free both. */
int gate_commands_open(gate_commands *c, plan *p, const gate_side side[GATE_SIDES], int cpu, double budget,
                       attn_error *error);
void gate_commands_free(gate_commands *c);

/* After gate_init and before gate_run: cases that a side lacks are settled, and the first runs count as time. */
void gate_commands_settle(gate *g, const gate_commands *c);

/* The same by instructions: one process a side of each case, and another where they differ. */
int gate_run_counts(gate *g, attn_error *error);

/* Reruns base and candidate of cases that are SLOWER with counters, and finds what moved. A stop signal ends
 * it early, with 0. */
int gate_attribute(gate *g, attn_error *error);

/* The same with a stored base: the candidate's processes alone, SINGLE_PROCESSES a case. */
enum { SINGLE_PROCESSES = 24 };
int gate_run_stored(gate *g, const results *base, attn_error *error);

/* compare_surroundings of stored results and what the candidate says of this machine and itself. */
int gate_stored_differences(size_t *count, char *text, size_t size, const results *base, const gate *g,
                            attn_error *error);

/* With how long a process may run: until the budget and a quarter of it are over, and until a good deal longer
 * than the base and the plan account for. One that hangs must not take the gate with it. */
measure_settings gate_measure_settings(const gate *g, const gate_case *c, size_t side, double check_flops);

/* Settles it. A case that is settled because the base lacks it keeps that verdict only when the candidate can run it, or
 * cannot here. */
void gate_give_up(gate_case *c, size_t side, const process_value *value);

/* The same for a process that was ended after `seconds`: where the budget ended it, and not its own
 * slowness, the case is undecided. */
void gate_came_late(gate *g, gate_case *c, size_t side, double seconds, process_value *value);

/* Either of these, for a process that was not measured: gate_came_late when it is late. `began` is of clock_now. */
void gate_fail_process(gate *g, gate_case *c, size_t side, double began, process_value *value);

/* What the reference may take in processes beyond the first of a case and side, which checks as thoroughly as
 * ever: it has to stay short next to measuring. */
#define GATE_SHORT_CHECK_FLOPS 1e6

/* The version of bench/turns/turn_lines.h to use with this side; 0: it knows none. */
int gate_turns_version(const gate_side *side);

/* A pair of an open case by turns: 0; 1 when the case has failed; -1. The processes are started where the duo has
 * none, and live on in it for the next case where they can; gate_duo_end. */
struct gate_duo;
int gate_turn_pair(gate *g, gate_case *c, struct gate_duo *duo, attn_error *error);
void gate_duo_end(struct gate_duo *d); /* a zeroed one is fine too */

/* A block of all open cases of commands: 0 or -1. */
int gate_command_block(gate *g, attn_error *error);

/* gate_process; the case keeps the side's bytes, and how long the base took. */
int gate_checked_process(process_value *value, gate_case *c, size_t side, const measure_settings *settings,
                         attn_error *error);

/* A process of an open case: 0; 1 when it gave no time (then the case is settled); -1. */
int gate_measure(gate *g, gate_case *c, size_t side, double *time, attn_error *error);
int gate_more_room(gate_case *c, attn_error *error); /* for two pairs */
void gate_took(gate_case *c, double seconds);        /* a block: block_seconds */
size_t gate_shuffle_open(gate *g, size_t *order);    /* open cases in a new order: how many */
bool gate_is_late(const gate *g, double needed);     /* whether `needed` seconds more are beyond the budget */
void gate_show(const gate *g, size_t open, size_t pairs, size_t until); /* progress */

/* Runs every case once on the side, with the whole check; cases that cannot be compared get their verdicts.
 * Stops where the budget ends. */
int gate_open_side(gate *g, size_t side, attn_error *error);

/* The logs that the decision takes, one a block or a pair by turns; they live in `numbers`, two a pair. */
gate_series gate_series_of(const gate_case *c, gate_way way, double *numbers);

/* Appends why the case is undecided; nothing when it is not. */
void gate_reason(char *why, size_t size, const gate *g, const gate_case *c);

double gate_median_time(const gate_case *c, size_t side); /* over processes, NaN without any */

/* Adds a row a case; `caution` (may be NULL) goes into each. */
int gate_rows_of(gate_rows *rows, const gate *g, const char *unit, const char *caution, attn_error *error);

#endif
