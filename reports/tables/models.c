/* Whole models, an utterance in one call and in a stream, each against the same one with MHA. */
#include "reports/tables/measured_row.h"
#include "reports/tables/table_list.h"

#include "reports/data/case_names.h"
#include "reports/data/rivals.h"

#include <math.h>
#include <string.h>

static json_t *how_it_runs(const results_case *c) {
    if (strcmp(c->mode, "chunk"))
        return json_sprintf("%.3g s in one call", c->audio_seconds);
    return json_sprintf("stream, %.2g s behind", c->audio_seconds * (double)c->left);
}

static json_t *name_of(const results_case *c) {
    char name[2 * CASE_NAME];
    case_model_name(name, sizeof name, c);
    return json_string(name);
}

/* " (16 frames, 0.64 s)" where all streams have the same; else "". */
static void chunks_text(char *text, size_t size, const report_data *data) {
    rivals r;
    const results_case *first = NULL;
    *text = '\0';
    for (size_t at = 0; rivals_of_encoder(&r, data, at); at++) {
        const results_case *c = r.count ? r.of[0].m->c : NULL;
        if (!c || strcmp(c->mode, "chunk"))
            continue;
        if (first && first->q != c->q) {
            *text = '\0';
            return;
        }
        first = c;
        snprintf(text, size, " (%zu frames, %.2g s)", c->q, c->audio_seconds);
    }
}

static void add_model(report_table *t, const rival *one) {
    const measured *m = one->m;
    const results_case *c = m->c;
    const char *verdict = one->time < 1 ? "faster" : "slower";
    if (!strcmp(c->type, "mha") && one->bytes == 1)
        verdict = NULL;
    else if (!one->apart)
        verdict = "no difference";
    table_add(&t->t,
              json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:s}", "model", name_of(c),
                        "layers", (json_int_t)c->layers, "frame_rate",
                        four_digits(round((double)c->q / c->audio_seconds)), "how", how_it_runs(c),
                        "cache_mib", four_digits(c->kv_bytes_live / 1048576.0), "cache_of_mha_percent",
                        four_digits(100 * one->bytes), "time_ms", four_digits(m->time / 1e6), "range_ms",
                        measured_range(m), "time_of_mha", four_digits(one->time), "rtf",
                        four_digits(m->time / 1e9 / c->audio_seconds), "verdict", verdict, "name", c->name));
}

void table_models(report_table *t, const table_sources *from) {
    rivals r;
    char chunks[64];
    chunks_text(chunks, sizeof chunks, from->data);
    report_table_init(t, "Whole models");
    report_column(t, "model", "model");
    report_column(t, "how", "how it runs");
    report_column(t, "cache_mib", "KV cache, MiB");
    report_column(t, "cache_of_mha_percent", "%% of MHA's");
    report_column(t, "time_ms", "time, ms");
    report_column(t, "range_ms", "low to high");
    report_column(t, "time_of_mha", "of MHA's time");
    report_column(t, "rtf", "real-time factor");
    report_column(t, "verdict", "against MHA");
    report_column(t, "layers", "layers");
    report_column(t, "frame_rate", "frames/s");
    report_column(t, "name", "case");
    report_column_in_files(t);
    for (size_t at = 0; rivals_of_encoder(&r, from->data, at); at++)
        for (size_t i = 0; i < r.count; i++)
            add_model(t, &r.of[i]);
    snprintf(
        t->note, sizeof t->note,
        "Numbers after a name: latent_dim of MLA, key/value heads of GQA. Frames are those after the "
        "input layer. A stream is timed a call of one chunk%s, with the speech behind it in the cache; an "
        "utterance in one call reuses none of its cache, so that a smaller one saves memory only. Times "
        "are medians of CPU time, low to high a 95%% interval of them, over processes (of one: over its runs "
        "from 6 on, else least to most). No difference: the intervals meet (of one process: or the gap "
        "between them is no wider than they are).",
        chunks);
}
