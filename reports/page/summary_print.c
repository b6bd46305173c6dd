#include "reports/page/summary_print.h"

#include "attn/alloc.h"
#include "base/text/json.h"
#include "base/text/table.h"
#include "reports/data/case_names.h"
#include "reports/data/rivals.h"
#include "reports/tables/sentences/answer.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 80, BAR = 16 };

static const char QUESTION[] =
    "What does each attention mechanism cost, and what does compressing its KV cache buy?";

/* Broken at spaces; later lines begin with `indent` spaces. */
static void print_wrapped(FILE *stream, const char *text, size_t column, size_t indent) {
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > indent && column + 1 + word > COLUMNS) {
            fprintf(stream, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', stream);
            column++;
        }
        fprintf(stream, "%.*s", (int)word, text);
        column += word;
        text += word + strspn(text + word, " ");
    }
    fputc('\n', stream);
}

/* What a results file says stays text in Markdown. */
static void print_text(FILE *stream, const char *text) {
    char *safe = table_escape(text, TABLE_MD, NULL);
    fputs(safe ? safe : "", stream);
    attn_free(safe);
}

static void print_sentences(FILE *stream, const json_t *answer, bool markdown) {
    size_t i;
    json_t *one;
    json_array_foreach(answer, i, one) {
        const char *lead = json_string_value(json_object_get(one, "lead"));
        const char *text = json_string_value(json_object_get(one, "text"));
        if (markdown) {
            fputs("* **", stream);
            print_text(stream, lead);
            fputs("** ", stream);
            print_text(stream, text);
            fputc('\n', stream);
        } else {
            fprintf(stream, "* ");
            print_wrapped(stream, lead, 2, 2);
            fprintf(stream, "  ");
            print_wrapped(stream, text, 2, 2);
        }
    }
    fputc('\n', stream);
}

/* As long as the value is a part of the longest: something is always seen. */
static void print_bar(FILE *stream, double value, double most) {
    int length = (int)lround(BAR * value / most);
    length = length < 1 ? 1 : length;
    for (int i = 0; i < BAR; i++)
        fputc(i < length ? '#' : ' ', stream);
}

static void print_rival(FILE *stream, const rival *one, double most_bytes, double most_time) {
    char name[CASE_NAME], bytes[32];
    case_short_name(name, sizeof name, one->m->c);
    bytes_text(bytes, sizeof bytes, one->m->c->kv_bytes_live);
    fprintf(stream, "  %-16.16s %10s ", name, bytes);
    print_bar(stream, one->bytes, most_bytes);
    fprintf(stream, " %8.3g ms ", one->m->time / 1e6);
    print_bar(stream, one->time, most_time);
    fputs(one->apart || (one->bytes == 1 && one->time == 1) ? "\n" : " ~\n", stream);
}

static void print_bars(FILE *stream, const rivals *r, const char *about, const char *timed, bool markdown) {
    double most_bytes = 0, most_time = 0;
    if (r->count < 2)
        return;
    for (size_t i = 0; i < r->count; i++) {
        most_bytes = r->of[i].bytes > most_bytes ? r->of[i].bytes : most_bytes;
        most_time = r->of[i].time > most_time ? r->of[i].time : most_time;
    }
    fprintf(stream, "%s%s\n", markdown ? "```\n" : "", about);
    fprintf(stream, "  %-16s %10s %*s %s\n", "", "cache", BAR + 12, "", timed);
    for (size_t i = 0; i < r->count; i++)
        print_rival(stream, &r->of[i], most_bytes, most_time);
    fprintf(stream, "%s\n", markdown ? "```\n" : "");
}

static void print_layer(FILE *stream, const report_data *data, bool markdown) {
    rivals r;
    char about[96];
    rivals_decoding(&r, data);
    if (!r.count)
        return;
    snprintf(about, sizeof about, "One layer, %zu frames behind", r.of[0].m->c->L);
    print_bars(stream, &r, about, "a new frame", markdown);
}

/* The first setting of each model: a stream where there is one. */
static void print_models(FILE *stream, const report_data *data, bool markdown) {
    rivals r;
    const char *last = "";
    for (size_t at = 0; rivals_of_encoder(&r, data, at); at++) {
        char about[160], model[CASE_NAME];
        if (!r.count || !strcmp(r.of[0].m->c->model, last))
            continue;
        const results_case *c = r.of[0].m->c;
        bool stream_case = !strcmp(c->mode, "chunk");
        if (*last && !stream_case)
            continue;
        last = c->model;
        model_name(model, sizeof model, c->model);
        if (stream_case)
            snprintf(about, sizeof about, "%s of %zu layers, chunks of %zu frames behind %zu", model,
                     c->layers, c->q, c->left);
        else
            snprintf(about, sizeof about, "%s of %zu layers, %.3g s in one call", model, c->layers,
                     c->audio_seconds);
        print_bars(stream, &r, about, stream_case ? "a chunk" : "a call", markdown);
    }
}

int summary_print(const report_data *data, bool markdown, FILE *stream, attn_error *error) {
    json_t *answer = answer_list(data), *trust = answer_trust(data);
    int result = answer && trust ? 0 : attn_no_memory(error, "summary");
    if (!result) {
        char cpu[200];
        snprintf(cpu, sizeof cpu, "On %s. ~: no difference from MHA found.",
                 results_text(data->results, "machine.cpu", "an unknown CPU"));
        if (markdown)
            fprintf(stream, "### %s\n", QUESTION);
        else
            print_wrapped(stream, QUESTION, 0, 0);
        fputc('\n', stream);
        print_sentences(stream, answer, markdown);
        print_layer(stream, data, markdown);
        print_models(stream, data, markdown);
        if (markdown) {
            print_text(stream, cpu);
            fputc(' ', stream);
            print_text(stream, json_text(trust, "line"));
            fputc('\n', stream);
        } else {
            print_wrapped(stream, cpu, 0, 0);
            print_wrapped(stream, json_text(trust, "line"), 0, 0);
        }
    }
    json_decref(answer);
    json_decref(trust);
    return result;
}
