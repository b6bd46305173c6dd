#include "harness/run/decode_time.h"

#include "attn/alloc.h"
#include "base/home.h"
#include "bench/case.h"
#include "harness/results/result_entry.h"
#include "harness/run/child.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_case(char *row, size_t size, const attn_variant *variant, const attn_geometry *g,
                      size_t keys) {
    int used = snprintf(row, size, "attention/%s/decode/L:%zu/q:1/h:%zu/d:%zu", variant->name, keys,
                        g->num_heads, g->d_model);
    if (variant->has_kv_heads)
        used += snprintf(row + used, size - (size_t)used, "/hkv:%zu", g->num_kv_heads);
    if (variant->has_latent)
        used += snprintf(row + used, size - (size_t)used, "/dc:%zu", g->latent_dim);
    if (g->pos_enc != ATTN_POS_NONE)
        snprintf(row + used, size - (size_t)used, "/pos:%s", attn_pos_enc_names[g->pos_enc]);
}

static int run(child_result *result, const char *row, size_t runs, attn_error *error) {
    char repetitions[64];
    snprintf(repetitions, sizeof repetitions, "--benchmark_repetitions=%zu", runs);
    char *program = home_executable(error);
    int cpu = child_pick_cpu(-1, error);
    const char *const words[] = {
        program, "bench", "--case", row, repetitions, "--benchmark_min_time=0.05", "--benchmark_format=json",
        NULL};
    char *argv[sizeof words / sizeof *words];
    memcpy(argv, words, sizeof words);
    setenv("OPENBLAS_NUM_THREADS", "1", 1); /* for the child: this process has read it already */
    int status = program && cpu >= 0 ? child_run(result, argv, cpu, error) : -1;
    attn_free(program);
    return status;
}

int decode_time_measure(decode_time *time, const attn_variant *variant, const attn_geometry *g, size_t keys,
                        size_t runs, attn_error *error) {
    char row[BENCH_NAME_MAX];
    bench_case c;
    child_result result = {0};
    *time = (decode_time){.ns = NAN};
    attn_error why = {0};
    name_case(row, sizeof row, variant, g, keys);
    if (bench_case_parse(&c, row, &why)) {
        snprintf(time->why, sizeof time->why, "%.500s", why.message);
        return 0;
    }
    if (run(&result, c.name, runs, error))
        return -1;
    bool failed = false;
    json_t *entries = entry_list(&c, result.output, result.size, &failed, &why);
    if (entries && !failed && !result.signal && !result.status) {
        time->ns = entry_median(entries);
        time->runs = runs;
    }
    if (isnan(time->ns))
        snprintf(time->why, sizeof time->why, "%.500s",
                 *result.message ? result.message
                 : *why.message  ? why.message
                                 : "no time came out");
    json_decref(entries);
    attn_free(result.output);
    return 0;
}
