#include "bench/field.h"

#include "base/text/append.h"
#include "bench/limits/machine_units.h"
#include "bench/peers/peer.h"
#include "impl/attention/variant_names.h"

#include <string.h>

_Static_assert(sizeof(attn_path) == sizeof(unsigned) && sizeof(attn_pos_enc) == sizeof(unsigned),
               "choices are stored as unsigned");

/* The words of fields.inc. */
enum {
    LAYERS = BENCH_LAYER_PREFILL | BENCH_LAYER_CHUNK | BENCH_LAYER_DECODE,
    UTTERANCES = BENCH_ENCODER_PREFILL,
    STREAMS = BENCH_ENCODER_CHUNK | BENCH_ENCODER_DECODE,
    ENCODERS = UTTERANCES | STREAMS,
    MODELS = LAYERS | ENCODERS,
    CHUNKS = BENCH_LAYER_CHUNK | BENCH_ENCODER_CHUNK,
    STREAMS_OF_BYTES = BENCH_READ | BENCH_WRITE | BENCH_COPY | BENCH_TRIAD | BENCH_NT_WRITE,
    CHASES = BENCH_LATENCY | BENCH_TLB,
    WORKING_SETS = STREAMS_OF_BYTES | CHASES,
    LOOPS = BENCH_FLOPS | BENCH_CLOCK | STREAMS_OF_BYTES,
    MATRICES = BENCH_SGEMM,
    PAIRS = BENCH_HANDOFF,
    UNITS = BENCH_PRODUCTS,
    SIDE_BY_SIDE = BENCH_FLOPS | BENCH_PRODUCTS | STREAMS_OF_BYTES,
    KERNELS = BENCH_ONE_KERNEL
};
#define ANYTHING BENCH_NEEDS_NOTHING
#define HEADS BENCH_NEEDS_HEADS
#define LATENT BENCH_NEEDS_LATENT
#define MERGE BENCH_NEEDS_MERGE
#define AXIS(key_, rank_) .plan = key_, .rank = rank_, .planned = MODELS
#define AXIS_OF(key_, rank_, cases) .plan = key_, .rank = rank_, .planned = cases
#define NO_AXIS .plan = NULL
#define REQUIRED 0, .required = true
#define BY_KIND 0
#define WORDS(...)                                                                                           \
    (const char *const[]) {                                                                                  \
        __VA_ARGS__, NULL                                                                                    \
    }
#define NAMED .unnamed = 0
#define UNNAMED(cases) .unnamed = cases
#define UNSAID(cases) .unnamed = cases, .unsaid = cases

#define NUMBER(id, member, key_, home, place, rows_, results_, needs_, plan, default, least_, most_, name,   \
               about_)                                                                                       \
    {.key = key_,                                                                                            \
     .offset = offsetof(bench_case, place),                                                                  \
     .rows = rows_,                                                                                          \
     .results = results_,                                                                                    \
     .needs = needs_,                                                                                        \
     plan,                                                                                                   \
     .fallback = default,                                                                                    \
     .least = least_,                                                                                        \
     .most = most_,                                                                                          \
     name,                                                                                                   \
     .about = about_},
#define CHOICE(id, member, key_, home, place, rows_, results_, needs_, plan, default, words_, name, about_)  \
    {.key = key_,                                                                                            \
     .offset = offsetof(bench_case, place),                                                                  \
     .rows = rows_,                                                                                          \
     .results = results_,                                                                                    \
     .needs = needs_,                                                                                        \
     plan,                                                                                                   \
     .fallback = default,                                                                                    \
     .words = words_,                                                                                        \
     name,                                                                                                   \
     .about = about_},
const bench_field bench_fields[BENCH_FIELDS] = {
#include "bench/fields.inc"
};

static const struct {
    const char *kind, *mode;
    bench_where where;
} places[] = {{"attention", "prefill", BENCH_LAYER_PREFILL},
              {"attention", "chunk", BENCH_LAYER_CHUNK},
              {"attention", "decode", BENCH_LAYER_DECODE},
              {"encoder", "prefill", BENCH_ENCODER_PREFILL},
              {"encoder", "chunk", BENCH_ENCODER_CHUNK},
              {"encoder", "decode", BENCH_ENCODER_DECODE},
              {"machine", "flops", BENCH_FLOPS},
              {"machine", "read", BENCH_READ},
              {"machine", "sgemm", BENCH_SGEMM},
              {"machine", "write", BENCH_WRITE},
              {"machine", "copy", BENCH_COPY},
              {"machine", "triad", BENCH_TRIAD},
              {"machine", "nt_write", BENCH_NT_WRITE},
              {"machine", "latency", BENCH_LATENCY},
              {"machine", "tlb", BENCH_TLB},
              {"machine", "clock", BENCH_CLOCK},
              {"machine", "handoff", BENCH_HANDOFF},
              {"machine", "products", BENCH_PRODUCTS}};
