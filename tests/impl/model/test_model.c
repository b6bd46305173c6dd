/* Models and sessions: names, loading and its errors, saving, chunks, memory. */
#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/cpu.h"
#include "attn/model.h"
#include "attn/random.h"
#include "attn/safetensors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_TENSORS = 128 };

static char path[64];

static attn_config make_config(const char *type, size_t layers) {
    attn_config config = {.model_type = ATTN_MODEL_ATTENTION,
                          .variant = attn_variant_find(type),
                          .attention = {.d_model = 16, .num_heads = 4},
                          .num_layers = layers,
                          .input_dim = 16,
                          .conv_kernel_size = 31,
                          .ff_units = 64,
                          .cgmlp_units = 64,
                          .cgmlp_weight = 0.5,
                          .after_norm = true,
                          .layer_norm_eps = 1e-5};
    attn_error error = {0};
    assert_int_equal(attn_geometry_complete(&config.attention, config.variant, NULL, &error), 0);
    return config;
}

static attn_model *make_model(const attn_config *config, uint64_t seed) {
    attn_error error = {0};
    attn_model *model;
    if (attn_model_create(&model, config, &error))
        fail_msg("%s", error.message);
    attn_model_randomize(model, seed);
    return model;
}

/* out [B, frames, width]; attn_free it. */
static float *run(attn_model *model, attn_session_options options, const float *x, size_t frames,
                  const size_t *lengths) {
    attn_error error = {0};
    attn_session *session;
    options.max_frames = frames;
    if (attn_session_open(&session, model, &options, &error))
        fail_msg("%s", error.message);
    size_t total = attn_output_frames(attn_model_config(model), frames);
    float *out =
        attn_alloc(options.batch * total * attn_session_width(session), sizeof *out, "output", &error);
    attn_session_run(session, out, x, frames, lengths, NULL, NULL);
    assert_int_equal(attn_session_kv_bytes_live(session), attn_session_kv_bytes_formula(session));
    attn_session_close(session);
    return out;
}

static float *random_input(size_t count, uint64_t seed) {
    float *x = attn_alloc(count, sizeof *x, "input", NULL);
    attn_random_uniform(x, count, 1.0f, &seed);
    return x;
}

static void check_same(const float *a, const float *b, size_t count, double tolerance) {
    attn_difference d = attn_compare(a, b, count, tolerance, tolerance);
    if (!d.ok)
        fail_msg("max difference %g of %g at %zu", d.max_abs, d.max_b, d.first_bad);
}

/* Every type, one layer and three, kept whole in chunks of 1, 5 and more than there is, with both
 * implementations. A stream sees no future, so only the last frame of the last chunk sees what the whole
 * does. */
static void test_last_frame_of_chunks(void **state) {
    (void)state;
    enum { FRAMES = 13, BATCH = 2, D = 16 };
    float *x = random_input(BATCH * FRAMES * D, 3);
    for (size_t v = 0; attn_variants[v]; v++) {
        attn_config config = make_config(attn_variants[v]->name, 1);
        attn_model *model = make_model(&config, 5);
        float *whole = run(model, (attn_session_options){.batch = BATCH, .left_chunks = -1, .impl = "scalar"},
                           x, FRAMES, NULL);
        for (size_t chunk = 1; chunk <= 14; chunk += 4) {
            float *out =
                run(model,
                    (attn_session_options){.batch = BATCH, .chunk = chunk, .left_chunks = -1, .impl = "blas"},
                    x, FRAMES, NULL);
            for (size_t b = 0; b < BATCH; b++)
                check_same(out + (b * FRAMES + FRAMES - 1) * D, whole + (b * FRAMES + FRAMES - 1) * D, D,
                           1e-5);
            attn_free(out);
        }
        attn_free(whole);
        attn_model_free(model);
    }
    attn_free(x);
}

static attn_isa isa_of_chunk;

static void look_at_isa(void *context, size_t index, size_t frames) {
    (void)context, (void)index, (void)frames;
    isa_of_chunk = attn_cpu_isa();
}

