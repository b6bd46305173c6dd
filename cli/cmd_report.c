/* attnbench report: a results file in, a page with tables and plots out. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "base/home.h"
#include "cli/command.h"
#include "reports/page/page.h"
#include "reports/paper/paper_file.h"
#include "reports/plots/gnuplot.h"
#include "reports/plots/staging.h"
#include "reports/tables/encoder_section.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *join(const char *folder, const char *name, const char *extension, attn_error *error) {
    return attn_format(error, "%s/%s%s", folder, name, extension);
}

/* ---- plots */

/* The results stay usable without pictures, so a gnuplot that is missing or fails is noted, not an error. */
static void note_drawn(report *r, gnuplot_result drawn, const attn_error *why) {
    if (drawn == GNUPLOT_MISSING)
        snprintf(r->no_plots, sizeof r->no_plots,
                 "gnuplot is not installed (Debian: gnuplot-nox). Data and scripts are in plots/.");
    if (drawn == GNUPLOT_FAILED)
        snprintf(r->no_plots, sizeof r->no_plots, "%.200s. Data and scripts are in plots/.", why->message);
}

static int draw(figure *f, report *r, const char *work, attn_error *error) {
    attn_error why = {0};
    if (*r->no_plots)
        return 0;
    gnuplot_result drawn = gnuplot_run(work, f->plot->name, &why);
    note_drawn(r, drawn, &why);
    if (drawn != GNUPLOT_DRAWN)
        return 0;
    f->svg = gnuplot_inline_svg(work, f->plot->name, error);
    return f->svg ? 0 : -1;
}

static int make_plots(report *r, const char *work, const char *plots_folder, attn_error *error) {
    for (const plot *p = plots; p->name; p++) {
        figure *f = &r->figures[r->figure_count];
        if (figure_write(f, p, &r->data, work, error))
            return -1;
        r->figure_count++;
        if (f->points && draw(f, r, work, error))
            return -1;
    }
    static const char *const kinds[] = {".dat", ".gp", ".svg", ".png", NULL};
    for (size_t i = 0; i < r->figure_count; i++)
        for (size_t k = 0; kinds[k]; k++) {
            const figure *f = &r->figures[i];
            bool made = f->points && (k < 2 || f->svg);
            if (made ? staging_move(work, plots_folder, f->plot->name, kinds[k], error)
                     : staging_remove_old(plots_folder, f->plot->name, kinds[k], error))
                return -1;
        }
    return 0;
}

static int write_plots(report *r, const char *out, attn_error *error) {
    char *folder = join(out, "plots", "", error);
    char *work = folder && !attn_make_folder(folder, error) ? staging_make(out, error) : NULL;
    int result = -1;
    if (work) {
        result = make_plots(r, work, folder, error);
        staging_remove(work);
    }
    gnuplot_result drawn;
    attn_error why = {0};
    if (!result && !(result = tradeoffs_plot(&r->tradeoffs, folder, &drawn, &why, error)))
        note_drawn(r, drawn, &why);
    attn_free(folder);
    attn_free(work);
    return result;
}

/* ---- tables */

static const lines *lines_named(const report *r, const char *name) {
    for (size_t i = 0; i < r->figure_count; i++)
        if (!strcmp(r->figures[i].plot->name, name))
            return &r->figures[i].lines;
    static const lines none = {0};
    return &none;
}

static int fill_tables(report *r, attn_error *error) {
    const lines *cache = lines_named(r, "cache_bytes"), *decode = lines_named(r, "decode_time");
    const lines *prefill = lines_named(r, "prefill_time"), *paths = lines_named(r, "mla_paths");
    table_summary(&r->tables[PART_SUMMARY], cache, decode, prefill);
    table_slopes(&r->tables[PART_SLOPES], prefill);
    table_encoders(&r->tables[PART_ENCODERS], &r->data);
    table_speed(&r->tables[PART_SPEED], &r->data);
    table_machine(&r->tables[PART_MACHINE], &r->data);
    table_counters(&r->tables[PART_COUNTERS], &r->data);
    table_counter_values(&r->tables[PART_COUNTER_VALUES], &r->data);
    table_counter_rates(&r->tables[PART_COUNTER_RATES], &r->data);
    table_counter_parts(&r->tables[PART_COUNTER_PARTS], &r->data);
    table_provenance(&r->tables[PART_PROVENANCE], &r->data);
    r->findings = findings_list(&r->data, cache, decode, prefill, paths);
    r->warnings = warnings_list(&r->data);
    return r->findings && r->warnings ? 0 : attn_fail(error, "report: out of memory");
}

static int write_table(const table *t, const char *folder, const char *name, table_format format,
                       attn_error *error) {
    char *path = attn_format(error, "%s/%s.%s", folder, name, table_format_names[format]);
    attn_output output = {0};
    int result = -1;
    if (path && !attn_output_open(&output, path, error) && !table_write(t, format, output.stream, error))
        result = attn_output_commit(&output, error);
    attn_output_discard(&output);
    attn_free(path);
    return result;
}

static int write_formats(const table *t, const char *folder, const char *name, attn_error *error) {
    for (int format = 0; table_format_names[format]; format++)
        if (write_table(t, folder, name, (table_format)format, error))
            return -1;
    return 0;
}

