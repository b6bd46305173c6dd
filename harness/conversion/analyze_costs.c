#include "harness/conversion/analyze_costs.h"

#include "attn/alloc.h"
#include "base/statistics/disturbed.h"
#include "base/text/json.h"
#include "harness/run/decode_time.h"

#include <math.h>
#include <stdio.h>

size_t analyze_cache_bytes(const attn_config *config, size_t layer, size_t frames) {
    attn_geometry g = attn_config_geometry(config, layer);
    return config->variant->cache_bytes(&g, 1, frames, config->kv_dtype);
}

/* Layers of one geometry take the same time: it is measured once. */
typedef struct timed {
    size_t latent_dim;
    decode_time time;
} timed;

/* NULL when it failed; its ns are NaN where there is no time. */
static const decode_time *measure_time(timed *known, size_t *count, size_t keys, size_t runs,
                                       const attn_config *config, size_t layer, attn_error *error) {
    attn_geometry g = attn_config_geometry(config, layer);
    for (size_t i = 0; i < *count; i++)
        if (known[i].latent_dim == g.latent_dim)
            return &known[i].time;
    timed *new = &known[*count];
    fprintf(stderr, "attnbench analyze: timing one frame of %s\n", config->variant->name);
    new->latent_dim = g.latent_dim;
    if (decode_time_measure(&new->time, config->variant, &g, keys, runs, error))
        return NULL;
    if (isnan(new->time.ns))
        fprintf(stderr, "attnbench analyze: no time of %s: %s\n", config->variant->name, new->time.why);
    else if (new->time.disturbed)
        fprintf(stderr, "attnbench analyze: %zu of %zu runs disturbed: %.1f%% of the time lost to others\n",
                new->time.disturbed, new->time.runs, 100 * new->time.lost);
    ++*count;
    return &new->time;
}

static void set_cost(json_t *row, const char *name, const char *ending, json_t *value) {
    char key[40];
    snprintf(key, sizeof key, "%s%s", name, ending);
    json_object_set_new(row, key, value);
}

static void set_times(json_t *row, const char *ending, const decode_time *time) {
    set_cost(row, "decode_us", ending, json_finite(1e-3 * time->ns));
    set_cost(row, "decode_cpu_us", ending, json_finite(1e-3 * time->cpu_ns));
    set_cost(row, "decode_lost_percent", ending, json_finite(100 * time->lost));
    set_cost(row, "decode_disturbed", ending,
             isnan(time->ns) ? json_null() : json_integer((json_int_t)time->disturbed));
}

/* Of all layers: times are sums, the share lost is theirs, and a run that stands for several layers counts once. */
static void set_sums(json_t *output, const char *ending, decode_time *all, const timed *known, size_t count) {
    for (size_t i = 0; i < count; i++)
        all->disturbed += known[i].time.disturbed;
    all->lost = lost_share(all->ns, all->cpu_ns);
    set_times(output, ending, all);
}

int analyze_add_costs(json_t *rows, json_t *output, attn_model *model, const char *ending, size_t keys,
                      size_t runs, attn_error *error) {
    const attn_config *config = attn_model_config(model);
    timed *known = attn_alloc(config->num_layers, sizeof *known, "times", error);
    size_t count = 0, bytes = 0;
    const decode_time none = {.ns = NAN, .cpu_ns = NAN, .lost = NAN}, *time = &none;
    decode_time all = {0};
    int result = known ? 0 : -1;
    for (size_t i = 0; !result && i < config->num_layers; i++) {
        attn_geometry g = attn_config_geometry(config, i);
        json_t *row = json_array_get(rows, i);
        if (runs && !(time = measure_time(known, &count, keys, runs, config, i, error))) {
            result = -1;
            break;
        }
        bytes += analyze_cache_bytes(config, i, keys);
        all.ns += time->ns;
        all.cpu_ns += time->cpu_ns;
        set_cost(row, "cache_bytes", ending, json_integer((json_int_t)analyze_cache_bytes(config, i, keys)));
        set_cost(row, "parameters", ending,
                 json_integer((json_int_t)attn_layer_parameters(config->variant, &g)));
        set_times(row, ending, time);
    }
    set_cost(output, "cache_bytes", ending, json_integer((json_int_t)bytes));
    set_cost(output, "parameters", ending, json_integer((json_int_t)attn_model_parameters(model)));
    set_sums(output, ending, &all, known, count);
    attn_free(known);
    return result;
}