/* A session that names an instruction set holds our kernels to it while it runs, and no longer. */
static void test_instruction_sets(void **state) {
    (void)state;
    enum { FRAMES = 5, D = 16 };
    float *x = random_input(FRAMES * D, 8), out[FRAMES * D];
    attn_config config = make_config("linear", 1);
    attn_model *model = make_model(&config, 8);
    attn_session *session;
    attn_error error = {0};
    attn_session_options options = {.batch = 1, .max_frames = FRAMES, .left_chunks = -1};
    float *expected = run(model, options, x, FRAMES, NULL);
    for (attn_isa isa = ATTN_ISA_BASE; isa <= attn_cpu_detected(); isa++) {
        options.impl = attn_isa_names[isa];
        assert_int_equal(attn_session_open(&session, model, &options, &error), 0);
        attn_session_run(session, out, x, FRAMES, NULL, look_at_isa, NULL);
        attn_session_close(session);
        assert_int_equal(isa_of_chunk, isa);
        assert_int_equal(attn_cpu_isa(), attn_cpu_detected());
        check_same(out, expected, FRAMES * D, 1e-5);
    }
    attn_isa limit = attn_cpu_limit(ATTN_ISA_BASE);
    options.impl = "avx512";
    assert_int_equal(attn_session_open(&session, model, &options, &error), -1);
    assert_non_null(strstr(error.message, "impl: "));
    assert_non_null(strstr(error.message, "avx512"));
    attn_cpu_limit(limit);
    attn_free(expected);
    attn_free(x);
    attn_model_free(model);
}

/* A chunk that keeps M chunks sees exactly those frames: the same as a fresh run over them. */
static void test_left_chunks(void **state) {
    (void)state;
    enum { FRAMES = 12, CHUNK = 3, D = 16 };
    float *x = random_input(FRAMES * D, 4);
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t kept = 0; kept <= (attn_variants[v]->forgets ? 2 : 0); kept++) {
            attn_config config = make_config(attn_variants[v]->name, 1);
            attn_model *model = make_model(&config, 6);
            attn_session_options options = {
                .batch = 1, .chunk = CHUNK, .left_chunks = (long)kept, .impl = "blas"};
            float *out = run(model, options, x, FRAMES, NULL);
            size_t first = FRAMES - (kept + 1) * CHUNK, seen = FRAMES - first;
            float *fresh =
                run(model, (attn_session_options){.batch = 1, .impl = "scalar"}, x + first * D, seen, NULL);
            check_same(out + (FRAMES - CHUNK) * D, fresh + (seen - CHUNK) * D, CHUNK * D, 1e-5);
            attn_free(out);
            attn_free(fresh);
            attn_model_free(model);
        }
    attn_free(x);
}

static void test_linear_cannot_forget_some(void **state) {
    (void)state;
    attn_config config = make_config("linear", 1);
    attn_model *model = make_model(&config, 1);
    attn_session_options options = {
        .batch = 1, .max_frames = 8, .chunk = 2, .left_chunks = 1, .impl = "auto"};
    attn_error error = {0};
    attn_session *session;
    assert_int_equal(attn_session_open(&session, model, &options, &error), -1);
    assert_non_null(strstr(error.message, "left_chunks"));
    attn_model_free(model);
}

/* A checkpoint in the making: tensors of a model, renamed or changed. */
typedef struct checkpoint {
    attn_safetensors_entry entries[MOST_TENSORS];
    char names[MOST_TENSORS][80];
    size_t dims[MOST_TENSORS][4], count;
} checkpoint;

static int add_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    checkpoint *c = context;
    assert_true(c->count < MOST_TENSORS);
    snprintf(c->names[c->count], sizeof c->names[0], "%s", tensor->name);
    memcpy(c->dims[c->count], tensor->dims, sizeof tensor->dims);
    c->entries[c->count] = (attn_safetensors_entry){
        c->names[c->count], tensor->rank, c->dims[c->count], *tensor->data + tensor->offset, NULL, NULL};
    c->count++;
    return 0;
}

static checkpoint *checkpoint_of(attn_model *model) {
    checkpoint *c = attn_alloc(1, sizeof *c, "checkpoint", NULL);
    assert_int_equal(attn_model_tensors(model, add_tensor, c, NULL), 0);
    return c;
}

static void replace(checkpoint *c, const char *from, const char *to) {
    for (size_t i = 0; i < c->count; i++) {
        char *at = strstr(c->names[i], from);
        if (!at)
            continue;
        char rest[80];
        snprintf(rest, sizeof rest, "%s", at + strlen(from));
        snprintf(at, sizeof c->names[i] - (size_t)(at - c->names[i]), "%s%s", to, rest);
    }
}

