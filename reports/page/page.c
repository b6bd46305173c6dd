#include "reports/page/page.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/home.h"
#include "reports/page/html.h"

#include <math.h>
#include <string.h>

const char *const report_part_names[] = {
    "summary",        "prefill_slopes", "encoders",      "speed",      "machine", "counters",
    "counter_values", "counter_rates",  "counter_parts", "provenance", NULL};

static int write_style(FILE *out, attn_error *error) {
    char *path = home_path("reports/page/page.css", error);
    char *css = path ? attn_read_file(path, (size_t)1 << 20, NULL, error) : NULL;
    if (css)
        fprintf(out, "<style>\n%s</style>\n", css);
    attn_free(css);
    attn_free(path);
    return css ? 0 : -1;
}

static void write_fact(FILE *out, const char *name, const char *value) {
    if (!*value)
        return;
    fprintf(out, "<li>%s <b>", name);
    html_text(out, value);
    fputs("</b></li>\n", out);
}

/* Positions of the cases of a kind, in the order of their names. */
static void write_positions(FILE *out, const report *r, const char *kind, const char *name) {
    char text[160] = "";
    for (size_t p = 0; attn_pos_enc_names[p]; p++)
        for (size_t i = 0; i < r->data.count; i++) {
            const results_case *c = r->data.cases[i].c;
            size_t used = strlen(text);
            if (strcmp(c->kind, kind) || strcmp(c->pos, attn_pos_enc_names[p]))
                continue;
            snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", c->pos);
            break;
        }
    write_fact(out, name, text);
}

static void write_checks(FILE *out, const report *r) {
    size_t failed = 0, checked = 0;
    for (size_t i = 0; i < r->data.results->count; i++)
        failed += r->data.results->cases[i].error != NULL;
    for (size_t i = 0; i < r->data.count; i++)
        checked += isnan(r->data.cases[i].c->max_error) ? 0 : 1;
    fprintf(out, "<li>checks <b class=%s>%zu passed, %zu failed</b></li>\n", failed ? "bad" : "good", checked,
            failed);
}

static void write_top(FILE *out, const report *r) {
    const results *from = r->data.results;
    const char *date = json_string_value(json_object_get(from->context, "date"));
    size_t rows = 0;
    for (size_t i = 0; i < r->data.count; i++)
        rows += strcmp(r->data.cases[i].c->kind, "machine") != 0;
    fputs("<header>\n<p class=soft>attnbench report</p>\n"
          "<h1>What does each attention mechanism cost, and what does compressing its KV cache buy?</h1>\n"
          "<ul class=facts>\n",
          out);
    write_fact(out, "on", results_text(from, "machine.cpu", ""));
    write_fact(out, "kernels", results_text(from, "machine.isa", ""));
    write_fact(out, "BLAS core", results_text(from, "blas.core", ""));
    write_fact(out, "plan", results_text(from, "plan", ""));
    write_fact(out, "commit", results_text(from, "commit", ""));
    write_fact(out, "date", date ? date : "");
    fprintf(out, "<li>cases <b>%zu</b></li>\n", rows);
    write_positions(out, r, "attention", "positions in layers");
    write_positions(out, r, "encoder", "positions in encoders");
    write_checks(out, r);
    fputs("</ul>\n</header>\n", out);
}

