/* What was measured of an utterance, kept in a journal and taken from it. */
#include "harness/model/profile_run.h"

#include "base/text/json.h"

#include <stdio.h>
#include <string.h>

enum { KEY = 48 };

static void name_step(char key[KEY], const profiler *p, size_t index) {
    snprintf(key, KEY, "model %zu utterance %zu", p->plan->model_number, index);
}

bool profile_step_is_kept(const profiler *p, size_t index) {
    char key[KEY];
    name_step(key, p, index);
    return steps_find(p->plan->steps, key);
}

/* Numbers of one type under their names: written and read by the same rows. */
typedef struct field {
    const char *key;
    size_t *size; /* one of the two */
    double *number;
} field;

enum { FIELDS = 13 };
static void fields_of(field f[FIELDS], profile_input *in, measurement *m) {
    const field all[FIELDS] = {{"frames", &in->frames, NULL},
                               {"audio_seconds", NULL, &in->audio_seconds},
                               {"feature_seconds", NULL, &in->feature_seconds},
                               {"kv_formula", &m->kv_formula, NULL},
                               {"kv_live", &m->kv_live, NULL},
                               {"conv_formula", &m->conv_formula, NULL},
                               {"conv_live", &m->conv_live, NULL},
                               {"workspace", &m->workspace, NULL},
                               {"positions", &m->positions, NULL},
                               {"peak_memory", &m->peak_memory, NULL},
                               {"flops", NULL, &m->flops},
                               {"output_rms", NULL, &m->output_rms},
                               {"disturbed", &m->disturbed, NULL}};
    memcpy(f, all, sizeof all);
}

int profile_step_keep(profiler *p, size_t index, profile_input *in, measurement *m) {
    char key[KEY];
    field f[FIELDS];
    if (!p->plan->steps)
        return 0;
    size_t runs = p->plan->runs;
    name_step(key, p, index);
    m->peak_memory = profile_peak_memory();
    json_t *step = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:f}", "id", in->id, "seconds",
                             json_reals(m->seconds, runs), "cpu", json_reals(m->cpu, runs), "first_chunk",
                             json_reals(m->first_chunk, runs), "parts", json_reals(m->parts, ATTN_PARTS),
                             "chunks", json_reals(m->chunks, m->chunk_count), "sgemm", p->sgemm.best);
    fields_of(f, in, m);
    for (size_t i = 0; step && i < FIELDS; i++)
        json_object_set_new(step, f[i].key,
                            f[i].size ? json_integer((json_int_t)*f[i].size) : json_real(*f[i].number));
    return steps_add(p->plan->steps, key, step, p->error);
}

static void take_list(double *values, size_t n, const json_t *step, const char *key) {
    const json_t *all = json_object_get(step, key);
    for (size_t i = 0; i < n; i++)
        values[i] = json_number_value(json_array_get(all, i));
}

static int take_chunks(profiler *p, measurement *m, const json_t *step) {
    profile_watch *w = &p->watch;
    size_t count = json_array_size(json_object_get(step, "chunks"));
    if (profile_watch_reserve(w, count * w->full_chunk, 1, p->error))
        return -1;
    m->chunks = count ? w->chunks + w->chunk_count : NULL;
    m->chunk_count = count;
    take_list(m->chunks, count, step, "chunks");
    w->chunk_count += count;
    return 0;
}

int profile_step_take(profiler *p, size_t index, profile_input *in, measurement *m) {
    char key[KEY];
    field f[FIELDS];
    name_step(key, p, index);
    const json_t *step = steps_find(p->plan->steps, key);
    fields_of(f, in, m);
    for (size_t i = 0; i < FIELDS; i++) {
        double number = json_number(step, f[i].key);
        if (f[i].size)
            *f[i].size = (size_t)number;
        else
            *f[i].number = number;
    }
    snprintf(in->id, sizeof in->id, "%s", json_text(step, "id"));
    take_list(m->seconds, p->plan->runs, step, "seconds");
    take_list(m->cpu, p->plan->runs, step, "cpu");
    take_list(m->first_chunk, p->plan->runs, step, "first_chunk");
    take_list(m->parts, ATTN_PARTS, step, "parts");
    if (json_number(step, "sgemm") > p->sgemm.best)
        p->sgemm.best = json_number(step, "sgemm");
    if (m->peak_memory > p->peak_before)
        p->peak_before = m->peak_memory;
    return take_chunks(p, m, step);
}