static int write_tables(const report *r, const char *out, attn_error *error) {
    char *folder = join(out, "tables", "", error);
    int result = folder ? attn_make_folder(folder, error) : -1;
    for (int i = 0; !result && i < REPORT_PARTS; i++)
        result = write_formats(&r->tables[i].t, folder, report_part_names[i], error);
    for (size_t i = 0; !result && i < r->tradeoffs.count; i++)
        result = write_formats(&r->tradeoffs.of[i].points, folder, r->tradeoffs.of[i].name, error);
    if (!result && r->profiles.files)
        result = write_formats(&r->profiles.models, folder, "speech", error);
    if (!result && !write_formats(&r->audit.cells, folder, "paper", error))
        result = write_formats(&r->audit.additions, folder, "paper_additions", error);
    attn_free(folder);
    return result;
}

/* ---- further inputs */

static int read_paper(report *r, const char *live_file, attn_error *error) {
    paper_live live;
    char *path = home_path("reports/paper/published.json", error);
    int result = path ? paper_read(&r->paper, path, error) : -1;
    if (!result && live_file)
        result = paper_live_read(&live, &r->paper, live_file, error);
    if (!result)
        result = paper_audit_run(&r->audit, &r->paper, live_file ? &live : NULL, error);
    r->paper_file = live_file;
    attn_free(path);
    return result;
}

static int read_tradeoffs(report *r, const char *const *files, attn_error *error) {
    for (size_t i = 0; files && files[i]; i++)
        if (tradeoffs_read(&r->tradeoffs, files[i], error))
            return -1;
    return 0;
}

static int read_profiles(report *r, const char *const *files, attn_error *error) {
    for (size_t i = 0; files && files[i]; i++)
        if (speech_profiles_read(&r->profiles, files[i], error))
            return -1;
    return 0;
}

/* A sweep that is under way has a journal beside the file that it has yet to write. */
static int read_results(results *from, const char *path, attn_error *error) {
    char *journal = attn_format(error, "%s.journal", path);
    int unfinished = journal && access(path, F_OK) && !access(journal, F_OK);
    int result = journal ? 0 : -1;
    if (unfinished)
        result = attn_fail(error,
                           "%s: the sweep that writes it is not finished (%s is there): give the same sweep "
                           "command again, which goes on where it stopped",
                           path, journal);
    attn_free(journal);
    return result ? result : results_read(from, path, error);
}

/* ---- the whole */

static int write_page(const report *r, const char *out, attn_error *error) {
    char *path = join(out, "index", ".html", error);
    attn_output output = {0};
    int result = -1;
    if (path && !attn_output_open(&output, path, error) && !page_write(output.stream, r, error))
        result = attn_output_commit(&output, error);
    attn_output_discard(&output);
    attn_free(path);
    return result;
}

static void free_report(report *r) {
    for (size_t i = 0; i < r->figure_count; i++)
        figure_free(&r->figures[i]);
    for (int i = 0; i < REPORT_PARTS; i++)
        report_table_free(&r->tables[i]);
    paper_audit_free(&r->audit);
    tradeoffs_free(&r->tradeoffs);
    speech_profiles_free(&r->profiles);
    json_decref(r->findings);
    json_decref(r->warnings);
    report_data_free(&r->data);
}

static int write_report(report *r, const results *from, const char *out, attn_error *error) {
    if (report_data_init(&r->data, from, error) || attn_make_folder(out, error) ||
        write_plots(r, out, error) || fill_tables(r, error) || write_tables(r, out, error))
        return -1;
    return write_page(r, out, error); /* last: whoever sees it sees everything that it names */
}

static int one_file(const char *const *words, attn_error *error) {
    if (!words[0])
        return attn_fail(error, "a results file is needed: attnbench report R.json --out DIR");
    return words[1] ? attn_fail(error, "%s: unexpected argument, one results file is enough", words[1]) : 0;
}

int cmd_report(int argc, char **argv) {
    char *out = NULL, *paper_file = NULL;
    const char **tradeoff_files = NULL, **profile_files = NULL;
    int status;
    const char *const *words;
    struct poptOption options[] = {
        {"out", 'o', POPT_ARG_STRING, &out, 0, "needed: folder for the page, tables and plots", "DIR"},
        {"profile", '\0', POPT_ARG_ARGV, &profile_files, 0,
         "also show these models on speech, of profile-kv --format json (may be given again)", "P.json"},
        {"paper", '\0', POPT_ARG_STRING, &paper_file, 0,
         "show live bytes in the audit of the paper, of paper --live --format json", "A.json"},
        {"tradeoff", '\0', POPT_ARG_ARGV, &tradeoff_files, 0,
         "also show these trade-off curves, of analyze --sweep --format json (may be given again)", "T.json"},
        POPT_TABLEEND};
    if (!command_options(argc, argv, "R.json", "Makes a page, tables and plots of a results file.", options,
                         &words, &status))
        return status;
    attn_error error = {0};
    results from = {0};
    report r = {0};
    if (one_file(words, &error) || option_needs("--out", out, &error) ||
        read_results(&from, words[0], &error) || read_paper(&r, paper_file, &error) ||
        read_tradeoffs(&r, tradeoff_files, &error) || read_profiles(&r, profile_files, &error) ||
        write_report(&r, &from, out, &error))
        status = command_fail("report", &error);
    else {
        status = *r.no_plots ? STATUS_UNDECIDED : STATUS_OK;
        if (*r.no_plots)
            fprintf(stderr, "attnbench report: no pictures: %s\n", r.no_plots);
        printf("%s/index.html\n", out);
    }
    free_report(&r);
    results_free(&from);
    return status;
}
