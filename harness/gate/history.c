#include "harness/gate/history.h"

#include "base/statistics/changes.h"
#include "base/text/json.h"
#include "harness/gate/compare.h"
#include "harness/results/machines.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const size_t FILE_LIMIT = (size_t)256 << 20;

static int check_line(const json_t *line, const char *path, size_t number, attn_error *error) {
    static const char *const texts[] = {"commit", "date", "fingerprint"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!json_is_string(json_object_get(line, texts[i])))
            return attn_fail(error, "%s:%zu: %s: expected text: not a line of attnbench history", path,
                             number, texts[i]);
    const json_t *cases = json_object_get(line, "cases");
    const char *name;
    json_t *entry;
    if (!json_is_object(cases))
        return attn_fail(error, "%s:%zu: cases: expected an object", path, number);
    json_object_foreach((json_t *)cases, name, entry) {
        if (!(json_number(entry, "time") > 0))
            return attn_fail(error, "%s:%zu: %.200s: time: expected a number above 0", path, number, name);
    }
    return 0;
}

static int read_lines(json_t *lines, const char *path, char *text, size_t size, attn_error *error) {
    size_t number = 0;
    for (char *line = text, *end; line < text + size; line = end + 1) {
        json_error_t why;
        number++;
        end = memchr(line, '\n', (size_t)(text + size - line));
        if (!end)
            return attn_fail(error, "%s:%zu: cut short: the last line has no end", path, number);
        json_t *object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &why);
        if (!object)
            return attn_fail(error, "%s:%zu: not JSON: %s", path, number, why.text);
        if (json_array_append_new(lines, object))
            return attn_no_memory(error, path);
        if (check_line(object, path, number, error))
            return -1;
    }
    return 0;
}

json_t *history_read(const char *path, attn_error *error) {
    size_t size;
    char *text = attn_read_file(path, FILE_LIMIT, &size, error);
    json_t *lines = text ? json_array() : NULL;
    if (lines && read_lines(lines, path, text, size, error)) {
        json_decref(lines);
        lines = NULL;
    }
    attn_free(text);
    return lines;
}

static json_t *line_of(const results *r, const char *commit, attn_error *error) {
    json_t *cases = json_object();
    for (size_t i = 0; i < r->count; i++) {
        const results_case *c = &r->cases[i];
        double time = c->error || !c->count ? NAN : compare_case_time(c, error);
        if (isnan(time))
            continue;
        json_t *entry = json_pack("{sf sI}", "time", time, "runs", (json_int_t)c->count);
        if (!isnan(c->kv_bytes_live))
            json_object_set_new(entry, "kv_bytes", json_integer((json_int_t)c->kv_bytes_live));
        json_object_set_new(cases, c->name, entry);
    }
    return json_pack("{ss ss ss ss ss so}", "commit",
                     commit ? commit : results_text(r, "build.commit", results_text(r, "commit", "unknown")),
                     "date", json_text(r->context, "date"), "host", json_text(r->context, "host_name"),
                     "fingerprint", results_text(r, "fingerprint", ""), "plan", results_text(r, "plan", ""),
                     "cases", cases);
}

static int check_new(const json_t *lines, const json_t *line, bool force, const char *path,
                     attn_error *error) {
    size_t i, last = json_array_size(lines) - 1;
    json_t *old;
    if (!json_object_size(json_object_get(line, "cases")))
        return attn_fail(error, "%s: the results have no case with a time", path);
    json_array_foreach(lines, i, old) {
        if (!strcmp(json_text(old, "commit"), json_text(line, "commit")) &&
            !strcmp(json_text(old, "date"), json_text(line, "date")) && /* dates are whole seconds */
            json_equal(json_object_get(old, "cases"), json_object_get(line, "cases")))
            return attn_fail(error, "%s:%zu: has these results already (commit %s, %s)", path, i + 1,
                             json_text(line, "commit"), json_text(line, "date"));
    }
    if (i && !force &&
        strcmp(json_text(json_array_get(lines, last), "fingerprint"), json_text(line, "fingerprint")))
        return attn_fail(
            error, "%s: ends with results of another machine (%s, these are of %s); --force appends", path,
            json_text(json_array_get(lines, last), "fingerprint"), json_text(line, "fingerprint"));
    return 0;
}

