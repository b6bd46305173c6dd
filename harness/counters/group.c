#define _GNU_SOURCE /* sched_getcpu */
#include "harness/counters/group.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/home.h"
#include "base/text/ending.h"
#include "base/text/formula.h"
#include "base/text/yaml.h"
#include "harness/counters/cpu_identity.h"
#include "harness/counters/source/pmu_devices.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = "harness/counters/groups";
static const size_t FILE_LIMIT = (size_t)1 << 20;

const counter_event *group_event(const counter_group *group, const char *name) {
    for (size_t i = 0; i < group->count; i++)
        if (!strcmp(group->events[i]->name, name))
            return group->events[i];
    return NULL;
}

bool group_constant_find(double *value, const counter_group *group, const char *name) {
    bool found = false;
    *value = NAN;
    for (size_t i = 0; i < group->constants; i++)
        if (!strcmp(group->constant[i].name, name)) {
            found = true;
            if (isnan(*value))
                *value = group->constant[i].value;
        }
    return found;
}

static bool is_name(const char *text) {
    size_t length = 0;
    while (islower((unsigned char)text[length]) || isdigit((unsigned char)text[length]) ||
           text[length] == '_')
        length++;
    return length && length < FORMULA_NAME_MAX && !text[length] && !isdigit((unsigned char)text[0]);
}

static char *copy_text(const yaml_file *file, const yaml_node_t *node, const char *key, attn_error *error) {
    const char *text = yaml_text(file, node, key, error);
    return text ? attn_strdup(text, error) : NULL;
}

/* A required text of a mapping. */
static char *need_text(yaml_file *file, const yaml_node_t *mapping, const char *key, attn_error *error) {
    const yaml_node_t *node = yaml_find(file, mapping, key);
    if (!node) {
        yaml_fail(file, mapping, key, error, "missing");
        return NULL;
    }
    return copy_text(file, node, key, error);
}

static int add_event(counter_group *g, const yaml_file *file, const yaml_node_t *node,
                     const counter_event *event, attn_error *error) {
    if (group_event(g, event->name))
        return yaml_fail(file, node, "events", error, "%.40s is in the group twice", event->name);
    if (g->count == GROUP_EVENTS_MAX)
        return yaml_fail(file, node, "events", error, "more than %d", GROUP_EVENTS_MAX);
    g->events[g->count++] = event;
    return 0;
}

static int read_events(counter_group *g, yaml_file *file, attn_error *error) {
    yaml_node_t *list = yaml_find(file, file->root, "events");
    for (size_t i = 0; list && i < yaml_count(list); i++) {
        const yaml_node_t *node = yaml_item(file, list, i);
        const char *name = yaml_text(file, node, "events", error);
        const counter_event *event = NULL;
        if (!name)
            return -1;
        for (size_t k = 0; k < counter_event_count; k++)
            if (!strcmp(counter_events[k].name, name))
                event = &counter_events[k];
        if (!event)
            return yaml_fail(file, node, "events", error,
                             "found %.40s, expected one that `attnbench counters list` has", name);
        if (add_event(g, file, node, event, error))
            return -1;
    }
    return 0;
}

/* "A B C" of a list. */
static char *join(yaml_file *file, yaml_node_t *list, const char *key, attn_error *error) {
    char *all = NULL;
    for (size_t i = 0; i < yaml_count(list); i++) {
        const yaml_node_t *node = yaml_item(file, list, i);
        const char *text = yaml_text(file, node, key, error);
        if (text && (!*text || strpbrk(text, " \t\n")))
            text =
                (yaml_fail(file, node, key, error, "found \"%.40s\", expected a name without spaces", text),
                 NULL);
        char *longer = text ? attn_format(error, "%s%s%s", all ? all : "", all ? " " : "", text) : NULL;
        attn_free(all);
        all = longer;
        if (!all)
            return NULL;
    }
    if (!all)
        yaml_fail(file, list, key, error, "expected at least one name");
    return all;
}

/* Whether a mapping is of this CPU. */
static int read_cpu(bool *ours, yaml_file *file, const yaml_node_t *mapping, attn_error *error) {
    const yaml_node_t *node = yaml_find(file, mapping, "cpu");
    const char *pattern = node ? yaml_text(file, node, "cpu", error) : NULL;
    attn_error why = {0};
    *ours = !node;
    if (!node)
        return 0;
    if (!pattern)
        return -1;
    return cpu_identity_is(ours, pattern, sched_getcpu(), &why)
               ? yaml_fail(file, node, "cpu", error, "%s", why.message)
               : 0;
}

static void forget_names(counter_event *event) {
    attn_free((char *)event->papi);
    attn_free((char *)event->kernel);
    event->papi = event->kernel = NULL;
}