static void write_sentences(FILE *out, const json_t *list) {
    size_t i;
    json_t *sentence;
    fputs("<ul>\n", out);
    json_array_foreach(list, i, sentence) {
        fputs("<li>", out);
        html_text(out, json_string_value(sentence));
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

static void write_files(FILE *out, const char *name) {
    fprintf(
        out,
        "<p class=files>The same table: <a href=\"tables/%s.md\">md</a> <a href=\"tables/%s.csv\">csv</a> <a "
        "href=\"tables/%s.tex\">tex</a> <a href=\"tables/%s.json\">json</a></p>\n",
        name, name, name, name);
}

static int write_table(FILE *out, const table *t, const char *name, const char *note, const char *heading,
                       attn_error *error) {
    if (heading)
        fprintf(out, "<%s id=%s>%s</%s>\n", heading, name, t->title, heading);
    if (!json_array_size(t->rows)) {
        fputs("<p class=note>This results file has nothing for this table.</p>\n", out);
        return 0;
    }
    if (html_folded_table(out, t, error))
        return -1;
    if (*note) {
        fputs("<p class=note>", out);
        html_text(out, note);
        fputs("</p>\n", out);
    }
    write_files(out, name);
    return 0;
}

static int write_part(FILE *out, const report *r, report_part part, const char *heading, attn_error *error) {
    const report_table *from = &r->tables[part];
    table_column columns[REPORT_COLUMNS + 1] = {{0}};
    table shown = from->t;
    for (size_t i = 0, n = 0; i < from->count; i++)
        if (!from->files_only[i])
            columns[n++] = from->columns[i];
    shown.columns = columns;
    return write_table(out, &shown, report_part_names[part], from->note, heading, error);
}

static void write_figure(FILE *out, const figure *f) {
    const plot *p = f->plot;
    fprintf(out, "<figure id=plot-%s>\n", p->name);
    if (f->svg)
        fputs(f->svg, out);
    else
        html_printf(out, "%s: not drawn", p->title);
    fputs("<figcaption>", out);
    html_text(out, p->about);
    if (*f->lines.held)
        html_printf(out, " %s: %s.", p->roofline ? "Shown" : "Held", f->lines.held);
    html_printf(out, " %c%s.", f->basis[0] - 'a' + 'A', f->basis + 1);
    fprintf(out, " <a href=\"plots/%s.dat\">data</a> <a href=\"plots/%s.gp\">script</a>", p->name, p->name);
    if (f->svg)
        fprintf(out, " <a href=\"plots/%s.svg\">svg</a> <a href=\"plots/%s.png\">png</a>", p->name, p->name);
    fputs("</figcaption>\n</figure>\n", out);
}

static void write_plots(FILE *out, const report *r) {
    fputs("<h2 id=plots>Plots</h2>\n", out);
    if (*r->no_plots) {
        fputs("<p><b class=bad>No pictures:</b> ", out);
        html_text(out, r->no_plots);
        fputs("</p>\n", out);
    }
    fputs("<div class=plots>\n", out);
    for (size_t i = 0; i < r->figure_count; i++)
        if (r->figures[i].points)
            write_figure(out, &r->figures[i]);
    fputs("</div>\n<ul class=note>\n", out);
    for (size_t i = 0; i < r->figure_count; i++)
        if (!r->figures[i].points) {
            fputs("<li>Left out: ", out);
            html_printf(out, "\"%s\" needs %s.", r->figures[i].plot->title, r->figures[i].plot->needs);
            fputs("</li>\n", out);
        }
    fputs("</ul>\n", out);
}

static int write_audit(FILE *out, const report *r, attn_error *error) {
    fputs("<h2 id=audit>The published tables, audited</h2>\n<p>The KV-cache cells of ", out);
    html_printf(out, "\"%s\" (%s): %s", r->paper.paper, r->paper.document, r->paper.source);
    fputs(". Each published cell stands beside the formula under the geometry that the paper claims and "
          "under the "
          "one that reproduces its totals",
          out);
    if (r->paper_file) {
        fputs(", and the bytes of the caches of whole encoders of that geometry that were really run "
              "(<i>live</i>; "
              "<code>attnbench paper --live</code>, ",
              out);
        html_text(out, r->paper_file);
        fputs(")", out);
    } else {
        fputs(". All numbers here are by formula; with <code>--paper</code> the report shows what "
              "<code>attnbench "
              "paper --live</code> allocated",
              out);
    }
    fputs(".</p>\n<ul>\n", out);
    for (size_t m = 0; m < r->paper.models; m++) {
        const paper_row *row = &r->paper.model[m].row[0];
        char *claimed = paper_shape_text(&row->claimed, error);
        char *identified = paper_shape_text(&row->identified, error);
        if (claimed && identified)
            fprintf(out, "<li>%s: claimed %s; identified <b>%s</b></li>\n", r->paper.model[m].name, claimed,
                    identified);
        attn_free(claimed);
        attn_free(identified);
        if (!claimed || !identified)
            return -1;
    }
    fputs("</ul>\n", out);
    if (write_table(out, &r->audit.cells, "paper", "", NULL, error))
        return -1;
    return write_table(out, &r->audit.additions, "paper_additions", "", "h3", error);
}

/* As a shell reads it. */
static void write_word(FILE *out, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
    bool quoted = !*word || word[strspn(word, plain)];
    fputs(quoted ? " &#39;" : " ", out);
    for (const char *c = word; *c; c++) {
        char one[] = {*c, '\0'};
        html_text(out, *c == '\'' ? "'\\''" : one);
    }
    if (quoted)
        fputs("&#39;", out);
}

static void write_provenance_command(FILE *out, const report *r) {
    const char *commit = results_text(r->data.results, "commit", "");
    const json_t *options = json_object_get(r->data.results->own, "options"), *word;
    size_t i, clean = strspn(commit, "0123456789abcdef");
    fputs("<p>To measure again, on the same machine:</p>\n<pre><code>", out);
    if (clean)
        fprintf(out, "git checkout %.*s &amp;&amp; make\n", (int)clean, commit);
    fputs("build/attnbench sweep", out);
    json_array_foreach(options, i, word) {
        const char *text = json_string_value(word);
        write_word(out, text ? text : "");
    }
    if (!json_array_size(options)) {
        fputs(" --plan", out);
        write_word(out, results_text(r->data.results, "plan", "PLAN"));
    }
    fputs(" --out R.json\nbuild/attnbench report R.json --out report</code></pre>\n", out);
    if (!json_array_size(options))
        fputs("<p class=note>This results file does not say with which other options it was made.</p>\n",
              out);
}

/* ---- The whole */

static void write_basis(FILE *out) {
    fputs("<section class=basis>\n<h2>What these numbers are</h2>\n<ul>\n"
          "<li><b>Times are CPU time</b> of the one pinned thread that ran a case (Google Benchmark&#39;s "
          "<code>cpu_time</code>), medians over the runs stated. On an idle machine that is the wall clock; "
          "on a shared "
          "one it leaves out what others took. The wall clock (<code>real_time</code>) stands beside it in "
          "the tables. "
          "Models on speech are timed by the wall clock.</li>\n"
          "<li><b>FLOPs and bytes moved are formulas.</b> Cache bytes are read from the allocator, after a "
          "check that "
          "they equal the formula.</li>\n"
          "<li><b>This is cost, not accuracy.</b> No trained recogniser was run and no word error rate was "
          "measured: "
          "nothing here says how well a model recognises speech. Where errors are shown, they are those of a "
          "layer&#39;s "
          "output against its uncompressed one.</li>\n</ul>\n</section>\n",
          out);
}

static int write_speech(FILE *out, const report *r, attn_error *error) {
    static const table_column columns[] = {{"config", "configuration", NULL},
                                           {"attention_type", "attention", NULL},
                                           {"utterances", "utterances", NULL},
                                           {"frames", "frames", NULL},
                                           {"kv_bytes_formula", "KV cache by formula, bytes", NULL},
                                           {"kv_bytes_live", "as allocated", NULL},
                                           {"seconds", "time, s", "%.3f"},
                                           {"rtf", "real-time factor", "%.4f"},
                                           {"sd_rtf", "its sd over utterances", "%.4f"},
                                           {"attention", "attention, % of time", "%.1f"},
                                           {"peak_memory_bytes", "peak memory, bytes", NULL},
                                           {NULL, NULL, NULL}};
    if (!r->profiles.files)
        return 0;
    table shown = r->profiles.models;
    shown.columns = columns;
    if (write_table(
            out, &shown, "speech",
            "profile-kv, one utterance at a time, one session each. Cache bytes are sums over the "
            "utterances, "
            "by formula and as allocated. Time is the wall clock of the model alone; its real-time factor "
            "is total time / total audio. The files have more columns. Random weights cost what trained ones "
            "do.",
            "h2", error))
        return -1;
    speech_settings(out, &r->profiles);
    return 0;
}

static int write_details(FILE *out, const report *r, attn_error *error) {
    bool parts = json_array_size(r->tables[PART_COUNTER_PARTS].t.rows) > 0;
    if (write_part(out, r, PART_SLOPES, "h3", error) || write_audit(out, r, error) ||
        write_part(out, r, PART_ENCODERS, "h2", error) || write_speech(out, r, error) ||
        write_part(out, r, PART_SPEED, "h2", error) || write_part(out, r, PART_MACHINE, "h2", error) ||
        write_part(out, r, PART_COUNTERS, "h2", error) ||
        write_part(out, r, PART_COUNTER_VALUES, "h3", error) ||
        write_part(out, r, PART_COUNTER_RATES, "h3", error) ||
        (parts && write_part(out, r, PART_COUNTER_PARTS, "h3", error)) ||
        write_part(out, r, PART_PROVENANCE, "h2", error))
        return -1;
    write_provenance_command(out, r);
    return 0;
}

int page_write(FILE *out, const report *r, attn_error *error) {
    fputs("<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
          "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n<title>attnbench: ",
          out);
    html_text(out, results_text(r->data.results, "machine.cpu", "report"));
    fputs("</title>\n", out);
    if (write_style(out, error))
        return -1;
    fputs("</head>\n<body>\n", out);
    write_top(out, r);
    write_sentences(out, r->findings);
    fprintf(
        out,
        "<nav><a href=#plots>Plots</a>%s<a href=#audit>Published tables</a><a href=#encoders>Encoders</a>%s",
        r->tradeoffs.count ? "<a href=#tradeoff>Smaller latents</a>" : "",
        r->profiles.files ? "<a href=#speech>Speech</a>" : "");
    fputs("<a href=#speed>Speed</a><a "
          "href=#machine>Machine limits</a><a href=#counters>Counters</a><a "
          "href=#provenance>Provenance</a></nav>\n",
          out);
    fputs("<main>\n", out);
    if (write_part(out, r, PART_SUMMARY, "h3", error))
        return -1;
    if (json_array_size(r->warnings)) {
        fputs("<section class=warnings>\n<h2>Before trusting these numbers</h2>\n", out);
        write_sentences(out, r->warnings);
        fputs("</section>\n", out);
    }
    write_basis(out);
    write_plots(out, r);
    if (tradeoffs_section(out, &r->tradeoffs, error) || write_details(out, r, error))
        return -1;
    fputs("</main>\n</body>\n</html>\n", out);
    return 0;
}