static void prefix(checkpoint *c, const char *text) {
    for (size_t i = 0; i < c->count; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s%.60s", text, c->names[i]);
        memcpy(c->names[i], name, sizeof name);
    }
}

static void add_entry(checkpoint *c, const char *name, const float *data) {
    snprintf(c->names[c->count], sizeof c->names[0], "%s", name);
    c->dims[c->count][0] = 2;
    c->entries[c->count] =
        (attn_safetensors_entry){c->names[c->count], 1, c->dims[c->count], data, NULL, NULL};
    c->count++;
}

static int load(attn_model *model, const checkpoint *c, attn_error *error) {
    attn_error writing = {0};
    if (attn_safetensors_write(path, c->entries, c->count, &writing))
        fail_msg("%s", writing.message);
    *error = (attn_error){0};
    return attn_model_load(model, path, error);
}

static int compare_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    const checkpoint *c = context;
    (void)error;
    for (size_t i = 0; i < c->count; i++)
        if (!strcmp(c->names[i], tensor->name)) {
            size_t count = 1;
            for (size_t k = 0; k < tensor->rank; k++)
                count *= tensor->dims[k];
            assert_memory_equal(*tensor->data + tensor->offset, c->entries[i].data, count * sizeof(float));
            return 0;
        }
    fail_msg("no tensor %s", tensor->name);
    return -1;
}

/* Loads a renamed checkpoint into a fresh model and expects the weights of `c`. */
static void check_loads(const attn_config *config, const checkpoint *c, const checkpoint *renamed) {
    attn_error error;
    attn_model *loaded = make_model(config, 99);
    if (load(loaded, renamed, &error))
        fail_msg("%s", error.message);
    attn_model_tensors(loaded, compare_tensor, (void *)(uintptr_t)c, NULL);
    attn_model_free(loaded);
}

static void test_save_and_load(void **state) {
    (void)state;
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t layers = 1; layers <= 2; layers++) {
            attn_config config = make_config(attn_variants[v]->name, layers);
            config.vocab_size = 7;
            config.input_layer = ATTN_INPUT_LINEAR;
            config.input_dim = 5;
            attn_model *model = make_model(&config, v + 1), *loaded = make_model(&config, 99);
            checkpoint *c = checkpoint_of(model);
            attn_error error = {0};
            if (attn_model_save(model, path, &error) || attn_model_load(loaded, path, &error))
                fail_msg("%s", error.message);
            attn_model_tensors(loaded, compare_tensor, c, NULL);
            attn_free(c);
            attn_model_free(model);
            attn_model_free(loaded);
        }
}

static const char *const renamings[][3][2] = {
    {{"q_proj", "linear_q"}, {"v_proj", "linear_v"}, {"out_proj", "linear_out"}},
    {{"self_attn.", "attn."}},
    {{"encoders.", "layers."}},
    {{"encoders.", "layers."}, {"self_attn.", ""}},
};

static void test_names(void **state) {
    (void)state;
    attn_config config = make_config("mha", 2);
    attn_model *model = make_model(&config, 7);
    checkpoint *c = checkpoint_of(model);
    for (size_t i = 0; i < sizeof renamings / sizeof *renamings; i++) {
        checkpoint *renamed = checkpoint_of(model);
        for (size_t k = 0; k < 3 && renamings[i][k][0]; k++)
            replace(renamed, renamings[i][k][0], renamings[i][k][1]);
        check_loads(&config, c, renamed);
        prefix(renamed, "encoder.");
        add_entry(renamed, "encoder.embed.pos_enc.pe", c->entries[0].data);
        add_entry(renamed, "encoder.encoders.0.norm.num_batches_tracked", c->entries[0].data);
        check_loads(&config, c, renamed);
        attn_free(renamed);
    }
    attn_free(c);
    attn_model_free(model);
}

