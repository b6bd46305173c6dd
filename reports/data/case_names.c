#include "reports/data/case_names.h"

#include "base/text/append.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { ABBREVIATION = 3 };

void type_name(char *text, size_t size, const char *type) {
    size_t used = 0;
    while (*type && used + 1 < size) {
        size_t length = strcspn(type, "_");
        bool is_short = length <= ABBREVIATION;
        for (size_t i = 0; i < length && used + 1 < size; i++)
            text[used++] = is_short ? (char)toupper((unsigned char)type[i]) : type[i];
        type += length;
        if (*type && used + 1 < size) {
            text[used++] = ' ';
            type++;
        }
    }
    text[used] = '\0';
}

bool case_rounds_cache(const results_case *c) {
    return *c->kv && strcmp(c->kv, "f32");
}

void case_short_name(char *text, size_t size, const results_case *c) {
    type_name(text, size, c->type);
    if (c->dc)
        text_append(text, size, " %zu", c->dc);
    if (c->hkv)
        text_append(text, size, " %zu", c->hkv);
    if (case_rounds_cache(c))
        text_append(text, size, " %s", c->kv);
}

void case_long_name(char *text, size_t size, const results_case *c) {
    type_name(text, size, c->type);
    if (islower((unsigned char)*text))
        text_append(text, size, " attention");
    if (c->dc)
        text_append(text, size, " with a latent of %zu", c->dc);
    if (c->hkv)
        text_append(text, size, " with %zu of %zu key/value heads", c->hkv, c->h);
    if (case_rounds_cache(c))
        text_append(text, size, " in %s", c->kv);
}

void model_name(char *text, size_t size, const char *model) {
    size_t used = 0;
    for (; model[used] && used + 1 < size; used++)
        text[used] = used ? model[used] : (char)toupper((unsigned char)model[used]);
    text[used] = '\0';
}

void case_model_name(char *text, size_t size, const results_case *c) {
    char type[CASE_NAME];
    model_name(text, size, c->model);
    case_short_name(type, sizeof type, c);
    text_append(text, size, ", %s", type);
}
