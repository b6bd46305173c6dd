#include "reports/tables/survey_print.h"

#include "base/text/json_write.h"
#include "base/text/table_write.h"
#include "reports/data/measured.h"

#include <math.h>

static const table_column isa_columns[] = {
    {"isa", "instruction set", NULL},
    {"ghz", "clock, GHz", "%.2f"},
    {"gflops", "peak, GFLOP/s (int8: Gop/s)", "%.1f"},
    {"gflops_all", "of all cores", "%.1f"},
    {"vector_multiply_adds_per_clock", "vector multiply-adds a clock", "%.2f"},
    {NULL, NULL, NULL}};
static const table_column level_columns[] = {{"level", "level", NULL},
                                             {"from", "smallest set in it", NULL},
                                             {"to", "largest", NULL},
                                             {"latency_ns", "latency, ns", "%.2f"},
                                             {"read", "read, GB/s", "%.1f"},
                                             {"write", "write", "%.1f"},
                                             {"copy", "copy", "%.1f"},
                                             {"triad", "triad", "%.1f"},
                                             {"nt_write", "non-temporal write", "%.1f"},
                                             {"kernel_says", "the kernel says", NULL},
                                             {NULL, NULL, NULL}};
static const table_column reach_columns[] = {{"from", "smallest set", NULL},
                                             {"to", "largest", NULL},
                                             {"cost_ns", "TLB costs a load, ns", "%.2f"},
                                             {NULL, NULL, NULL}};
static const table_column set_columns[] = {{"set", "working set of a core", NULL},
                                           {"read", "read, GB/s", "%.1f"},
                                           {"write", "write", "%.1f"},
                                           {"copy", "copy", "%.1f"},
                                           {"triad", "triad", "%.1f"},
                                           {"nt_write", "non-temporal write", "%.1f"},
                                           {"read_all", "read, all cores", "%.1f"},
                                           {"triad_all", "triad, all cores", "%.1f"},
                                           {"latency_small_ns", "latency, small pages, ns", "%.2f"},
                                           {"latency_huge_ns", "huge pages", "%.2f"},
                                           {"tlb_cost_small_ns", "TLB cost, small pages, ns", "%.2f"},
                                           {"tlb_cost_huge_ns", "huge pages", "%.2f"},
                                           {NULL, NULL, NULL}};
static const table_column partner_columns[] = {
    {"cpu", "other CPU", NULL}, {"one_way_ns", "one way, ns", "%.1f"}, {NULL, NULL, NULL}};

static void put(json_t *row, const char *key, double value) {
    json_object_set_new(row, key, isnan(value) ? json_null() : json_real(value));
}

/* "48 KiB": sets are whole numbers of KiB or MiB. */
static json_t *size_text(double bytes) {
    double mib = bytes / (1 << 20), kib = bytes / 1024;
    if (mib >= 1 && !(fmod(mib, 0.5) > 0))
        return json_sprintf("%.4g MiB", mib);
    return json_sprintf("%.4g KiB", kib);
}

static void put_streams(json_t *row, const double gbytes[SURVEY_STREAMS]) {
    for (size_t i = 0; i < SURVEY_STREAMS; i++)
        put(row, survey_streams[i], gbytes[i]);
}

static void isa_rows(text_table *t, const survey *s) {
    table_init(t, "Arithmetic", isa_columns);
    for (size_t i = 0; i < s->isas; i++) {
        json_t *row = json_pack("{ss}", "isa", s->isa[i].isa);
        put(row, "ghz", s->isa[i].ghz);
        put(row, "gflops", s->isa[i].gflops);
        put(row, "gflops_all", s->isa[i].gflops_all);
        put(row, "vector_multiply_adds_per_clock", s->isa[i].vector_madds);
        table_add(t, row);
    }
    if (!isnan(s->sgemm))
        table_add(t, json_pack("{ss sf}", "isa", "sgemm of the BLAS", "gflops", s->sgemm));
}

