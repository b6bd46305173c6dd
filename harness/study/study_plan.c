#include "harness/study/study_plan.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/home.h"
#include "harness/study/study_kinds.h"

#include <string.h>

enum { FILE_LIMIT = 1 << 18, FRAMES_MAX = 1000000 };

/* ---- Settings ---- */

static int read_text(char **to, yaml_file *file, const char *key, const char *otherwise, attn_error *error) {
    const yaml_node_t *node = yaml_find(file, file->root, key);
    const char *text = node ? yaml_text(file, node, key, error) : otherwise;
    *to = text ? attn_strdup(text, error) : NULL;
    return *to ? 0 : -1;
}

static int check_split(const yaml_file *file, const yaml_node_t *node, const char *key, const char *text,
                       attn_error *error) {
    if (*text && *text != '.' && !strchr(text, '/'))
        return 0;
    return yaml_fail(file, node, key, error, "found \"%.40s\", expected the name of a split", text);
}

static int read_tests(study_plan *p, yaml_file *file, attn_error *error) {
    yaml_node_t *list = yaml_find(file, file->root, "test");
    if (!list) {
        p->test[0] = attn_strdup("test", error);
        p->tests = 1;
        return p->test[0] ? 0 : -1;
    }
    if (!yaml_count(list) || yaml_count(list) > STUDY_LIST)
        return yaml_fail(file, list, "test", error, "expected 1 to %d splits", STUDY_LIST);
    for (size_t i = 0; i < yaml_count(list); i++) {
        const yaml_node_t *node = yaml_item(file, list, i);
        const char *text = yaml_text(file, node, "test", error);
        if (!text || check_split(file, node, "test", text, error) ||
            !(p->test[p->tests] = attn_strdup(text, error)))
            return -1;
        for (size_t other = 0; other < p->tests; other++)
            if (!strcmp(p->test[other], text))
                return yaml_fail(file, node, "test", error, "%s: given twice", text);
        p->tests++;
        if (!strcmp(text, p->train))
            return yaml_fail(file, node, "test", error, "%s: is what models learn", text);
    }
    return 0;
}

static int read_seeds(study_plan *p, yaml_file *file, attn_error *error) {
    yaml_node_t *list = yaml_find(file, file->root, "seeds");
    p->seeds[0] = p->seed_count = 1;
    if (!list)
        return 0;
    if (!yaml_count(list) || yaml_count(list) > STUDY_LIST)
        return yaml_fail(file, list, "seeds", error, "expected 1 to %d seeds", STUDY_LIST);
    p->seed_count = yaml_count(list);
    for (size_t i = 0; i < p->seed_count; i++) {
        const yaml_node_t *node = yaml_item(file, list, i);
        if (yaml_integer(file, node, "seeds", 0, INT64_MAX, &p->seeds[i], error))
            return -1;
        for (size_t other = 0; other < i; other++)
            if (p->seeds[other] == p->seeds[i])
                return yaml_fail(file, node, "seeds", error, "given twice");
    }
    return 0;
}

static int read_folds(study_plan *p, yaml_file *file, attn_error *error) {
    const yaml_node_t *node = yaml_find(file, file->root, "folds");
    const char *text = node ? yaml_text(file, node, "folds", error) : "none";
    if (!text)
        return -1;
    p->folds = !strcmp(text, "speakers");
    return p->folds || !strcmp(text, "none")
               ? 0
               : yaml_fail(file, node, "folds", error, "found \"%.40s\", expected none or speakers", text);
}

typedef struct number {
    const char *key;
    uint64_t least, most;
    size_t *to;
} number;

static int read_numbers(yaml_file *file, yaml_node_t *map, const number *numbers, size_t count,
                        attn_error *error) {
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *node = yaml_find(file, map, numbers[i].key);
        uint64_t value;
        if (!node)
            continue;
        if (yaml_integer(file, node, numbers[i].key, numbers[i].least, numbers[i].most, &value, error))
            return -1;
        *numbers[i].to = (size_t)value;
    }
    return 0;
}

static int read_left_chunks(long *to, yaml_file *file, yaml_node_t *map, attn_error *error) {
    const yaml_node_t *node = yaml_find(file, map, "left_chunks");
    uint64_t value;
    *to = -1;
    if (!node || (node->type == YAML_SCALAR_NODE && !strcmp((const char *)node->data.scalar.value, "-1")))
        return 0;
    if (yaml_integer(file, node, "left_chunks", 0, FRAMES_MAX, &value, error))
        return -1;
    *to = (long)value;
    return 0;
}

static int read_section(yaml_file *file, const char *name, const char *const *known, const number *numbers,
                        size_t count, long *left_chunks, attn_error *error) {
    yaml_node_t *map = yaml_find(file, file->root, name);
    *left_chunks = -1;
    if (!map)
        return 0;
    if (map->type != YAML_MAPPING_NODE)
        return yaml_fail(file, map, name, error, "expected keys with their values");
    return yaml_check_keys(file, map, known, error) || read_numbers(file, map, numbers, count, error) ||
                   read_left_chunks(left_chunks, file, map, error)
               ? -1
               : 0;
}

