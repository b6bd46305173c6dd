#include "reports/plots/history_plots.h"

#include "base/text/json.h"

#include "attn/alloc.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/run/staging.h"

#include <stdio.h>

static void write_data(FILE *to, const history_series *s, const history_change *changes, size_t count,
                       const json_t *history) {
    size_t next = 0;
    double level = count ? changes[0].before : 0;
    fputs("# number  ns  level  commit\n", to);
    for (size_t i = 0; i < s->count; i++) {
        char commit[64];
        const json_t *entry = json_array_get(history, s->line[i]);
        while (next < count && changes[next].at <= i)
            level = changes[next++].after;
        figure_safe_text(commit, sizeof commit, json_text(entry, "commit"));
        fprintf(to, "%zu %.17g ", s->line[i] + 1, s->value[i]);
        if (count)
            fprintf(to, "%.17g ", level);
        else
            fputs("NaN ", to);
        fprintf(to, "\"%s\"\n", commit);
    }
}

static void write_script(FILE *to, const char *name, const history_series *s, const history_change *changes,
                         size_t count) {
    char title[256];
    figure_safe_text(title, sizeof title, s->name);
    fprintf(to,
            "# gnuplot %s.gp draws %s.svg from %s.dat\nset encoding utf8\n"
            "set terminal svg size 900,360 noenhanced font 'sans-serif,13' name '%s' background 'white'\n"
            "set output '%s.svg'\nset title \"%s\"\nset xlabel 'results in the order of the file'\n"
            "set ylabel 'ns'\nset border 3\nset tics nomirror\nset xtics rotate by -35 font ',9'\n"
            "set grid ytics lt 1 lw 0.5 lc rgb '#a0a0a0'\nset key below\n",
            name, name, name, name, name, title);
    for (size_t i = 0; i < count; i++)
        fprintf(to, "set arrow from %g, graph 0 to %g, graph 1 nohead lw 1.5 dt 2 lc rgb '#d4456c'\n",
                (double)s->line[changes[i].at] + 0.5, (double)s->line[changes[i].at] + 0.5);
    fprintf(to, "step = %zu\nlabel(n, c) = int(n) %% step == 0 ? c : \"\"\n", s->count / 24 + 1);
    fprintf(to,
            "plot '%s.dat' using 1:2:xticlabels(label($0, strcol(4))) with points pt 7 ps 0.6 lc rgb "
            "'#3b82d6' title 'median time'",
            name);
    if (count)
        fprintf(to, ", '%s.dat' using 1:3 with steps lw 2 lc rgb '#d9730d' title 'mean between changes'",
                name);
    putc('\n', to);
}

typedef char case_name[32];

static void name_case(case_name name, size_t number) {
    snprintf(name, sizeof(case_name), "case_%03zu", number);
}

int history_plot_write(const char *folder, size_t number, const history_series *s,
                       const history_change *changes, size_t count, const json_t *history,
                       attn_error *error) {
    case_name name;
    attn_output data = {0}, script = {0};
    name_case(name, number);
    int failed =
        staging_open(&data, folder, name, ".dat", error) || staging_open(&script, folder, name, ".gp", error);
    if (!failed) {
        write_data(data.stream, s, changes, count, history);
        write_script(script.stream, name, s, changes, count);
        failed = attn_output_commit(&data, error) || attn_output_commit(&script, error);
    }
    attn_output_discard(&data);
    attn_output_discard(&script);
    return failed ? -1 : 0;
}

int history_plots_draw(const char *folder, size_t cases, drawing *d, attn_error *error) {
    case_name *names = attn_alloc(cases, sizeof *names, "pictures", error);
    drawing_job *jobs = attn_alloc(cases, sizeof *jobs, "pictures", error);
    bool failed = !names || !jobs;
    for (size_t i = 0; i < cases && !failed; i++) {
        name_case(names[i], i + 1);
        jobs[i] = (drawing_job){.name = names[i]};
    }
    if (!failed)
        drawing_run(d, folder, jobs, cases);
    attn_free(names);
    attn_free(jobs);
    return failed ? -1 : 0;
}