static int read_native(counter_group *g, yaml_file *file, yaml_node_t *node, attn_error *error) {
    static const char *const known[] = {"name", "about", "papi", "perf", "cpu", NULL};
    if (node->type != YAML_MAPPING_NODE)
        return yaml_fail(file, node, "natives", error,
                         "expected mappings of name, about, papi, perf and cpu");
    if (yaml_check_keys(file, node, known, error))
        return -1;
    if (g->natives == GROUP_EVENTS_MAX)
        return yaml_fail(file, node, "natives", error, "more than %d", GROUP_EVENTS_MAX);
    counter_event *event = &g->native[g->natives++];
    yaml_node_t *papi = yaml_find(file, node, "papi"), *perf = yaml_find(file, node, "perf");
    *event = (counter_event){.perf_type = -1, .may_be_zero = true};
    event->name = need_text(file, node, "name", error);
    event->description = event->name ? need_text(file, node, "about", error) : NULL;
    if (!event->description)
        return -1;
    if (!is_name(event->name))
        return yaml_fail(file, node, "name", error, "found \"%.40s\", expected small letters, digits and _",
                         event->name);
    for (size_t i = 0; i < counter_event_count; i++)
        if (!strcmp(counter_events[i].name, event->name))
            return yaml_fail(file, node, "name", error, "%.40s is an event already", event->name);
    if (!papi && !perf)
        return yaml_fail(file, node, "papi", error, "missing, and so is perf: one of them names the event");
    bool ours;
    if (read_cpu(&ours, file, node, error))
        return -1;
    if (papi && !(event->papi = join(file, papi, "papi", error)))
        return -1;
    if (perf && !(event->kernel = join(file, perf, "perf", error)))
        return -1;
    if (!ours)
        forget_names(event);
    event->elsewhere = !ours;
    return add_event(g, file, node, event, error);
}

static int read_constant(counter_group *g, yaml_file *file, const yaml_node_t *node, attn_error *error) {
    static const char *const known[] = {"name", "about", "value", "caps", "cpu", NULL};
    if (node->type != YAML_MAPPING_NODE)
        return yaml_fail(file, node, "constants", error,
                         "expected mappings of name, about, and value or caps");
    if (yaml_check_keys(file, node, known, error))
        return -1;
    if (g->constants == GROUP_CONSTANTS_MAX)
        return yaml_fail(file, node, "constants", error, "more than %d", GROUP_CONSTANTS_MAX);
    const yaml_node_t *value = yaml_find(file, node, "value"), *caps = yaml_find(file, node, "caps");
    group_constant *c = &g->constant[g->constants++];
    *c = (group_constant){.name = need_text(file, node, "name", error), .value = NAN};
    char *about = c->name ? need_text(file, node, "about", error) : NULL;
    attn_free(about);
    bool ours;
    if (!about || read_cpu(&ours, file, node, error))
        return -1;
    if (!is_name(c->name) || group_event(g, c->name))
        return yaml_fail(file, node, "name", error, "found \"%.40s\", expected a name of its own", c->name);
    if (!value == !caps)
        return yaml_fail(file, node, "value", error, "expected value or caps, one of them");
    const char *capability = caps ? yaml_text(file, caps, "caps", error) : NULL;
    if (caps && !capability)
        return -1;
    if (value && yaml_number(file, value, "value", 0, 1e9, &c->value, error))
        return -1;
    if (ours && caps && !pmu_capability(&c->value, capability, sched_getcpu()))
        c->value = NAN;
    c->value = ours ? c->value : NAN;
    return 0;
}

static int find_term(void *context, const char *name, double *value, attn_error *error) {
    double ignored;
    (void)value;
    return group_event(context, name) || group_constant_find(&ignored, context, name)
               ? 0
               : attn_fail(error, "%.40s is no event or constant of this group", name);
}

static int read_formula(counter_group *g, yaml_file *file, const yaml_node_t *node, attn_error *error) {
    static const char *const known[] = {"name", "about", "formula", NULL};
    if (node->type != YAML_MAPPING_NODE)
        return yaml_fail(file, node, "formulas", error, "expected mappings of name, about and formula");
    if (yaml_check_keys(file, node, known, error))
        return -1;
    if (g->formulas == GROUP_FORMULAS_MAX)
        return yaml_fail(file, node, "formulas", error, "more than %d", GROUP_FORMULAS_MAX);
    group_formula *f = &g->formula[g->formulas++];
    yaml_node_t *list = yaml_find(file, node, "formula");
    f->name = need_text(file, node, "name", error);
    f->about = f->name ? need_text(file, node, "about", error) : NULL;
    if (!f->about)
        return -1;
    if (!is_name(f->name))
        return yaml_fail(file, node, "name", error, "found \"%.40s\", expected small letters, digits and _",
                         f->name);
    if (!list || !yaml_count(list) || yaml_count(list) > GROUP_CHOICES_MAX)
        return yaml_fail(file, node, "formula", error, "expected a formula, or a list of up to %d",
                         GROUP_CHOICES_MAX);
    for (size_t i = 0; i < yaml_count(list); i++) {
        attn_error why = {0};
        char *text = f->choice[f->choices++] = copy_text(file, yaml_item(file, list, i), "formula", error);
        if (!text)
            return -1;
        if (formula_check(text, find_term, g, &why))
            return yaml_fail(file, yaml_item(file, list, i), "formula", error, "%s", why.message);
    }
    return 0;
}

