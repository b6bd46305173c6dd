#include "reports/paper/paper_live.h"

#include "reports/paper/paper_additions.h"

#include "attn/alloc.h"
#include "attn/model.h"
#include "attn/random.h"

#include <stdio.h>
#include <string.h>

enum { SEED = 1 };

/* The row as a whole encoder. Only here is it said what kind of model stands for a row: the published caches
 * hold every frame, and subsampling would leave a quarter of them, so the input layer is a linear one. */
static int row_config(attn_config *config, const char *model_type, const paper_row *row, size_t layers,
                      attn_element type, attn_error *error) {
    const attn_geometry *g = &row->identified.geometry;
    char own[96] = "null";
    if (row->variant->has_latent)
        snprintf(own, sizeof own, "{latent_dim: %zu}", g->latent_dim);
    else if (row->variant->has_kv_heads)
        snprintf(own, sizeof own, "{num_kv_heads: %zu}", g->num_kv_heads);
    char *yaml = attn_format(error,
                             "model_type: %s\nattention_type: %s\nattention_kwargs: %s\nd_model: %zu\n"
                             "num_heads: %zu\nnum_layers: %zu\ninput_layer: linear\nkv_dtype: %s\n",
                             model_type, row->variant->name, own, g->d_model, g->num_heads, layers,
                             attn_kv_dtype_names[type]);
    int result = yaml ? attn_config_parse(config, yaml, strlen(yaml), "published row", NULL, error) : -1;
    attn_free(yaml);
    return result;
}

static int run_frames(attn_session *session, const paper_tables *tables, size_t input_dim,
                      attn_error *error) {
    size_t frames = tables->batch * tables->frames;
    float *x = attn_alloc(frames * input_dim, sizeof *x, "input", error);
    float *out = attn_alloc(frames * attn_session_width(session), sizeof *out, "output", error);
    int result = x && out ? 0 : -1;
    if (!result) {
        uint64_t state = SEED;
        attn_random_uniform(x, frames * input_dim, 1, &state);
        attn_session_run(session, out, x, tables->frames, NULL, NULL, NULL);
    }
    attn_free(x);
    attn_free(out);
    return result;
}

static int live_bytes(size_t *layer, size_t *total, const paper_tables *tables, const attn_config *config,
                      attn_error *error) {
    attn_model *model = NULL;
    attn_session *session = NULL;
    int result = -1;
    if (attn_model_create(&model, config, error))
        goto done;
    attn_model_randomize(model, SEED);
    attn_session_options options = {
        .batch = tables->batch, .max_frames = tables->frames, .left_chunks = -1, .impl = "auto"};
    if (attn_session_open(&session, model, &options, error) ||
        run_frames(session, tables, config->input_dim, error))
        goto done;
    *layer = attn_cache_bytes_live(attn_session_cache(session, 0));
    *total = attn_session_kv_bytes_live(session);
    result = 0;
done:
    attn_session_close(session);
    attn_model_free(model);
    return result;
}

/* One layer alone, in each of the other types of cache. */
static int live_rounded(size_t bytes[ATTN_ELEMENTS], const paper_tables *tables, const paper_row *row,
                        attn_error *error) {
    attn_config config;
    size_t total;
    for (const attn_element *type = paper_rounded_types;
         *type != ATTN_ELEMENT_F32 && row->variant->is_softmax; type++)
        if (row_config(&config, "attention", row, 1, *type, error) ||
            live_bytes(&bytes[*type], &total, tables, &config, error))
            return -1;
    return 0;
}

int paper_live_run(paper_live *live, const paper_tables *tables, attn_error *error) {
    *live = (paper_live){0};
    for (size_t m = 0; m < tables->models; m++)
        for (size_t r = 0; r < tables->model[m].rows; r++) {
            const paper_row *row = &tables->model[m].row[r];
            char *shape = paper_shape_text(&row->identified, error);
            if (!shape)
                return -1;
            fprintf(stderr, "running %s %s: %s, %zu frames\n", tables->model[m].name, row->name, shape,
                    tables->frames);
            attn_free(shape);
            attn_config config;
            if (row_config(&config, tables->model[m].name, row, row->identified.num_layers, ATTN_ELEMENT_F32,
                           error) ||
                live_bytes(&live->layer[m][r], &live->total[m][r], tables, &config, error) ||
                live_rounded(live->rounded[m][r], tables, row, error))
                return -1;
        }
    return 0;
}

int paper_audit_published(paper_tables *tables, paper_audit *audit, bool with_live, attn_error *error) {
    paper_live live;
    if (paper_read_published(tables, error) || (with_live && paper_live_run(&live, tables, error)))
        return -1;
    return paper_audit_run(audit, tables, with_live ? &live : NULL, error);
}
