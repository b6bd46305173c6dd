/* The fields of a case, by their bits. */
#include "reports/data/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *case_path(const results_case *c) {
    return *c->path_run ? c->path_run : c->path;
}

double case_number(const results_case *c, case_field field) {
    switch (field) {
    case FIELD_L:
        return (double)c->L;
    case FIELD_Q:
        return (double)c->q;
    case FIELD_B:
        return (double)c->B;
    case FIELD_H:
        return (double)c->h;
    case FIELD_D:
        return (double)c->d;
    case FIELD_HKV:
        return (double)c->hkv;
    case FIELD_DC:
        return (double)c->dc;
    case FIELD_T:
        return (double)c->T;
    case FIELD_LEFT:
        return (double)c->left;
    case FIELD_LAYERS:
        return (double)c->layers;
    case FIELD_K:
        return (double)c->k;
    default:
        return NAN;
    }
}

const char *case_word(const results_case *c, case_field field) {
    switch (field) {
    case FIELD_TYPE:
        return c->type;
    case FIELD_MODE:
        return c->mode;
    case FIELD_PATH:
        return case_path(c);
    case FIELD_ASKED:
        return c->path;
    case FIELD_IMPL:
        return c->impl;
    case FIELD_KV:
        return c->kv;
    case FIELD_MODEL:
        return c->model;
    case FIELD_INPUT:
        return c->input;
    case FIELD_MERGE:
        return c->merge;
    default:
        return c->pos;
    }
}

bool case_same(const results_case *a, const results_case *b, unsigned fields) {
    for (unsigned bit = FIELD_TYPE; bit < FIELDS_ALL; bit <<= 1) {
        if (!(fields & bit))
            continue;
        double x = case_number(a, (case_field)bit), y = case_number(b, (case_field)bit);
        if (isnan(x) ? strcmp(case_word(a, (case_field)bit), case_word(b, (case_field)bit)) != 0 : x != y)
            return false;
    }
    return true;
}

void positions_text(char *text, size_t size, const results_case *const *cases, size_t count) {
    size_t others = 0;
    text[0] = '\0';
    if (!count || !*cases[0]->pos)
        return;
    snprintf(text, size, "pos %s", cases[0]->pos);
    for (size_t i = 1; i < count; i++) {
        bool told = case_same(cases[i], cases[0], FIELD_POS);
        for (size_t k = 1; k < i && !told; k++)
            told = case_same(cases[i], cases[k], FIELD_TYPE | FIELD_POS);
        if (told)
            continue;
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s: %s", others++ ? ", " : " (", cases[i]->type, cases[i]->pos);
    }
    size_t used = strlen(text);
    if (others)
        snprintf(text + used, size - used, ")");
}
