/* The fields of a measured case (bench/fields.inc) as reports see them: to group, to sort and to show by. */
#ifndef REPORTS_DATA_CASE_FIELDS_H
#define REPORTS_DATA_CASE_FIELDS_H

#include "bench/field.h"
#include "reports/data/measured.h"

#include <stdint.h>

enum { FIELD_WORDS = 4 };

/* As bits of 64: four words, then FIELD_ID for each row of fields.inc. (Before C23 an enumerator beyond int is an
 * extension.) */
__extension__ typedef enum case_field {
    FIELD_TYPE = 1 << 0,
    FIELD_MODE = 1 << 1,
    FIELD_MODEL = 1 << 2,
    FIELD_ASKED = 1 << 3, /* path as asked for, where auto stays auto; FIELD_PATH is the path as run */
#define NUMBER(id, ...) FIELD_##id = UINT64_C(1) << (FIELD_WORDS + BENCH_FIELD_##id),
#define CHOICE(id, ...) FIELD_##id = UINT64_C(1) << (FIELD_WORDS + BENCH_FIELD_##id),
#include "bench/fields.inc"
    FIELDS_ALL = (UINT64_C(1) << (FIELD_WORDS + BENCH_FIELDS)) - 1
} case_field;
typedef uint64_t case_fields; /* a set of them */

double case_number(const results_case *c, case_field field);    /* NaN for texts */
const char *case_word(const results_case *c, case_field field); /* of the texts */
bool case_same(const results_case *a, const results_case *b, case_fields fields);
const char *case_path(const results_case *c); /* as run, or as asked for */

/* The fields that go unsaid at their default somewhere: cases that differ in them are never drawn as one line. */
case_fields case_fields_unsaid(void);

/* Adds ", cache cold" to the text: those of them that are not at their default. */
void unsaid_append(char *text, size_t size, const results_case *c, case_fields fields);

typedef struct case_column {
    const char *key;
    case_field field;
} case_column;

/* The fields that rows of this kind ("attention") have, in the order of fields.inc, without those that go unsaid in all
 * its cases. Returns how many. */
size_t case_columns(case_column columns[BENCH_FIELDS], const report_data *data, const char *kind);

/* The field's value, for a table; null where the case does not take it. */
json_t *case_value(const results_case *c, case_field field);

/* "pos rel_pos", or "pos rel_pos (linear: abs_pos)": the positions of these cases; "" when none has any. */
void positions_text(char *text, size_t size, const results_case *const *cases, size_t count);

/* "none, rel_pos": each position that some case of a kind has, in the order of attn_pos_enc_names; "" without cases. */
void kind_positions_text(char *text, size_t size, const report_data *data, const char *kind);

#endif