static void test_names_of_one_layer(void **state) {
    (void)state;
    static const char *const prefixes[] = {"encoders.0.self_attn.", "encoders.0.attn.", "layers.0.",
                                           "layers.0.self_attn.", "encoder.encoders.0.self_attn."};
    attn_config config = make_config("mla", 1);
    attn_model *model = make_model(&config, 8);
    checkpoint *c = checkpoint_of(model);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        checkpoint *renamed = checkpoint_of(model);
        prefix(renamed, prefixes[i]);
        check_loads(&config, c, renamed);
        attn_free(renamed);
    }
    attn_free(c);
    attn_model_free(model);
}

static void check_message(attn_model *model, const checkpoint *c, const char *const words[4]) {
    attn_error error;
    assert_int_equal(load(model, c, &error), -1);
    assert_non_null(strstr(error.message, path));
    for (size_t i = 0; i < 4 && words[i]; i++)
        if (!strstr(error.message, words[i]))
            fail_msg("\"%s\" does not have \"%s\"", error.message, words[i]);
}

/* An output layer that is not wanted is passed over with one note; anything unknown is an error. */
static void test_whole_checkpoints(void **state) {
    (void)state;
    static const char *const outside[] = {"ctc.ctc_lo.weight", "ctc.lang.weight", "ctc.lang.bias"};
    static const char *const positions[] = {"encoder.embed.pos_enc.pe", "encoder.embed.out.1.pe",
                                            "embed.out.2.pe"};
    attn_config config = make_config("mha", 2);
    attn_model *model = make_model(&config, 7), *loaded = make_model(&config, 99);
    checkpoint *c = checkpoint_of(model);
    attn_error error;
    prefix(c, "encoder.");
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++)
        add_entry(c, positions[i], c->entries[0].data);
    assert_int_equal(load(loaded, c, &error), 0);
    assert_string_equal(attn_model_load_note(loaded), "");
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        add_entry(c, outside[i], c->entries[0].data);
    assert_int_equal(load(loaded, c, &error), 0);
    assert_non_null(strstr(attn_model_load_note(loaded), ": not the encoder's and not used: ctc."));
    assert_non_null(strstr(attn_model_load_note(loaded), " and 2 more tensors"));
    for (size_t i = 0; i < 4; i++) {
        static const char *const inside[] = {"decoder.embed.0.weight", "encoder.decoder.x",
                                             "encoder.encoders.0.decoder.x", "encoder.embed.out.1.pes"};
        add_entry(c, inside[i], c->entries[0].data);
        check_message(loaded, c, (const char *[4]){"extra", inside[i]});
        c->count--;
    }
    attn_model_free(loaded);
    config.vocab_size = 7; /* now ctc.* is the model's */
    loaded = make_model(&config, 99);
    check_message(loaded, c, (const char *[4]){"ctc.ctc_lo.bias", "missing"});
    attn_model_free(loaded);
    attn_free(c);
    attn_model_free(model);
}

/* With global_cmvn.* a model gives what it gives without them on (x - mean) istd: whole, in chunks and
 * batched. */
static void test_global_cmvn(void **state) {
    (void)state;
    enum { FRAMES = 61, BATCH = 2, DIM = 16 };
    float mean[DIM], istd[DIM], *x = random_input(BATCH * FRAMES * DIM, 4),
                                *y = attn_alloc(BATCH * FRAMES * DIM, sizeof *y, "input", NULL);
    for (size_t i = 0; i < DIM; i++) {
        mean[i] = 0.3f * (float)i - 2;
        istd[i] = 0.25f + 0.125f * (float)i;
    }
    for (size_t i = 0; i < BATCH * FRAMES * DIM; i++)
        y[i] = (x[i] - mean[i % DIM]) * istd[i % DIM];
    for (attn_input_layer layer = ATTN_INPUT_NONE; layer <= ATTN_INPUT_CONV2D; layer++)
        for (size_t chunk = 0; chunk <= 4; chunk += 4)
            for (size_t batch = 1; batch <= BATCH; batch++) {
                attn_config config = make_config("mla", 1);
                config.input_layer = layer;
                attn_session_options options = {.batch = batch, .chunk = chunk, .left_chunks = -1};
                attn_model *model = make_model(&config, 11), *loaded = make_model(&config, 12);
                checkpoint *c = checkpoint_of(model);
                add_entry(c, "encoder.global_cmvn.mean", mean);
                c->dims[c->count - 1][0] = DIM;
                check_message(loaded, c, (const char *[4]){"global_cmvn.istd", "missing", "[16]"});
                add_entry(c, "encoder.global_cmvn.istd", istd);
                c->dims[c->count - 1][0] = DIM;
                attn_error error;
                if (load(loaded, c, &error))
                    fail_msg("%s", error.message);
                assert_int_equal(attn_model_parameters(loaded), attn_model_parameters(model));
                float *expected = run(model, options, y, FRAMES, NULL),
                      *out = run(loaded, options, x, FRAMES, NULL);
                check_same(out, expected, attn_alloc_size(out) / sizeof *out, 1e-5);
                attn_free(expected);
                attn_free(out);
                c->count -= 2;
                assert_int_equal(load(loaded, c, &error), 0); /* and is without them again */
                expected = run(model, options, x, FRAMES, NULL), out = run(loaded, options, x, FRAMES, NULL);
                check_same(out, expected, attn_alloc_size(out) / sizeof *out, 0);
                attn_free(expected);
                attn_free(out);
                attn_free(c);
                attn_model_free(loaded);
                attn_model_free(model);
            }
    attn_free(x);
    attn_free(y);
}

