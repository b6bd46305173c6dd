#include "reports/data/case_fields.h"

#include "base/text/append.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert(FIELD_WORDS + BENCH_FIELDS < 64, "case_fields has a bit for each field");

/* Where a field is in results_case. */
static const size_t members[BENCH_FIELDS] = {
#define NUMBER(id, member, ...) offsetof(results_case, member),
#define CHOICE(id, member, ...) offsetof(results_case, member),
#include "bench/fields.inc"
};

const char *case_path(const results_case *c) {
    return *c->path_run ? c->path_run : c->path;
}

static case_field bit_of(int row) {
    return (case_field)(UINT64_C(1) << (FIELD_WORDS + row));
}

/* The row of fields.inc, or -1 for the other words. */
static int row_of(case_field field) {
    for (int i = 0; i < BENCH_FIELDS; i++)
        if (field == bit_of(i))
            return i;
    return -1;
}

double case_number(const results_case *c, case_field field) {
    int row = row_of(field);
    size_t number;
    if (row < 0 || bench_fields[row].words)
        return NAN;
    memcpy(&number, (const char *)c + members[row], sizeof number);
    return (double)number;
}

const char *case_word(const results_case *c, case_field field) {
    const char *word;
    switch (field) {
    case FIELD_TYPE:
        return c->type;
    case FIELD_MODE:
        return c->mode;
    case FIELD_MODEL:
        return c->model;
    case FIELD_ASKED:
        return c->path;
    case FIELD_PATH:
        return case_path(c);
    default:
        memcpy(&word, (const char *)c + members[row_of(field)], sizeof word);
        return word;
    }
}

static bool is_number(int row) {
    return !bench_fields[row].words;
}

/* At its default, or not taken at all. */
static bool goes_unsaid(const results_case *c, int row) {
    const bench_field *field = &bench_fields[row];
    case_field bit = bit_of(row);
    if (!(field->unsaid & (unsigned)bench_where_find(c->kind, c->mode)))
        return !(field->rows & (unsigned)bench_where_find(c->kind, c->mode));
    return is_number(row) ? case_number(c, bit) == (double)field->fallback
                          : !strcmp(case_word(c, bit), field->words[field->fallback]);
}

case_fields case_fields_unsaid(void) {
    case_fields fields = 0;
    for (int i = 0; i < BENCH_FIELDS; i++)
        if (bench_fields[i].unsaid)
            fields |= bit_of(i);
    return fields;
}

void unsaid_append(char *text, size_t size, const results_case *c, case_fields fields) {
    for (int i = 0; i < BENCH_FIELDS; i++) {
        case_field bit = bit_of(i);
        if (!(fields & bit) || goes_unsaid(c, i))
            continue;
        if (is_number(i))
            text_append(text, size, ", %s %.0f", bench_fields[i].key, case_number(c, bit));
        else
            text_append(text, size, ", %s %s", bench_fields[i].key, case_word(c, bit));
    }
}

/* Whether some case of the kind takes the field and says so. */
static bool is_said(const report_data *data, const char *kind, int row) {
    for (size_t i = 0; i < data->count; i++)
        if (!strcmp(data->cases[i].c->kind, kind) && !goes_unsaid(data->cases[i].c, row))
            return true;
    return false;
}

static bool kind_takes(const char *kind, int row) {
    static const char *const modes[] = {"prefill", "chunk", "decode"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (bench_fields[row].rows & (unsigned)bench_where_find(kind, modes[i]))
            return true;
    return false;
}

size_t case_columns(case_column columns[BENCH_FIELDS], const report_data *data, const char *kind) {
    size_t count = 0;
    for (int i = 0; i < BENCH_FIELDS; i++)
        if (kind_takes(kind, i) && (!bench_fields[i].unsaid || is_said(data, kind, i)))
            columns[count++] = (case_column){bench_fields[i].key, bit_of(i)};
    return count;
}

json_t *case_value(const results_case *c, case_field field) {
    int row = row_of(field);
    if (row >= 0 && !(bench_fields[row].rows & (unsigned)bench_where_find(c->kind, c->mode)))
        return json_null();
    if (row >= 0 && is_number(row)) {
        double number = case_number(c, field);
        return number > 0 || !bench_fields[row].least ? json_integer((json_int_t)number) : json_null();
    }
    const char *word = case_word(c, field);
    return *word ? json_string(word) : json_null();
}

bool case_same(const results_case *a, const results_case *b, case_fields fields) {
    for (case_fields bit = FIELD_TYPE; bit < FIELDS_ALL; bit <<= 1) {
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
        bool named = case_same(cases[i], cases[0], FIELD_POS);
        for (size_t k = 1; k < i && !named; k++)
            named = case_same(cases[i], cases[k], FIELD_TYPE | FIELD_POS);
        if (named)
            continue;
        text_append(text, size, "%s%s: %s", others++ ? ", " : " (", cases[i]->type, cases[i]->pos);
    }
    if (others)
        text_append(text, size, ")");
}

void kind_positions_text(char *text, size_t size, const report_data *data, const char *kind) {
    text[0] = '\0';
    for (size_t p = 0; attn_pos_enc_names[p]; p++)
        for (size_t i = 0; i < data->count; i++) {
            const results_case *c = data->cases[i].c;
            if (strcmp(c->kind, kind) || strcmp(c->pos, attn_pos_enc_names[p]))
                continue;
            text_list(text, size, ", ", "%s", c->pos);
            break;
        }
}
