#include "reports/page/template/figure_titles.h"

#include "base/text/json.h"

#include <string.h>

static bool is_figure(const json_t *o) {
    return json_is_string(json_object_get(o, "title")) && json_object_get(o, "basis") &&
           json_object_get(o, "shows");
}

static int collect(json_t *list, json_t *from) {
    json_t *one;
    const char *key;
    size_t i;
    int failed = is_figure(from) ? json_array_append(list, from) : 0;
    json_object_foreach(from, key, one) {
        failed |= collect(list, one);
    }
    json_array_foreach(from, i, one) {
        failed |= collect(list, one);
    }
    return failed;
}

static size_t times(const json_t *titles, const char *title) {
    size_t i, count = 0;
    json_t *one;
    json_array_foreach(titles, i, one) {
        count += !strcmp(json_string_value(one), title);
    }
    return count;
}

int figure_titles_distinguish(json_t *data) {
    json_t *figures = json_array(), *titles = json_array(), *one;
    size_t i;
    int failed = !figures || !titles || collect(figures, data);
    json_array_foreach(figures, i, one) {
        failed |= json_array_append(titles, json_object_get(one, "title"));
    }
    json_array_foreach(figures, i, one) {
        const char *title = json_text(one, "title"), *shows = json_text(one, "shows");
        if (!failed && *shows && times(titles, title) > 1)
            failed |= json_object_set_new(one, "title", json_sprintf("%s (%s)", title, shows));
    }
    json_decref(figures);
    json_decref(titles);
    return failed ? -1 : 0;
}