static int read_sections(study_plan *p, yaml_file *file, attn_error *error) {
    static const char *const latency_keys[] = {"frames", "chunk", "left_chunks", "runs", NULL};
    static const char *const stream_keys[] = {"chunk", "left_chunks", NULL};
    const number latency[] = {{"frames", 100, FRAMES_MAX, &p->latency.frames},
                              {"chunk", 1, FRAMES_MAX, &p->latency.chunk},
                              {"runs", 1, 1000, &p->latency.runs}};
    const number stream[] = {{"chunk", 1, FRAMES_MAX, &p->stream_chunk}};
    const number tune[] = {{"tune_epochs", 1, 1 << 20, &p->tune_epochs}};
    const yaml_node_t *rate = yaml_find(file, file->root, "tune_learning_rate");
    p->latency = (study_latency){.frames = 1000, .chunk = 16, .runs = 5};
    p->tune_epochs = 2;
    p->tune_learning_rate = 5e-4;
    return read_section(file, "latency", latency_keys, latency, 3, &p->latency.left_chunks, error) ||
                   read_section(file, "stream", stream_keys, stream, 1, &p->stream_left_chunks, error) ||
                   read_numbers(file, file->root, tune, 1, error) ||
                   (rate &&
                    yaml_number(file, rate, "tune_learning_rate", 1e-9, 1000, &p->tune_learning_rate, error))
               ? -1
               : 0;
}

static int read_settings(study_plan *p, yaml_file *file, attn_error *error) {
    static const char *const known[] = {
        "summary", "train",  "dev",    "test", "folds", "seeds", "units", "tune_epochs", "tune_learning_rate",
        "latency", "stream", "models", "runs", NULL};
    return yaml_check_keys(file, file->root, known, error) ||
                   read_text(&p->summary, file, "summary", "", error) ||
                   read_text(&p->train, file, "train", "train", error) ||
                   read_text(&p->dev, file, "dev", "dev", error) ||
                   read_text(&p->units, file, "units", "char", error) || read_tests(p, file, error) ||
                   read_seeds(p, file, error) || read_folds(p, file, error) || read_sections(p, file, error)
               ? -1
               : 0;
}

/* ---- Models and what is run of them ---- */

static int read_list(yaml_node_t **list, yaml_file *file, const char *key, attn_error *error) {
    *list = yaml_find(file, file->root, key);
    if (!*list)
        return attn_fail(error, "%s: %s: missing", file->name, key);
    return yaml_count(*list) ? 0 : yaml_fail(file, *list, key, error, "an empty list");
}

static int read_runs(study_plan *p, yaml_file *file, attn_error *error) {
    yaml_node_t *models, *runs;
    if (read_list(&models, file, "models", error) || read_list(&runs, file, "runs", error))
        return -1;
    for (size_t i = 0; i < yaml_count(models); i++) {
        yaml_node_t *entry = yaml_item(file, models, i);
        size_t choices = study_model_choices(file, entry, error);
        for (size_t c = 0; c < choices; c++) {
            study_model m;
            if (study_model_read(&m, file, entry, c, error))
                return -1;
            for (size_t k = 0; k < p->count; k++)
                if (!strcmp(p->kinds[k].model, m.name))
                    return yaml_fail(file, entry, "models", error,
                                     "two models are called %s: give them a `name`", m.name);
            for (size_t r = 0; r < yaml_count(runs); r++)
                if (study_kinds_add(p, &m, file, yaml_item(file, runs, r), error))
                    return -1;
        }
        if (!choices)
            return -1;
    }
    return 0;
}

int study_plan_parse(study_plan *p, const char *text, size_t size, const char *name, attn_error *error) {
    yaml_file file = {0};
    *p = (study_plan){.name = yaml_plain_name(name, error)};
    int failed = !p->name || yaml_file_parse(&file, text, size, name, error) ||
                 read_settings(p, &file, error) || read_runs(p, &file, error);
    yaml_file_free(&file);
    if (failed)
        study_plan_free(p);
    return failed ? -1 : 0;
}

int study_plan_read(study_plan *p, const char *which, attn_error *error) {
    size_t size;
    *p = (study_plan){0};
    char *path = home_named_file(which, STUDY_PLAN_FOLDER, "--plan", "plan", error);
    char *text = path ? attn_read_file(path, FILE_LIMIT, &size, error) : NULL;
    int failed = text ? study_plan_parse(p, text, size, path, error) : -1;
    attn_free(text);
    attn_free(path);
    return failed;
}

void study_plan_free(study_plan *p) {
    for (size_t i = 0; i < p->count; i++)
        attn_free(p->kinds[i].yaml);
    for (size_t i = 0; i < STUDY_LIST; i++)
        attn_free(p->test[i]);
    attn_free(p->kinds);
    attn_free(p->name);
    attn_free(p->summary);
    attn_free(p->train);
    attn_free(p->dev);
    attn_free(p->units);
    *p = (study_plan){0};
}
