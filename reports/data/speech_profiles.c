#include "reports/data/speech_profiles.h"

#include "base/text/json.h"
#include "reports/data/profile_print.h"

#include <stdlib.h>

static const size_t FILE_LIMIT = (size_t)64 << 20;

static int wrong(const char *file, size_t model, const char *key, const char *expected, attn_error *error) {
    return attn_fail(error, "%s: model %zu: %s: expected %s, as profile-kv --format json writes it", file,
                     model, key, expected);
}

static int check_model(const json_t *model, size_t i, const char *file, attn_error *error) {
    static const char *const objects[] = {"model", "setting", "parts"};
    static const char *const numbers[] = {"total_utterances", "total_frames", "kv_bytes_formula",
                                          "kv_bytes_live",    "seconds",      "rtf",
                                          "mean_rtf"};
    static const char *const texts[] = {"model_type", "attention_type"};
    for (size_t k = 0; k < sizeof objects / sizeof *objects; k++)
        if (!json_is_object(json_object_get(model, objects[k])))
            return wrong(file, i, objects[k], "an object", error);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (!(json_number_value(json_object_get(model, numbers[k])) >= 0) ||
            !json_is_number(json_object_get(model, numbers[k])))
            return wrong(file, i, numbers[k], "a number from 0", error);
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        if (!json_is_string(json_object_get(json_object_get(model, "model"), texts[k])))
            return wrong(file, i, texts[k], "text", error);
    if (!json_is_string(json_object_get(model, "config")))
        return wrong(file, i, "config", "text", error);
    return json_is_boolean(json_object_get(model, "formula_equals_live"))
               ? 0
               : wrong(file, i, "formula_equals_live", "true or false", error);
}

static int check_file(const json_t *root, const char *path, attn_error *error) {
    const json_t *models = json_object_get(root, "models");
    if (!models)
        return check_model(root, 0, path, error);
    if (!json_array_size(models))
        return attn_fail(error, "%s: models: expected a list of at least one", path);
    for (size_t i = 0; i < json_array_size(models); i++)
        if (check_model(json_array_get(models, i), i, path, error))
            return -1;
    return 0;
}

int speech_profiles_read(speech_profiles *p, const char *path, attn_error *error) {
    json_t *root = json_read_file(path, FILE_LIMIT, error);
    if (!root)
        return -1;
    int result = check_file(root, path, error);
    if (!result && !p->files) {
        p->files = json_array();
        profile_table_init(&p->models, "Models on speech");
    }
    if (!result) {
        profile_table_add(&p->models, root);
        result = json_array_append(p->files, root) ? attn_no_memory(error, path) : 0;
    }
    json_decref(root);
    return result;
}

void speech_profiles_free(speech_profiles *p) {
    if (p->files)
        table_free(&p->models);
    json_decref(p->files);
    *p = (speech_profiles){0};
}

/* All models of a file share their setting. NULL: no memory for it. */
static json_t *setting_of(const json_t *file) {
    char *text = NULL;
    size_t size;
    FILE *words = open_memstream(&text, &size);
    if (!words)
        return NULL;
    profile_setting(file, words);
    int closed = fclose(words);
    for (char *c = text; !closed && *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    json_t *setting = closed ? NULL : json_string(text);
    free(text);
    return setting;
}

json_t *speech_settings(const speech_profiles *p) {
    json_t *list = json_array(), *file;
    size_t i;
    json_array_foreach(p->files, i, file) {
        json_array_append_new(list, setting_of(file));
    }
    return list;
}