static int read_group(counter_group *g, yaml_file *file, attn_error *error) {
    static const char *const known[] = {"summary",   "needs",    "events", "natives",
                                        "constants", "formulas", NULL};
    if (yaml_check_keys(file, file->root, known, error))
        return -1;
    g->summary = need_text(file, file->root, "summary", error);
    g->needs = g->summary ? need_text(file, file->root, "needs", error) : NULL;
    if (!g->needs || read_events(g, file, error))
        return -1;
    yaml_node_t *natives = yaml_find(file, file->root, "natives");
    yaml_node_t *formulas = yaml_find(file, file->root, "formulas");
    yaml_node_t *constants = yaml_find(file, file->root, "constants");
    for (size_t i = 0; natives && i < yaml_count(natives); i++)
        if (read_native(g, file, yaml_item(file, natives, i), error))
            return -1;
    for (size_t i = 0; constants && i < yaml_count(constants); i++)
        if (read_constant(g, file, yaml_item(file, constants, i), error))
            return -1;
    if (!g->count)
        return yaml_fail(file, file->root, "events", error, "expected at least one event");
    for (size_t i = 0; formulas && i < yaml_count(formulas); i++)
        if (read_formula(g, file, yaml_item(file, formulas, i), error))
            return -1;
    return 0;
}

int group_parse(counter_group *g, const char *text, size_t size, const char *name, attn_error *error) {
    yaml_file file;
    *g = (counter_group){0};
    if (yaml_file_parse(&file, text, size, name, error))
        return -1;
    int result = read_group(g, &file, error);
    yaml_file_free(&file);
    if (result)
        group_free(g);
    return result;
}

int group_read(counter_group *g, const char *which, attn_error *error) {
    size_t size;
    *g = (counter_group){0};
    char *path = home_named_file(which, folder, "--group", "group of counters", error);
    char *text = path ? attn_read_file(path, FILE_LIMIT, &size, error) : NULL;
    int result = text ? group_parse(g, text, size, path, error) : -1;
    if (!result && !(g->name = yaml_plain_name(which, error))) {
        group_free(g);
        result = -1;
    }
    attn_free(text);
    attn_free(path);
    return result;
}

static int is_group_file(const struct dirent *entry) {
    return text_ends(entry->d_name, ".yaml");
}

int group_list_read(group_list *list, attn_error *error) {
    struct dirent **files = NULL;
    char *path = home_path(folder, error);
    *list = (group_list){0};
    if (!path)
        return -1;
    int count = scandir(path, &files, is_group_file, alphasort), result = 0;
    if (count < 0)
        result = attn_fail(error, "%s: cannot be read: %s", path, strerror(errno));
    else if (!(list->groups = attn_alloc((size_t)count, sizeof *list->groups, "counter groups", error)))
        result = -1;
    for (int i = 0; i < count; i++) {
        char *file = result ? NULL : attn_format(error, "%s/%s", path, files[i]->d_name);
        if (!result && (!file || group_read(&list->groups[list->count++], file, error)))
            result = -1;
        attn_free(file);
        free(files[i]);
    }
    free(files);
    attn_free(path);
    if (result)
        group_list_free(list);
    return result;
}

void group_list_free(group_list *list) {
    for (size_t i = 0; i < list->count; i++)
        group_free(&list->groups[i]);
    attn_free(list->groups);
    *list = (group_list){0};
}

void group_free(counter_group *g) {
    for (size_t i = 0; i < g->natives; i++) {
        attn_free((char *)g->native[i].name);
        attn_free((char *)g->native[i].description);
        forget_names(&g->native[i]);
    }
    for (size_t i = 0; i < g->constants; i++)
        attn_free(g->constant[i].name);
    for (size_t i = 0; i < g->formulas; i++) {
        attn_free(g->formula[i].name);
        attn_free(g->formula[i].about);
        for (size_t k = 0; k < g->formula[i].choices; k++)
            attn_free(g->formula[i].choice[k]);
    }
    attn_free(g->name);
    attn_free(g->summary);
    attn_free(g->needs);
    *g = (counter_group){0};
}