/* One write, so that a line is there whole or not at all. */
static int append(const char *path, const json_t *line, attn_error *error) {
    size_t size = json_dumpb(line, NULL, 0, JSON_COMPACT);
    char *text = attn_alloc(size + 1, 1, "line of history", error);
    if (!text)
        return -1;
    json_dumpb(line, text, size, JSON_COMPACT);
    text[size] = '\n';
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    off_t end = file < 0 ? 0 : lseek(file, 0, SEEK_END);
    int result = file < 0 ? -1 : write(file, text, size + 1) == (ssize_t)size + 1 && !fsync(file) ? 0 : -1;
    if (result) {
        attn_fail(error, "%s: cannot be written: %s", path, strerror(errno));
        if (file >= 0 && ftruncate(file, end))
            attn_fail(error, "%s: cannot be written", path);
    }
    if (file >= 0)
        close(file);
    attn_free(text);
    return result;
}

int history_add(const char *path, const results *r, const char *commit, bool force, attn_error *error) {
    char cpus[300];
    size_t kinds = results_kinds(cpus, sizeof cpus, r);
    if (kinds > 1)
        return attn_fail(error, "the results are of %zu kinds of machine (%s): a history is of one", kinds,
                         cpus);
    bool there = !access(path, F_OK);
    json_t *lines = there ? history_read(path, error) : json_array();
    json_t *line = lines ? line_of(r, commit, error) : NULL;
    int result = line && !error->code ? 0 : attn_no_memory(error, "history");
    if (!result)
        result = check_new(lines, line, force, path, error);
    if (!result)
        result = append(path, line, error);
    json_decref(lines);
    json_decref(line);
    return result;
}

/* Names in order of appearance, with how many lines have each. */
static json_t *count_names(const json_t *lines) {
    json_t *names = json_object(), *line, *entry;
    size_t i;
    const char *name;
    json_array_foreach(lines, i, line) {
        json_object_foreach(json_object_get(line, "cases"), name, entry) {
            json_int_t before = json_integer_value(json_object_get(names, name));
            json_object_set_new(names, name, json_integer(before + 1));
        }
    }
    return names;
}

static int fill(history_series *s, const char *name, size_t room, const json_t *lines, attn_error *error) {
    size_t i;
    json_t *line;
    s->line = attn_alloc(room, sizeof *s->line, "series", error);
    s->value = attn_alloc(room, sizeof *s->value, "series", error);
    if (!s->line || !s->value)
        return -1;
    json_array_foreach(lines, i, line) {
        const json_t *entry = json_object_get(json_object_get(line, "cases"), name);
        if (!entry)
            continue;
        s->name = json_object_iter_key(json_object_iter_at(json_object_get(line, "cases"), name));
        s->line[s->count] = i;
        s->value[s->count++] = json_number(entry, "time");
    }
    return 0;
}

history_series *history_all_series(size_t *count, const json_t *lines, attn_error *error) {
    json_t *names = count_names(lines), *room;
    const char *name;
    history_series *series = attn_alloc(json_object_size(names), sizeof *series, "series", error);
    *count = 0;
    json_object_foreach(names, name, room) {
        if (!series)
            break;
        if (fill(&series[(*count)++], name, (size_t)json_integer_value(room), lines, error)) {
            history_series_free(series, *count);
            series = NULL;
        }
    }
    json_decref(names);
    return series;
}

void history_series_free(history_series *series, size_t count) {
    for (size_t i = 0; series && i < count; i++) {
        attn_free(series[i].line);
        attn_free(series[i].value);
    }
    attn_free(series);
}

static const char *machine_of(const history_series *s, size_t i, const json_t *lines) {
    return json_text(json_array_get(lines, s->line[i]), "fingerprint");
}

int history_changes(history_change *changes, const history_series *s, const json_t *lines, double max_p,
                    double min_change, attn_error *error) {
    change_point *points = attn_alloc(s->count, sizeof *points, "change points", error);
    int count = points ? 0 : -1;
    for (size_t from = 0, to; count >= 0 && from < s->count; from = to) {
        for (to = from + 1; to < s->count && !strcmp(machine_of(s, to, lines), machine_of(s, from, lines));
             to++)
            ;
        int found = find_changes(points, s->value + from, to - from, max_p, min_change, error);
        for (int i = 0; i < found; i++)
            changes[count + i] =
                (history_change){from + points[i].index, points[i].before, points[i].after, points[i].p};
        count = found < 0 ? -1 : count + found;
    }
    attn_free(points);
    return count;
}
