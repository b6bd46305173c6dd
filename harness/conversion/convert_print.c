#include "harness/conversion/convert_print.h"

#include "base/text/json.h"
#include "base/text/json_write.h"
#include "base/text/table_write.h"
#include "harness/conversion/analyze_costs.h"

#include "attn/alloc.h"

void convert_print_progress(void *context, size_t layer, size_t layers, const attn_convert_report *report) {
    (void)context;
    if (!report) {
        fprintf(stderr, "attnbench convert: layer %zu (%zu of %zu): looked at\n", layer, layer + 1, layers);
        return;
    }
    fprintf(stderr,
            "attnbench convert: layer %zu (%zu of %zu): %zu numbers a frame, error of the weights %.3g",
            layer, layer + 1, layers, report->latent_dim, report->weights_error);
    if (report->frames)
        fprintf(stderr, ", of what %zu frames produce %.3g%s", report->frames, report->produced_error,
                report->few_inputs ? " (few frames: no more than d_model)" : "");
    fputc('\n', stderr);
}

static const table_column layer_columns[] = {{"layer", "Layer", NULL},
                                             {"numbers_per_frame", "Cached numbers a frame", NULL},
                                             {"weights_rank", "Rank of the weights", NULL},
                                             {"weights_error", "Error of the weights", "%.3g"},
                                             {"weights_bound", "Eckart-Young bound", "%.3g"},
                                             {"frames", "Frames measured", NULL},
                                             {"produced_error", "Error of keys and values produced", "%.3g"},
                                             {"produced_bound", "Least possible", "%.3g"},
                                             {"cache_bytes", "Cache bytes", NULL},
                                             {"cache_bytes_before", "Cache bytes before", NULL},
                                             {NULL, NULL, NULL}};

static void fill_layers(text_table *t, const attn_conversion *made, const attn_config *from, size_t frames) {
    for (size_t i = 0; i < made->layers; i++) {
        const attn_convert_report *r = &made->report[i];
        table_add(t,
                  json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "layer", (json_int_t)i,
                            "numbers_per_frame", (json_int_t)r->latent_dim, "weights_rank",
                            (json_int_t)r->weights_rank, "weights_error", json_finite(r->weights_error),
                            "weights_bound", json_finite(r->weights_bound), "frames",
                            r->frames ? json_integer((json_int_t)r->frames) : json_null(), "produced_error",
                            json_finite(r->produced_error), "produced_bound", json_finite(r->produced_bound),
                            "cache_bytes", (json_int_t)analyze_cache_bytes(&made->config, i, frames),
                            "cache_bytes_before", (json_int_t)analyze_cache_bytes(from, i, frames)));
    }
}

static const table_column spread_columns[] = {
    {"ranks", "Latent dimensions", NULL},   {"total", "In all layers", NULL},
    {"cache_bytes", "Cache bytes", NULL},   {"error", "Error left", "%.4g"},
    {"latent_dims", "Of each layer", NULL}, {NULL, NULL, NULL}};

static void add_spread(text_table *t, const char *name, const size_t *ranks, const attn_conversion *made,
                       size_t frames) {
    json_t *list = json_array();
    size_t total = 0, row_bytes = 0;
    for (size_t i = 0; i < made->layers; i++) {
        total += ranks[i];
        row_bytes += attn_element_row_bytes(made->config.kv_dtype, ranks[i]);
        json_array_append_new(list, json_integer((json_int_t)ranks[i]));
    }
    table_add(t, json_pack("{s:s, s:I, s:I, s:o, s:o}", "ranks", name, "total", (json_int_t)total,
                           "cache_bytes", (json_int_t)(row_bytes * frames), "error",
                           json_finite(attn_spread_error(ranks, made->curve, made->layers)), "latent_dims",
                           list));
}

/* The same latent_dim for all: as much as the budget gives, or as little as reaches the error. */
static void choose_uniform(size_t *ranks, const attn_conversion *made, const attn_convert_options *o) {
    size_t step = made->curve[0].step, d_model = made->curve[0].d_model, rank = step;
    for (;; rank += step) {
        for (size_t i = 0; i < made->layers; i++)
            ranks[i] = rank;
        bool enough = o->total_ranks ? (rank + step) * made->layers > o->total_ranks
                                     : attn_spread_error(ranks, made->curve, made->layers) <= o->target_error;
        if (enough || rank + step > d_model)
            return;
    }
}

static int fill_spread(text_table *t, const attn_conversion *made, const attn_convert_options *o,
                       size_t frames, attn_error *error) {
    size_t *ranks = attn_alloc(made->layers, sizeof *ranks, "ranks", error);
    if (!ranks)
        return -1;
    for (size_t i = 0; i < made->layers; i++)
        ranks[i] = made->layer[i].geometry.latent_dim;
    add_spread(t, "spread", ranks, made, frames);
    choose_uniform(ranks, made, o);
    add_spread(t, "uniform", ranks, made, frames);
    attn_free(ranks);
    return 0;
}

static int write_json(const text_table *layers, const text_table *spread, FILE *stream, attn_error *error) {
    json_t *whole = json_pack("{s:O, s:O?}", "layers", layers->rows, "spread", spread->rows);
    int result = json_print(whole, JSON_INDENT(2) | JSON_REAL_PRECISION(10), "result", stream, error);
    json_decref(whole);
    return result;
}

int convert_print(const attn_conversion *made, const attn_config *from, const attn_convert_options *options,
                  size_t frames, table_format format, FILE *stream, attn_error *error) {
    char title[160];
    text_table layers, spread = {0};
    int result = 0;
    snprintf(title, sizeof title, "%s to %s, method %s: cache bytes at %zu frames", from->variant->name,
             made->config.variant->name, attn_convert_method_names[options->target.method], frames);
    table_init(&layers, title, layer_columns);
    fill_layers(&layers, made, from, frames);
    if (made->curve) {
        table_init(&spread, "Latent dimensions spread by marginal error, and the same for all layers",
                   spread_columns);
        result = fill_spread(&spread, made, options, frames, error);
    }
    if (!result && format == TABLE_JSON)
        result = write_json(&layers, &spread, stream, error);
    else if (!result) {
        result = table_write(&layers, format, stream, error);
        if (!result && made->curve) {
            fputc('\n', stream);
            result = table_write(&spread, format, stream, error);
        }
    }
    table_free(&layers);
    table_free(&spread);
    return result;
}
