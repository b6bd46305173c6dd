#include "harness/model/speech/recognition.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/json.h"
#include "base/text/utf8.h"

static json_t *utterance_json(const recognized *u, const corpus_utterance *said) {
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o}", "id", utf8_json(said->id), "ref",
                     utf8_json(said->transcript), "hyp", utf8_json(u->text), "errors",
                     (json_int_t)word_errors_sum(&u->words), "words", (json_int_t)u->words.words, "loss",
                     json_finite(u->loss));
}

static int interval(double low_high[2], const recognition *r, attn_error *error) {
    word_errors *each = attn_alloc(r->count, sizeof *each, "errors", error);
    if (!each)
        return -1;
    for (size_t i = 0; i < r->count; i++)
        each[i] = r->utterances[i].words;
    int result = word_errors_interval(low_high, each, r->count, 1, error);
    attn_free(each);
    return result;
}

static void set(json_t *object, const char *key, json_t *value, int *bad) {
    *bad |= json_object_set_new(object, key, value);
}

json_t *recognition_json(const recognition *r, const speech *s, attn_error *error) {
    double low_high[2];
    if (interval(low_high, r, error))
        return NULL;
    json_t *o = json_object(), *list = json_array();
    int bad = !o || !list;
    set(o, "synthetic", s->corpus.synthetic ? utf8_json(s->corpus.synthetic) : json_null(), &bad);
    set(o, "wer_percent", json_finite(word_errors_percent(&r->words)), &bad);
    set(o, "wer_low_percent", json_finite(low_high[0]), &bad);
    set(o, "wer_high_percent", json_finite(low_high[1]), &bad);
    set(o, "cer_percent", json_finite(word_errors_percent(&r->characters)), &bad);
    set(o, "characters", json_integer((json_int_t)r->characters.words), &bad);
    set(o, "character_errors", json_integer((json_int_t)word_errors_sum(&r->characters)), &bad);
    set(o, "words", json_integer((json_int_t)r->words.words), &bad);
    set(o, "substitutions", json_integer((json_int_t)r->words.substitutions), &bad);
    set(o, "deletions", json_integer((json_int_t)r->words.deletions), &bad);
    set(o, "insertions", json_integer((json_int_t)r->words.insertions), &bad);
    set(o, "loss", json_finite(r->loss), &bad);
    set(o, "infeasible", json_integer((json_int_t)r->infeasible), &bad);
    set(o, "rtf", json_finite(r->seconds / r->audio_seconds), &bad);
    set(o, "audio_seconds", json_finite(r->audio_seconds), &bad);
    set(o, "kv_bytes_live", json_integer((json_int_t)r->kv_bytes_live), &bad);
    for (size_t i = 0; i < r->count; i++)
        bad |= json_array_append_new(list, utterance_json(&r->utterances[i], &s->corpus.utterances[i]));
    bad |= json_object_set_new(o, "utterances", list);
    if (!bad)
        return o;
    json_decref(o);
    attn_no_memory(error, "results");
    return NULL;
}

int recognition_write_trn(const recognition *r, const speech *s, const char *path, attn_error *error) {
    attn_output output;
    if (attn_output_open(&output, path, error))
        return -1;
    for (size_t i = 0; i < r->count; i++)
        fprintf(output.stream, "%s%s(%s)\n", r->utterances[i].text, *r->utterances[i].text ? " " : "",
                s->corpus.utterances[i].id);
    return attn_output_commit(&output, error);
}
