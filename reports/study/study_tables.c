/* The tables of a study (reports/tables/tables.inc). */
#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/study/study_published.h"
#include "reports/tables/table_list.h"

#include <stdio.h>

static bool has_study(report_table *t, const table_sources *from) {
    *t = (report_table){.presence = TABLE_NOT_GIVEN};
    return from->study && from->study->root;
}

/* Says of what speech the rows are, where that has to be said: in the title, which md and tex carry too. */
static void begin(report_table *t, const study_data *d, const char *title, const char *synthetic_title,
                  json_t *rows, const table_column *columns) {
    report_table_init(t, d->synthetic ? synthetic_title : title);
    json_decref(t->t.rows);
    t->t.rows = json_incref(rows);
    t->t.columns = columns;
}

/* Where all rows are of one model, the note says which and the column is for files only. */
static void name_model_once(report_table *t, const study_data *d) {
    const char *model = json_text(json_array_get(d->models, 0), "model");
    size_t i;
    json_t *row;
    json_array_foreach(d->models, i, row) {
        if (!json_text_is(row, "model", model))
            return;
    }
    text_append(t->note, sizeof t->note, " All are of %s.", model);
    report_columns_in_files(t, (const char *const[]){"model", NULL});
}

static const char *spoken(const study_data *d) {
    return d->synthetic ? "Synthetic speech, not people's. " : "";
}

void table_study_published(report_table *t, const table_sources *from) {
    static const table_column columns[] = {{"model", "model", NULL},
                                           {"attention", "attention", NULL},
                                           {"published_wer", "published WER, %", NULL},
                                           {"wer_percent", "WER here, %", "%.2f"},
                                           {"wer_low_percent", "from", "%.2f"},
                                           {"wer_high_percent", "to", "%.2f"},
                                           {"wer_change", "change to its mha, points", "%+.2f"},
                                           {"published_cache_mb", "published cache, MB", NULL},
                                           {"kv_bytes", "cache here, MiB", table_mib},
                                           {"cache_percent", "of mha's, %", "%.1f"},
                                           {"published_seconds", "published time, s", NULL},
                                           {"whole_ms", "time here, ms", "%.2f"},
                                           {"measured", "measured of", NULL},
                                           {"of", "model here", NULL},
                                           {"speech", "of", NULL},
                                           {NULL, NULL, NULL}};
    if (!has_study(t, from))
        return;
    json_t *rows = json_array();
    begin(t, from->study, "The published table of results, filled in",
          "The published table of results, filled in on synthetic speech", rows, columns);
    json_decref(rows);
    study_published_rows(&t->t, from->study);
    report_columns_in_files(
        t, (const char *const[]){"of", "speech", "wer_low_percent", "wer_high_percent", NULL});
    snprintf(
        t->note, sizeof t->note,
        "%s%s Published: LibriSpeech 100 h; ~ marks what its authors expected and had not measured. Here: "
        "other speech "
        "and a much smaller model, so error rates and times cannot be set side by side; what carries "
        "over is the "
        "change from mha to mla at half of the cache (latent_dim = d_model). An empty cell: the plan "
        "has no such "
        "model.",
        spoken(from->study), from->study->heard);
}

void table_study_models(report_table *t, const table_sources *from) {
    static const table_column columns[] = {{"model", "model", NULL},
                                           {"attention_type", "attention", NULL},
                                           {"latent_dim", "latent_dim", NULL},
                                           {"num_kv_heads", "KV heads", NULL},
                                           {"origin", "weights", NULL},
                                           {"epochs_in_all", "epochs in all", NULL},
                                           {"own_learning_rate", "learning rate, where not the plan's", "%g"},
                                           {"kv_bytes", "KV cache, MiB", table_mib},
                                           {"cache_percent", "of mha's, %", "%.1f"},
                                           {"wer_percent", "WER of test, %", "%.2f"},
                                           {"wer_low_percent", "from", "%.2f"},
                                           {"wer_high_percent", "to", "%.2f"},
                                           {"dev_wer_percent", "WER of dev, %", "%.2f"},
                                           {"both_wer_percent", "of both, %", "%.2f"},
                                           {"wer_sd", "sd over seeds", "%.2f"},
                                           {"cer_percent", "CER, %", "%.2f"},
                                           {"loss", "CTC loss an utterance", "%.3f"},
                                           {"stream_wer_percent", "WER as a stream, %", "%.2f"},
                                           {"chunk_ms", "time of a chunk, ms", "%.3f"},
                                           {"whole_ms", "time of a whole utterance, ms", "%.2f"},
                                           {"parameters", "parameters", NULL},
                                           {"kv_bytes_live", "KV cache as allocated, MiB", table_mib},
                                           {"runs", "runs", NULL},
                                           {"utterances", "utterances", NULL},
                                           {"speech", "of", NULL},
                                           {NULL, NULL, NULL}};
    if (!has_study(t, from))
        return;
    const study_data *d = from->study;
    begin(t, d, "What a smaller cache costs in recognition",
          "What a smaller cache costs in recognition, on synthetic speech", d->models, columns);
    report_columns_in_files(t, (const char *const[]){"kv_bytes", "cer_percent", "whole_ms", "parameters",
                                                     "kv_bytes_live", "runs", "utterances", "speech", NULL});
    snprintf(t->note, sizeof t->note,
             "%s%s All seeds and folds together; from and to: 95%% interval by the "
             "bootstrap over utterances. Cache: %.0f input frames, float32. Time: wall clock, one thread, "
             "median of %.0f "
             "runs; a chunk is %.0f frames after the input layer of a stream that keeps its whole past. "
             "no_attention: mha with its attention switched off after training; without_attention: trained "
             "so. They need no cache; their time is not given, as attention is computed all the same.",
             spoken(d), d->heard, json_number(json_object_get(d->root, "latency"), "frames"),
             json_number(json_object_get(d->root, "latency"), "runs"),
             json_number(json_object_get(d->root, "latency"), "chunk"));
    name_model_once(t, d);
}