/* A model that was trained on normalised features says so when its checkpoint has lost what normalises them. */
static void test_lost_normalisation(void **state) {
    (void)state;
    static const struct {
        attn_feature_norm trained;
        bool has, with_ctc;
        const char *note;
    } cases[] = {
        {ATTN_FEATURE_NORM_NONE, false, false, ""},
        {ATTN_FEATURE_NORM_NONE, true, false, ""},
        {ATTN_FEATURE_NORM_GLOBAL, true, false, ""},
        {ATTN_FEATURE_NORM_GLOBAL, false, false, "the checkpoint has no global_cmvn.mean"},
        {ATTN_FEATURE_NORM_GLOBAL, false, true, "; feature_norm: global_mvn: "},
        {ATTN_FEATURE_NORM_UTTERANCE, false, false, "feature_norm: utterance_mvn"},
    };
    float ones[16];
    for (size_t i = 0; i < 16; i++)
        ones[i] = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        attn_config config = make_config("mha", 1);
        config.feature_norm = cases[i].trained;
        attn_model *model = make_model(&config, 3);
        checkpoint *c = checkpoint_of(model);
        if (cases[i].has) {
            add_entry(c, "global_cmvn.mean", ones);
            c->dims[c->count - 1][0] = 16;
            add_entry(c, "global_cmvn.istd", ones);
            c->dims[c->count - 1][0] = 16;
        }
        if (cases[i].with_ctc)
            add_entry(c, "ctc.ctc_lo.weight", ones);
        attn_error error;
        if (load(model, c, &error))
            fail_msg("%s", error.message);
        assert_int_equal(attn_model_normalizes(model), cases[i].has);
        const char *note = attn_model_load_note(model);
        if (cases[i].note[0] ? !strstr(note, cases[i].note) : note[0])
            fail_msg("case %zu: \"%s\"", i, note);
        attn_free(c);
        attn_model_free(model);
    }
}

static void test_bad_checkpoints(void **state) {
    (void)state;
    attn_config config = make_config("gqa", 1);
    attn_model *model = make_model(&config, 9);
    checkpoint *c = checkpoint_of(model);

    c->count--; /* out_proj.bias */
    check_message(model, c, (const char *[4]){"out_proj.bias", "missing", "[16]"});
    c->count++;

    add_entry(c, "surplus.weight", c->entries[0].data);
    check_message(model, c, (const char *[4]){"extra", "surplus.weight", "[2]"});
    c->count--;

    replace(c, "k_proj.weight", "k_prof.weight");
    check_message(model, c, (const char *[4]){"k_proj.weight is missing", "k_prof.weight"});
    replace(c, "k_prof.weight", "k_proj.weight");

    c->dims[2][0] = 16, c->dims[2][1] = 4; /* k_proj.weight transposed */
    check_message(model, c, (const char *[4]){"k_proj.weight", "[16, 4]", "expected [4, 16]"});
    c->dims[2][0] = 4, c->dims[2][1] = 16;

    add_entry(c, "linear_q.bias", c->entries[0].data);
    check_message(model, c, (const char *[4]){"q_proj.bias", "linear_q.bias", "both"});
    c->count--;

    float kept = ((const float *)c->entries[3].data)[1];
    ((float *)(uintptr_t)c->entries[3].data)[1] = NAN;
    check_message(model, c, (const char *[4]){"k_proj.bias", "non-finite", "element 1"});
    ((float *)(uintptr_t)c->entries[3].data)[1] = INFINITY;
    check_message(model, c, (const char *[4]){"k_proj.bias", "non-finite"});
    ((float *)(uintptr_t)c->entries[3].data)[1] = kept;

    attn_error error;
    assert_int_equal(load(model, c, &error), 0);
    attn_free(c);
    attn_model_free(model);
}