enum { PLACES = sizeof places / sizeof *places };

bench_where bench_where_find(const char *kind, const char *mode) {
    for (size_t i = 0; i < PLACES; i++)
        if (!strcmp(places[i].kind, kind) && !strcmp(places[i].mode, mode))
            return places[i].where;
    return strcmp(kind, "kernel") ? (bench_where)0 : BENCH_ONE_KERNEL; /* any kernel */
}

void bench_where_modes(char *text, size_t size, const char *kind) {
    text[0] = '\0';
    for (size_t i = 0; i < PLACES; i++)
        if (!strcmp(places[i].kind, kind))
            text_list(text, size, ", ", "%s", places[i].mode);
}

static bool has_what_it_needs(const bench_field *field, const bench_case *c) {
    switch (field->needs) {
    case BENCH_NEEDS_HEADS:
        return c->variant->has_kv_heads;
    case BENCH_NEEDS_LATENT:
        return c->variant->has_latent;
    case BENCH_NEEDS_MERGE:
        return c->model == ATTN_MODEL_BRANCHFORMER;
    case BENCH_NEEDS_NOTHING:
        break;
    }
    return true;
}

bool bench_field_applies(const bench_field *field, unsigned set, const bench_case *c) {
    return (set & (unsigned)c->where) && has_what_it_needs(field, c);
}

size_t bench_field_get(const bench_field *field, const bench_case *c) {
    const char *at = (const char *)c + field->offset;
    unsigned index;
    size_t number;
    if (field->words) {
        memcpy(&index, at, sizeof index);
        return index;
    }
    memcpy(&number, at, sizeof number);
    return number;
}

void bench_field_set(const bench_field *field, bench_case *c, size_t value) {
    char *at = (char *)c + field->offset;
    unsigned index = (unsigned)value;
    if (field->words)
        memcpy(at, &index, sizeof index);
    else
        memcpy(at, &value, sizeof value);
}

bool bench_field_is_default(const bench_field *field, const bench_case *c) {
    return bench_field_get(field, c) == field->fallback;
}

/* "attention, encoder (chunk, decode)", "attention, encoder; of gqa". */
static void describe_cases(char *text, size_t size, const bench_field *field) {
    char types[ATTN_VARIANT_NAMES_TEXT] = "";
    text[0] = '\0';
    for (size_t i = 0, end; i < PLACES; i = end) {
        unsigned kind = 0;
        for (end = i; end < PLACES && !strcmp(places[end].kind, places[i].kind); end++)
            kind |= (unsigned)places[end].where;
        if (!(field->rows & kind))
            continue;
        text_list(text, size, ", ", "%s", places[i].kind);
        if ((field->rows & kind) == kind)
            continue;
        const char *before = " (";
        for (size_t k = i; k < end; k++)
            if (field->rows & (unsigned)places[k].where) {
                text_append(text, size, "%s%s", before, places[k].mode);
                before = ", ";
            }
        text_append(text, size, ")");
    }
    if (field->needs == BENCH_NEEDS_HEADS || field->needs == BENCH_NEEDS_LATENT)
        attn_variant_names_text(
            types, field->needs == BENCH_NEEDS_HEADS ? ATTN_TAKES_KV_HEADS : ATTN_TAKES_LATENT, ", ");
    else if (field->needs == BENCH_NEEDS_MERGE)
        snprintf(types, sizeof types, "%s", attn_model_type_names[ATTN_MODEL_BRANCHFORMER]);
    if (field->rows & KERNELS)
        text_list(text, size, ", ", "kernel");
    if (*types)
        text_append(text, size, "; of %s", types);
}

static void print_values(FILE *stream, const bench_field *field) {
    if (!field->words)
        fprintf(stream, "%zu to %zu", field->least, field->most);
    for (size_t i = 0; field->words && field->words[i]; i++)
        fprintf(stream, "%s%s", i ? ", " : "", field->words[i]);
    if (field->required)
        fputs("; must be given", stream);
    else if (field->words && (field->fallback || field->plan))
        fprintf(stream, "; default %s", field->words[field->fallback]);
    else if (field->fallback)
        fprintf(stream, "; default %zu", field->fallback);
}

void bench_fields_print(FILE *stream) {
    for (size_t i = 0; i < BENCH_FIELDS; i++) {
        const bench_field *field = &bench_fields[i];
        char cases[160];
        describe_cases(cases, sizeof cases, field);
        fprintf(stream, "  %-6s  %s\n          %s%s%s\n          ", field->key, field->about, cases,
                field->plan ? "; in plans " : "", field->plan ? field->plan : "");
        print_values(stream, field);
        fputs("\n", stream);
    }
}