static void level_rows(text_table *t, const survey *s, const results *r) {
    static const char *const keys[] = {"l1d_bytes", "l2_bytes", "l3_bytes"};
    const json_t *machine = json_object_get(r->own, "machine");
    table_init(t, "Levels of memory, found in the latency", level_columns);
    for (size_t i = 0; i < s->levels; i++) {
        const survey_level *level = &s->level[i];
        bool memory = level->memory;
        double reported = memory || i >= 3 ? 0 : json_number_value(json_object_get(machine, keys[i]));
        json_t *row =
            json_pack("{so so so}", "level", memory ? json_string("memory") : json_sprintf("L%zu", i + 1),
                      "from", size_text(level->in.from), "to", size_text(level->in.to));
        json_object_set_new(row, "from_bytes", json_integer((json_int_t)level->in.from));
        json_object_set_new(row, "to_bytes", json_integer((json_int_t)level->in.to));
        put(row, "latency_ns", level->in.ns);
        put_streams(row, level->gbytes);
        if (reported > 0)
            json_object_set_new(row, "kernel_says", size_text(reported));
        table_add(t, row);
    }
}

static void reach_rows(text_table *t, const survey *s) {
    table_init(t, "Reach of TLBs, one line in each small page", reach_columns);
    for (size_t i = 0; i < s->reaches; i++) {
        json_t *row =
            json_pack("{so so}", "from", size_text(s->reach[i].from), "to", size_text(s->reach[i].to));
        json_object_set_new(row, "from_bytes", json_integer((json_int_t)s->reach[i].from));
        json_object_set_new(row, "to_bytes", json_integer((json_int_t)s->reach[i].to));
        put(row, "cost_ns", s->reach[i].ns);
        table_add(t, row);
    }
}

static void set_rows(text_table *t, const survey *s) {
    table_init(t, "Working sets", set_columns);
    for (size_t i = 0; i < s->sets; i++) {
        const survey_set *set = &s->set[i];
        json_t *row = json_pack("{so}", "set", size_text(set->bytes));
        json_object_set_new(row, "bytes", json_integer((json_int_t)set->bytes));
        put_streams(row, set->gbytes);
        put(row, "read_all", set->gbytes_all[SURVEY_READ]);
        put(row, "triad_all", set->gbytes_all[SURVEY_TRIAD]);
        put(row, "latency_small_ns", set->latency[SURVEY_SMALL]);
        put(row, "latency_huge_ns", set->latency[SURVEY_HUGE]);
        put(row, "tlb_small_ns", set->tlb[SURVEY_SMALL]);
        put(row, "tlb_huge_ns", set->tlb[SURVEY_HUGE]);
        put(row, "tlb_cost_small_ns", set->cost[SURVEY_SMALL]);
        put(row, "tlb_cost_huge_ns", set->cost[SURVEY_HUGE]);
        table_add(t, row);
    }
}

static void partner_rows(text_table *t, const survey *s) {
    table_init(t, "A line to another core", partner_columns);
    for (size_t i = 0; i < s->partners; i++)
        table_add(t,
                  json_pack("{sI sf}", "cpu", (json_int_t)s->partner[i].cpu, "one_way_ns", s->partner[i].ns));
}

enum { ARITHMETIC, LEVELS, REACHES, SETS, PARTNERS, TABLES };
static const char *const table_keys[TABLES] = {"arithmetic", "levels", "tlb_reach", "working_sets",
                                               "handoff"};

static void fill(text_table t[TABLES], const survey *s, const results *r) {
    isa_rows(&t[ARITHMETIC], s);
    level_rows(&t[LEVELS], s, r);
    reach_rows(&t[REACHES], s);
    set_rows(&t[SETS], s);
    partner_rows(&t[PARTNERS], s);
}

json_t *survey_clock_remarks(const survey *s) {
    json_t *list = json_array();
    for (size_t i = 1; i < s->isas; i++)
        if (s->isa[i].ghz < SURVEY_SLOWER * s->isa[0].ghz)
            json_array_append_new(
                list, json_sprintf("Under %s code the core runs at %.2f GHz, under %s code at %.2f.",
                                   s->isa[i].isa, s->isa[i].ghz, s->isa[0].isa, s->isa[0].ghz));
    return list;
}

