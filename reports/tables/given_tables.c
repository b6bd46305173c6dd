/* Tables that are made elsewhere: the audit of the paper, and models on speech. */
#include "reports/tables/table_list.h"

void table_paper(report_table *t, const table_sources *from) {
    report_table_share(t, &from->audit->cells);
}

void table_paper_additions(report_table *t, const table_sources *from) {
    report_table_share(t, &from->audit->additions);
}

void table_claims(report_table *t, const table_sources *from) {
    static const table_column columns[] = {
        {"words", "Claim", NULL},    {"where", "Where it stands", NULL},         {"verdict", "Verdict", NULL},
        {"measured", "Found", NULL}, {"size", "Size of model and corpus", NULL}, {NULL, NULL, NULL}};
    report_table_share(t, from->claims);
    t->page_columns = columns;
    snprintf(t->note, sizeof t->note,
             "Each claim of the paper that can be tested (attnbench paper --claims). Refuted: the numbers "
             "found here contradict it. Undecided: it was measured, and is not clearly apart. Not measured "
             "yet: what would show it was not given. The csv and json files say what would show each, and by "
             "which command.");
}

void table_speech(report_table *t, const table_sources *from) {
    static const table_column columns[] = {{"config", "configuration", NULL},
                                           {"attention_type", "attention", NULL},
                                           {"how", "frames fed", NULL},
                                           {"utterances", "utterances", NULL},
                                           {"frames", "input frames", NULL},
                                           {"kv_bytes_live", "KV cache, MiB", table_mib},
                                           {"seconds", "time, s", "%.3f"},
                                           {"rtf", "real-time factor", "%.4f"},
                                           {"attention", "attention, % of time", "%.1f"},
                                           {"peak_memory_bytes", "peak memory, MiB", table_mib},
                                           {NULL, NULL, NULL}};
    if (!from->profiles->files) {
        *t = (report_table){.presence = TABLE_NOT_GIVEN};
        return;
    }
    report_table_share(t, &from->profiles->models);
    t->page_columns = columns;
    t->remarks = speech_settings(from->profiles);
    snprintf(
        t->note, sizeof t->note,
        "profile-kv, one utterance at a time, one session each. The cache is the sum over the utterances, "
        "as allocated. Time is the wall clock of the model alone; its real-time factor is "
        "total time / total audio. Further columns, here on request and in the csv and json files, "
        "among them the cache by formula. Random weights cost what "
        "trained ones do.");
}
