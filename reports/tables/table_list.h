/* All tables of a report: what they are made from, and their list. */
#ifndef REPORTS_TABLES_TABLE_LIST_H
#define REPORTS_TABLES_TABLE_LIST_H

#include "reports/data/rounding.h"
#include "reports/data/series.h"
#include "reports/data/speech_profiles.h"
#include "reports/paper/paper_audit.h"
#include "reports/study/study_data.h"
#include "reports/tables/report_table.h"

/* What tables are filled from; all of it outlives them. */
typedef struct table_sources {
    const report_data *data;
    /* Of the plots cache_bytes, decode_time, prefill_time and mla_paths; without lines where there is no plot. */
    const series_lines *cache, *decode, *prefill, *paths;
    const paper_audit *audit;
    const text_table *claims;
    const speech_profiles *profiles;
    const study_data *study; /* without a root: there is none */
} table_sources;

/* table_NAME of each row; a memory failure leaves the rows NULL, which table_write reports. */
#define TABLE(name, place, level, link) void table_##name(report_table *t, const table_sources *from);
#include "reports/tables/tables.inc"
#undef TABLE

typedef enum table_place {
    PLACE_MODELS,
    PLACE_LAYERS,
    PLACE_PLOTS,
    PLACE_AUDIT,
    PLACE_STUDY,
    PLACE_MACHINE,
    PLACE_DETAILS,
    TABLE_PLACES
} table_place;
typedef enum table_level { LEVEL_SECTION, LEVEL_PART, LEVEL_BARE } table_level;

typedef struct table_entry {
    const char *name;
    table_place place;
    table_level level;
    const char *link;
    void (*fill)(report_table *t, const table_sources *from);
} table_entry;

#define TABLE(name, place, level, link) +1
enum {
    REPORT_TABLES = 0
#include "reports/tables/tables.inc"
};
#undef TABLE
extern const table_entry report_table_list[REPORT_TABLES];

/* Fills all of them, in the order of the list. */
void report_tables_fill(report_table tables[REPORT_TABLES], const table_sources *from);

/* Fills those of one place; the others are as if they were not asked for. */
void report_tables_fill_place(report_table tables[REPORT_TABLES], const table_sources *from,
                              table_place place);

/* Shows the columns that `list` names, by their keys with commas between, or "all"; tables with none of them stay as they
 * were. A name that no table has is an error. */
int report_tables_choose(report_table tables[REPORT_TABLES], const char *list, attn_error *error);

/* Writes those that are shown into the folder (made), NAME.csv and .json with all columns, .md and .tex with those for
 * reading; removes what an earlier report left of the others. */
int report_tables_write(const report_table tables[REPORT_TABLES], const char *folder, attn_error *error);

/* The same of one table, NAME.*. */
int report_table_write(const report_table *t, const char *folder, const char *name, attn_error *error);

/* Writes NAME.md, .csv, .json and .tex of any table. */
int table_write_files(const text_table *t, const char *folder, const char *name, attn_error *error);

#endif