static void say_clock(const survey *s, FILE *stream) {
    json_t *list = survey_clock_remarks(s), *one;
    size_t i;
    json_array_foreach(list, i, one) {
        fprintf(stream, "%s\n\n", json_string_value(one));
    }
    json_decref(list);
}

static void say_basis(const survey *s, const results *r, FILE *stream) {
    char runs[RUNS_TEXT];
    runs_text(runs, s->least_runs, s->most_runs);
    fprintf(stream,
            "%s, one core%s. Each number is the best of %s. GB/s count what the program reads and writes.",
            results_text(r, "machine.cpu", "unknown CPU"), s->cores ? " where nothing else is said" : "",
            runs);
    if (s->cores)
        fprintf(stream, " All cores are %zu, each over a working set of its own, by the wall clock.",
                s->cores);
    if (s->unsupported + s->failed)
        fprintf(stream, " %zu cases are not supported here, %zu failed.", s->unsupported, s->failed);
    fputs("\n\n", stream);
}

static int print_md(text_table t[TABLES], const survey *s, const results *r, FILE *stream,
                    attn_error *error) {
    say_basis(s, r, stream);
    for (size_t i = 0; i < TABLES; i++) {
        if (!json_array_size(t[i].rows))
            continue;
        if (table_write(&t[i], TABLE_MD, stream, error))
            return -1;
        fputs("\n", stream);
        if (i == ARITHMETIC)
            say_clock(s, stream);
    }
    return 0;
}

static int print_json(text_table t[TABLES], const survey *s, const results *r, FILE *stream,
                      attn_error *error) {
    json_t *all = json_pack("{ss ss sI sI sI sI sI}", "cpu", results_text(r, "machine.cpu", ""), "aggregate",
                            "best", "least_runs", (json_int_t)s->least_runs, "most_runs",
                            (json_int_t)s->most_runs, "unsupported", (json_int_t)s->unsupported, "failed",
                            (json_int_t)s->failed, "all_cores", (json_int_t)s->cores);
    for (size_t i = 0; all && i < TABLES; i++)
        json_object_set(all, table_keys[i], t[i].rows);
    int result = json_print(all, JSON_INDENT(2) | JSON_REAL_PRECISION(6), "survey", stream, error);
    json_decref(all);
    return result;
}

static void add_numbers(text_table *flat, const char *key, const json_t *row) {
    static const char *const names[] = {"isa", "level", "set", "cpu", "to"};
    const json_t *of = NULL;
    for (size_t i = 0; !of && i < sizeof names / sizeof names[0]; i++)
        of = json_object_get(row, names[i]);
    const char *what;
    json_t *value;
    json_object_foreach((json_t *)row, what, value) {
        if (json_is_number(value) && value != of)
            table_add(flat, json_pack("{ss sO ss sO}", "table", key, "of", of, "what", what, "value", value));
    }
}

static int print_csv(text_table t[TABLES], FILE *stream, attn_error *error) {
    static const table_column columns[] = {{"table", "table", NULL},
                                           {"of", "of", NULL},
                                           {"what", "what", NULL},
                                           {"value", "value", NULL},
                                           {NULL, NULL, NULL}};
    text_table flat;
    table_init(&flat, "", columns);
    for (size_t i = 0; i < TABLES; i++) {
        size_t at;
        json_t *row;
        json_array_foreach(t[i].rows, at, row) {
            add_numbers(&flat, table_keys[i], row);
        }
    }
    int result = table_write(&flat, TABLE_CSV, stream, error);
    table_free(&flat);
    return result;
}

int survey_print(const survey *s, const results *r, table_format format, FILE *stream, attn_error *error) {
    text_table t[TABLES];
    fill(t, s, r);
    int result = format == TABLE_JSON  ? print_json(t, s, r, stream, error)
                 : format == TABLE_CSV ? print_csv(t, stream, error)
                                       : print_md(t, s, r, stream, error);
    for (size_t i = 0; i < TABLES; i++)
        table_free(&t[i]);
    return result;
}
