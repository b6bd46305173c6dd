#include "reports/paper/paper_data.h"

#include "attn/alloc.h"
#include "base/home.h"
#include "base/text/json.h"

#include <string.h>

const char *const paper_quantity_names[] = {"total", "per_layer", "reduction", NULL};

static int copy_text(char *to, size_t size, const json_t *from, const char *key, attn_error *error) {
    const char *text = json_string_value(json_object_get(from, key));
    if (!text || strlen(text) >= size)
        return attn_fail(error, "%s: expected text of at most %zu bytes", key, size - 1);
    strcpy(to, text);
    return 0;
}

static int read_size(size_t *to, const json_t *from, const char *key, attn_error *error) {
    const json_t *value = json_object_get(from, key);
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return attn_fail(error, "%s: expected a whole number from 1", key);
    *to = (size_t)json_integer_value(value);
    return 0;
}

/* The model's geometry with what the row adds to it. */
static int read_shape(paper_shape *shape, const json_t *model, const json_t *row, const char *which,
                      const attn_variant *variant, attn_error *error) {
    const json_t *base = json_object_get(model, which), *own = json_object_get(row, which);
    *shape = (paper_shape){0};
    attn_geometry *g = &shape->geometry;
    if (!json_is_object(base) || !json_is_object(own))
        return attn_fail(error, "%s: expected an object in the model and in each row", which);
    if (read_size(&shape->num_layers, base, "num_layers", error) ||
        read_size(&g->d_model, base, "d_model", error) || read_size(&g->num_heads, base, "num_heads", error))
        return -1;
    if (variant->has_latent && read_size(&g->latent_dim, own, "latent_dim", error))
        return -1;
    if (variant->has_kv_heads && read_size(&g->num_kv_heads, own, "num_kv_heads", error))
        return -1;
    return attn_geometry_complete(g, variant, NULL, error);
}

static int read_row(paper_row *row, const json_t *model, const json_t *from, attn_error *error) {
    char type[PAPER_TEXT];
    if (copy_text(row->name, sizeof row->name, from, "row", error) ||
        copy_text(row->label, sizeof row->label, from, "label", error) ||
        copy_text(type, sizeof type, from, "attention_type", error))
        return -1;
    row->variant = attn_variant_find(type);
    if (!row->variant)
        return attn_fail(error, "attention_type: %s is not known", type);
    const json_t *published = json_object_get(from, "published");
    for (int i = 0; i < PAPER_QUANTITIES; i++)
        if (json_object_get(published, paper_quantity_names[i]) &&
            copy_text(row->published[i], sizeof row->published[i], published, paper_quantity_names[i], error))
            return -1;
    if (read_shape(&row->claimed, model, from, "claimed", row->variant, error))
        return -1;
    return read_shape(&row->identified, model, from, "identified", row->variant, error);
}

static int read_model(paper_model *model, const json_t *from, attn_error *error) {
    if (copy_text(model->name, sizeof model->name, from, "model", error))
        return -1;
    const json_t *rows = json_object_get(from, "rows");
    model->rows = json_array_size(rows);
    if (model->rows < 1 || model->rows > PAPER_ROWS)
        return attn_fail(error, "rows: expected 1 to %d of them", PAPER_ROWS);
    for (size_t i = 0; i < model->rows; i++)
        if (read_row(&model->row[i], from, json_array_get(rows, i), error))
            return -1;
    return 0;
}

static int read_tables(paper_tables *tables, const json_t *root, attn_error *error) {
    const json_t *models = json_object_get(root, "models");
    tables->models = json_array_size(models);
    if (tables->models < 1 || tables->models > PAPER_MODELS)
        return attn_fail(error, "models: expected 1 to %d of them", PAPER_MODELS);
    if (read_size(&tables->frames, root, "frames", error) ||
        read_size(&tables->batch, root, "batch", error) ||
        read_size(&tables->element, root, "bytes_per_element", error))
        return -1;
    if (copy_text(tables->paper, sizeof tables->paper, root, "paper", error) ||
        copy_text(tables->document, sizeof tables->document, root, "document", error) ||
        copy_text(tables->source, sizeof tables->source, root, "source", error))
        return -1;
    tables->frame_seconds = json_number_value(json_object_get(root, "frame_seconds"));
    if (!(tables->frame_seconds > 0))
        return attn_fail(error, "frame_seconds: expected a number above 0");
    for (size_t i = 0; i < tables->models; i++)
        if (read_model(&tables->model[i], json_array_get(models, i), error))
            return -1;
    return 0;
}

int paper_read(paper_tables *tables, const char *path, attn_error *error) {
    *tables = (paper_tables){0};
    attn_error inner = {0};
    json_t *root = json_read_file(path, (size_t)1 << 20, error);
    int result = root ? 0 : -1;
    if (root && read_tables(tables, root, &inner))
        result = attn_fail_as(error, inner.code, "%s: %s", path, inner.message);
    json_decref(root);
    return result;
}

int paper_read_published(paper_tables *tables, attn_error *error) {
    char *path = home_path("reports/paper/published.json", error);
    int result = path ? paper_read(tables, path, error) : -1;
    attn_free(path);
    return result;
}