/* What merge_method does not use may be in a checkpoint, and what it uses must. */
static void test_unused_branches(void **state) {
    (void)state;
    static const char *const unused[] = {"encoders.0.attn.linear_q.weight", "encoders.0.norm_mha.bias",
                                         "encoders.0.pooling_proj1.weight", "encoders.0.weight_proj2.bias"};
    attn_config config = make_config("mha", 1);
    config.model_type = ATTN_MODEL_BRANCHFORMER;
    config.merge_method = ATTN_MERGE_FIXED_AVE;
    config.cgmlp_weight = 1.0;
    attn_model *model = make_model(&config, 12);
    checkpoint *c = checkpoint_of(model);
    for (size_t i = 0; i < sizeof unused / sizeof *unused; i++)
        add_entry(c, unused[i], c->entries[0].data);
    attn_error error;
    if (load(model, c, &error))
        fail_msg("%s", error.message);

    config.cgmlp_weight = 0.0; /* now attention is used and cgMLP is not */
    attn_model *other = make_model(&config, 12);
    check_message(other, c, (const char *[4]){"encoders.0.norm_mha.weight", "missing"});
    attn_model_free(other);

    config.merge_method = ATTN_MERGE_LEARNED_AVE;
    other = make_model(&config, 12);
    check_message(other, c, (const char *[4]){"missing", "[16]"});
    attn_model_free(other);
    attn_free(c);
    attn_model_free(model); /* the checkpoint's entries are its tensors */
}

/* A stream's file has the inputs of convolutions and what subsampling holds back next to the attention cache,
 * byte for byte what it says it holds, without the gates that follow from the inputs; a whole run's has the attention cache alone. */
static void test_saved_caches(void **state) {
    (void)state;
    enum { FRAMES = 51, DIM = 16, LAYERS = 2 };
    float *x = random_input(FRAMES * DIM, 5);
    for (size_t streams = 0; streams < 2; streams++) {
        attn_config config = make_config("mla", LAYERS);
        config.model_type = ATTN_MODEL_CONFORMER;
        config.causal = true;
        config.conv_kernel_size = 5;
        config.input_layer = ATTN_INPUT_CONV2D;
        attn_model *model = make_model(&config, 5);
        attn_session_options options = {
            .batch = 1, .max_frames = FRAMES, .chunk = streams ? 4 : 0, .left_chunks = -1};
        attn_session *session;
        attn_safetensors *file;
        attn_error error = {0};
        float out[FRAMES * DIM];
        size_t bytes = 0;
        if (attn_session_open(&session, model, &options, &error))
            fail_msg("%s", error.message);
        attn_session_run(session, out, x, FRAMES, NULL, NULL, NULL);
        if (attn_session_save_cache(session, path, &error) || attn_safetensors_open(&file, path, &error))
            fail_msg("%s", error.message);
        for (size_t i = 0; i < attn_safetensors_count(file); i++)
            bytes += attn_safetensors_at(file, i)->size;
        size_t gates = streams ? LAYERS * 4 * DIM * sizeof *x : 0;
        assert_int_equal(bytes + gates,
                         attn_session_kv_bytes_live(session) + attn_session_conv_bytes_live(session));
        assert_int_equal(attn_safetensors_count(file), streams ? 2 * LAYERS + 1 : LAYERS);
        const attn_safetensor *conv = attn_safetensors_find(file, "layers.1.conv"),
                              *carry = attn_safetensors_find(file, "embed.carry");
        assert_true(!conv == !streams && !carry == !streams);
        if (streams) {
            size_t last = 4 * attn_output_frames(&config, FRAMES); /* input frames before what is held back */
            assert_true(conv->rank == 3 && conv->dims[1] == 4 && conv->dims[2] == DIM);
            assert_memory_equal(carry->data, x + last * DIM, 3 * DIM * sizeof *x);
        }
        attn_safetensors_close(file);
        attn_session_close(session);
        attn_model_free(model);
    }
    attn_free(x);
}

