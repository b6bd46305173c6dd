#include "harness/run/sweep_file.h"

#include "base/process/child.h"
#include "build_info.h"
#include "harness/machine/blas.h"
#include "harness/machine/machine.h"

#include <stdio.h>
#include <string.h>

enum { SCHEMA = 1 };

void sweep_note_skipped(const plan *p) {
    if (p->skipped)
        fprintf(stderr, "note: %zu combinations that cannot be are left out, the first: %s\n", p->skipped,
                p->note);
}

typedef struct surroundings {
    machine machine;
    blas_state blas;
    char fingerprint[MACHINE_FINGERPRINT], plan_hash[PLAN_HASH];
} surroundings;

static json_t *context_json(const plan *p, const sweep_request *request, const surroundings *around,
                            const counting *counted, const results_store *s, size_t failed) {
    json_t *own = json_pack("{si ss ss sO ss sI sI sI sI sI so so so ss}", "schema", SCHEMA, "commit",
                            BUILD_COMMIT, "plan", p->name, "options", (json_t *)request->options, "plan_sha",
                            around->plan_hash, "seed", (json_int_t)p->seed, "rounds",
                            (json_int_t)plan_rounds(p), "cases", (json_int_t)p->count, "failed",
                            (json_int_t)failed, "interrupted", (json_int_t)store_interrupted(s), "machine",
                            machine_json(&around->machine), "build", machine_build_json(), "blas",
                            blas_json(&around->blas, 1), "fingerprint", around->fingerprint);
    if (own)
        counting_describe(counted, own);
    if (own && request->split)
        json_object_set_new(own, "shard", plan_split_json(request->split));
    return json_pack("{ss ss ss si sf sb so so}", "date", store_date(s), "host_name", around->machine.host,
                     "executable", "attnbench", "num_cpus", around->machine.cpus, "mhz_per_cpu",
                     around->machine.mhz, "cpu_scaling_enabled",
                     around->machine.governor[0] && strcmp(around->machine.governor, "performance"), "caches",
                     machine_caches_json(&around->machine), "attnbench", own);
}

static int write_results(sweep_counts *counts, const plan *p, const sweep_request *request,
                         const surroundings *around, const counting *counted, results_store *s,
                         attn_error *error) {
    json_t *entries = sweep_entries(counts, p, s, error);
    if (!entries)
        return -1;
    json_t *results =
        json_pack("{so so}", "context", context_json(p, request, around, counted, s, counts->failed),
                  "benchmarks", entries);
    int result = results ? store_commit(s, results, error) : attn_no_memory(error, NULL);
    json_decref(results);
    return result;
}

static void announce(const plan *p, const sweep_request *request, const surroundings *around,
                     store_state state, const results_store *s, int cpu) {
    const char *command = request->command;
    char part[48] = "";
    sweep_note_skipped(p);
    if (request->split)
        snprintf(part, sizeof part, ", shard %zu of %zu", request->split->own.index,
                 request->split->own.count);
    fprintf(
        stderr,
        "plan %s%s: %zu cases of %zu repetitions in %zu process%s each%s on CPU %d; %s, %s kernels%s%s%s\n",
        p->name, part, p->count, p->repetitions, plan_rounds(p), plan_rounds(p) == 1 ? "" : "es",
        p->own_rounds ? " (some cases in more or fewer)" : "", cpu, around->blas.library, around->blas.core,
        around->blas.replaced[0] ? " (restarted: it had picked " : "", around->blas.replaced,
        around->blas.replaced[0] ? ")" : "");
    if (state == STORE_RESUMED)
        fprintf(stderr, "resuming; %zu processes were in flight when the sweep was interrupted\n",
                store_interrupted(s));
    const char *damage;
    size_t damaged = store_damaged(s, &damage);
    if (damaged == 1)
        fprintf(stderr, "%s: %s: this case is run again\n", command, damage);
    else if (damaged)
        fprintf(stderr, "%s: %s: this case and those of %zu more lines are run again\n", command, damage,
                damaged - 1);
}

void sweep_counted(char text[SWEEP_COUNTED], const char *counters, const char *group) {
    snprintf(text, SWEEP_COUNTED, "%s%s%s", counters, group ? " " : "", group ? group : "");
}

static void look_around(surroundings *around, const plan *p, const sweep_request *request) {
    char counters[SWEEP_COUNTED];
    machine_read(&around->machine, NULL);
    blas_read(&around->blas);
    machine_fingerprint(around->fingerprint, &around->machine, around->blas.library, around->blas.core);
    sweep_counted(counters, request->counters, request->group);
    plan_hash(around->plan_hash, p, counters);
}

static int run_cases(sweep_outcome *outcome, const plan *p, const sweep_request *request,
                     const surroundings *around, counting *counted, int cpu, results_store *s,
                     attn_error *error) {
    sweep_settings settings = {.counting = counted, .cpu = cpu};
    child_catch_signals();
    if (counting_validate(counted, error) || sweep_run(p, &settings, s, error) ||
        write_results(&outcome->counts, p, request, around, counted, s, error))
        return -1;
    outcome->cases = p->count;
    outcome->failed = outcome->counts.failed;
    return 0;
}

int sweep_file_run(sweep_outcome *outcome, const plan *p, const sweep_request *request, attn_error *error) {
    surroundings around;
    results_store *s = NULL;
    store_state state;
    counting counted = {0};
    int cpu = child_pick_cpu(request->cpu, error);
    *outcome = (sweep_outcome){0};
    if (cpu < 0)
        return -1;
    look_around(&around, p, request);
    store_identity identity = {p->name, around.plan_hash, BUILD_COMMIT, around.fingerprint};
    if (counting_open(&counted, request->counters, request->group, cpu, error))
        return -1;
    int result = store_open(&s, &state, request->out, &identity, request->policy, error);
    if (!result && state == STORE_COMPLETE) {
        outcome->was_complete = true;
        result = store_read_counts(request->out, &outcome->cases, &outcome->failed, error);
    } else if (!result) {
        announce(p, request, &around, state, s, cpu);
        result = run_cases(outcome, p, request, &around, &counted, cpu, s, error);
    }
    counting_close(&counted);
    store_close(s);
    return result;
}
