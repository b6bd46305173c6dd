#include "harness/run/decode_time.h"

#include "attn/alloc.h"
#include "base/process/child.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "bench/row.h"
#include "harness/results/result_entry.h"
#include "harness/run/measure.h"

#include <math.h>
#include <stdio.h>

static void name_case(char *row, size_t size, const attn_variant *variant, const attn_geometry *g,
                      size_t keys) {
    snprintf(row, size, "attention/%s/decode/L:%zu/q:1/h:%zu/d:%zu", variant->name, keys, g->num_heads,
             g->d_model);
    if (variant->has_kv_heads)
        text_append(row, size, "/hkv:%zu", g->num_kv_heads);
    if (variant->has_latent)
        text_append(row, size, "/dc:%zu", g->latent_dim);
    if (g->pos_enc != ATTN_POS_NONE)
        text_append(row, size, "/pos:%s", attn_pos_enc_names[g->pos_enc]);
}

int decode_time_measure(decode_time *time, const attn_variant *variant, const attn_geometry *g, size_t keys,
                        size_t runs, attn_error *error) {
    char row[BENCH_NAME_MAX];
    bench_case c;
    json_t *entries = NULL;
    measure_outcome outcome;
    *time = (decode_time){.ns = NAN, .cpu_ns = NAN, .lost = NAN};
    attn_error why = {0};
    name_case(row, sizeof row, variant, g, keys);
    if (bench_case_parse(&c, row, &why)) {
        snprintf(time->why, sizeof time->why, "%.500s", why.message);
        return 0;
    }
    char *program = measure_program(error);
    const measure_settings settings = {.program = program,
                                       .seed = 1,
                                       .repetitions = runs,
                                       .min_time = 0.05,
                                       .cpu = child_pick_cpu(-1, error)};
    measure_clean_environment();
    int result = program && settings.cpu >= 0 ? measure_case(&entries, &outcome, &c, &settings, error) : -1;
    if (!result && outcome == MEASURE_DONE) {
        time->ns = entry_median(entries);
        time->cpu_ns = entry_median_cpu(entries);
        time->lost = entry_lost(entries);
        time->disturbed = entry_disturbed(entries);
        time->runs = runs;
    }
    if (!result && isnan(time->ns)) {
        const char *said = json_text(json_array_get(entries, 0), "error_message");
        snprintf(time->why, sizeof time->why, "%.500s", *said ? said : "no time came out");
    }
    json_decref(entries);
    attn_free(program);
    return result;
}