/* embed.out.1 is part of the model when the checkpoint has it, and no longer when the next lacks it. */
static void test_optional_norm(void **state) {
    (void)state;
    attn_config config = make_config("mha", 1);
    config.input_layer = ATTN_INPUT_LINEAR;
    attn_model *model = make_model(&config, 10);
    checkpoint *c = checkpoint_of(model);
    size_t plain = attn_model_parameters(model), count = c->count;
    for (size_t i = 0; i < 2; i++) {
        add_entry(c, i ? "embed.out.1.bias" : "embed.out.1.weight", c->entries[0].data);
        c->dims[c->count - 1][0] = 16;
    }
    attn_error error;
    assert_int_equal(load(model, c, &error), 0);
    assert_int_equal(attn_model_parameters(model), plain + 32);
    c->count--;
    check_message(model, c, (const char *[4]){"embed.out.1.bias", "missing"});
    c->count = count;
    assert_int_equal(load(model, c, &error), 0);
    assert_int_equal(attn_model_parameters(model), plain);
    attn_free(c);
    attn_model_free(model);
}

/* Everything that a run needs, from nothing; 0 when all of it worked. */
static int whole_life(const attn_config *config, const char *cache_path, attn_error *error) {
    attn_model *model = NULL;
    attn_session *session = NULL;
    attn_session_options options = {
        .batch = 2, .max_frames = 5, .chunk = 2, .left_chunks = -1, .impl = "auto"};
    options.logits = true;
    int result = -1;
    if (!attn_model_create(&model, config, error) && !attn_model_load(model, path, error) &&
        !attn_session_open(&session, model, &options, error) &&
        !attn_session_save_cache(session, cache_path, error))
        result = 0;
    attn_session_close(session);
    attn_model_free(model);
    return result;
}

static void check_allocation_failure(attn_model_type type) {
    attn_config config = make_config("mha", 2);
    config.model_type = type;
    config.attention.pos_enc = ATTN_POS_REL;
    config.vocab_size = 3;
    config.causal = true;
    config.input_layer = type == ATTN_MODEL_ATTENTION ? ATTN_INPUT_NONE : ATTN_INPUT_CONV2D;
    attn_model *model = make_model(&config, 11);
    char cache_path[80];
    snprintf(cache_path, sizeof cache_path, "%s.cache", path);
    attn_error error = {0};
    assert_int_equal(attn_model_save(model, path, &error), 0);
    size_t before = attn_alloc_live(), nth = 0;
    int result;
    do {
        error = (attn_error){0};
        attn_alloc_fail_at(++nth);
        result = whole_life(&config, cache_path, &error);
        attn_alloc_fail_at(0);
        assert_int_equal(attn_alloc_live(), before);
        assert_true(result == 0 || strstr(error.message, "memory"));
        assert_true(result == 0 || access(cache_path, F_OK));
    } while (result);
    assert_true(nth > 30);
    unlink(cache_path);
    attn_model_free(model);
}

static void test_allocation_failure(void **state) {
    (void)state;
    check_allocation_failure(ATTN_MODEL_ATTENTION);
    check_allocation_failure(ATTN_MODEL_CONFORMER);
    check_allocation_failure(ATTN_MODEL_BRANCHFORMER);
}

int main(void) {
    snprintf(path, sizeof path, "/tmp/test_model.%ld.safetensors", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_frame_of_chunks), cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_left_chunks),          cmocka_unit_test(test_linear_cannot_forget_some),
        cmocka_unit_test(test_save_and_load),        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_of_one_layer),   cmocka_unit_test(test_whole_checkpoints),
        cmocka_unit_test(test_lost_normalisation),   cmocka_unit_test(test_global_cmvn),
        cmocka_unit_test(test_saved_caches),         cmocka_unit_test(test_bad_checkpoints),
        cmocka_unit_test(test_unused_branches),      cmocka_unit_test(test_optional_norm),
        cmocka_unit_test(test_allocation_failure),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