void table_study_changes(report_table *t, const table_sources *from) {
    static const table_column columns[] = {{"model", "model", NULL},
                                           {"attention_type", "attention", NULL},
                                           {"latent_dim", "latent_dim", NULL},
                                           {"num_kv_heads", "KV heads", NULL},
                                           {"origin", "weights", NULL},
                                           {"own_learning_rate", "learning rate, where not the plan's", "%g"},
                                           {"reference", "against", NULL},
                                           {"cache_percent", "cache, % of mha's", "%.1f"},
                                           {"wer_change", "change of WER, points", "%+.2f"},
                                           {"wer_change_low", "from", "%+.2f"},
                                           {"wer_change_high", "to", "%+.2f"},
                                           {"wer_p", "p", "%.2g"},
                                           {"loss_change", "change of loss", "%+.3f"},
                                           {"loss_change_low", "from", "%+.3f"},
                                           {"loss_change_high", "to", "%+.3f"},
                                           {"loss_p", "p", "%.2g"},
                                           {"both_change", "change of WER, dev and test", "%+.2f"},
                                           {"both_change_low", "from", "%+.2f"},
                                           {"both_change_high", "to", "%+.2f"},
                                           {"speech", "of", NULL},
                                           {NULL, NULL, NULL}};
    if (!has_study(t, from))
        return;
    const study_data *d = from->study;
    json_t *rows = json_array(), *row;
    size_t i;
    json_array_foreach(d->models, i, row) {
        if (json_object_get(row, "reference"))
            json_array_append(rows, row);
    }
    begin(t, d, "Against multi-head attention that was trained as long",
          "Against multi-head attention that was trained as long, on synthetic speech", rows, columns);
    json_decref(rows);
    report_columns_in_files(t, (const char *const[]){"loss_change_low", "loss_change_high", "loss_p",
                                                     "both_change_low", "both_change_high", "speech", NULL});
    snprintf(t->note, sizeof t->note,
             "%s%s Paired bootstrap over utterances (Bisani and Ney 2004), 2000 draws: 95%% interval of the "
             "difference, and "
             "two-sided p, at least 0.001. Tuned models against the control of as many epochs, others "
             "against mha from "
             "scratch. Seeds are averaged before. p is not corrected: of 20 comparisons without any "
             "difference one is "
             "expected below 0.05. Utterances of one speaker are not independent, so that intervals for new "
             "speakers are "
             "wider; folds show that.",
             spoken(d), d->heard);
    name_model_once(t, d);
}

void table_study_runs(report_table *t, const table_sources *from) {
    static const table_column columns[] = {{"run", "run", NULL},
                                           {"seed", "seed", NULL},
                                           {"without", "speaker left out", NULL},
                                           {"epochs", "epochs", NULL},
                                           {"wer_percent", "WER of test, %", "%.2f"},
                                           {"dev_wer_percent", "WER of dev, %", "%.2f"},
                                           {"loss", "CTC loss an utterance", "%.3f"},
                                           {"seconds", "training, s", "%.0f"},
                                           {"peak_bytes", "peak of our memory, MiB", table_mib},
                                           {"why", "failed", NULL},
                                           {"speech", "of", NULL},
                                           {NULL, NULL, NULL}};
    if (!has_study(t, from))
        return;
    begin(t, from->study, "Every run", "Every run, on synthetic speech", from->study->runs, columns);
    report_columns_in_files(t, (const char *const[]){"speech", NULL});
    snprintf(t->note, sizeof t->note,
             "%s%s Training: wall clock of its epochs, several runs at once, one a core.",
             spoken(from->study), from->study->heard);
}

void table_study_speech(report_table *t, const table_sources *from) {
    static const table_column columns[] = {{"split", "split", NULL},
                                           {"utterances", "utterances", NULL},
                                           {"speakers", "speakers", NULL},
                                           {"seconds", "seconds", "%.0f"},
                                           {NULL, NULL, NULL}};
    if (!has_study(t, from))
        return;
    begin(t, from->study, "The speech", "The speech: synthetic", json_object_get(from->study->root, "splits"),
          columns);
}
