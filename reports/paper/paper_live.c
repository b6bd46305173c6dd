#include "reports/paper/paper_live.h"

#include "attn/alloc.h"
#include "attn/model.h"
#include "attn/random.h"

#include <stdio.h>
#include <string.h>

enum { SEED = 1 };

/* The row as a whole encoder. Only here is it said what kind of model stands for a row: the published caches
 * hold every frame, and subsampling would leave a quarter of them, so the input layer is a linear one. */
static int row_config(attn_config *config, const paper_model *model, const paper_row *row,
                      attn_error *error) {
    const attn_geometry *g = &row->identified.geometry;
    char own[96] = "null";
    if (row->variant->has_latent)
        snprintf(own, sizeof own, "{latent_dim: %zu}", g->latent_dim);
    else if (row->variant->has_kv_heads)
        snprintf(own, sizeof own, "{num_kv_heads: %zu}", g->num_kv_heads);
    char *yaml = attn_format(error,
                             "model_type: %s\nattention_type: %s\nattention_kwargs: %s\nd_model: %zu\n"
                             "num_heads: %zu\nnum_layers: %zu\ninput_layer: linear\n",
                             model->name, row->variant->name, own, g->d_model, g->num_heads,
                             row->identified.num_layers);
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

static int live_bytes(size_t *layer, size_t *total, const paper_tables *tables, const paper_model *from,
                      const paper_row *row, attn_error *error) {
    attn_model *model = NULL;
    attn_session *session = NULL;
    attn_config config;
    int result = -1;
    if (row_config(&config, from, row, error) || attn_model_create(&model, &config, error))
        goto done;
    attn_model_randomize(model, SEED);
    attn_session_options options = {
        .batch = tables->batch, .max_frames = tables->frames, .left_chunks = -1, .impl = "auto"};
    if (attn_session_open(&session, model, &options, error) ||
        run_frames(session, tables, config.input_dim, error))
        goto done;
    *layer = attn_cache_bytes_live(attn_session_cache(session, 0));
    *total = attn_session_kv_bytes_live(session);
    result = 0;
done:
    attn_session_close(session);
    attn_model_free(model);
    return result;
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
            if (live_bytes(&live->layer[m][r], &live->total[m][r], tables, &tables->model[m], row, error))
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
