/* Checkpoints: names, loading and its errors, saving, what only some have. */
#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/checkpoints.h"
#include "tests/support/models/encoders.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <string.h>

/* Loads a renamed checkpoint into a fresh model and expects the weights of `c`. */
static void check_loads(const attn_config *config, const checkpoint *c, const checkpoint *renamed) {
    attn_error error;
    attn_model *loaded = make_model(config, 99);
    if (checkpoint_load(loaded, renamed, &error))
        fail_msg("%s", error.message);
    checkpoint_expect(loaded, c);
    attn_model_free(loaded);
}

static void test_save_and_load(void **state) {
    (void)state;
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t layers = 1; layers <= 2; layers++) {
            attn_config config = layer_config(attn_variants[v]->name, layers);
            config.vocab_size = 7;
            config.input_layer = ATTN_INPUT_LINEAR;
            config.input_dim = 5;
            attn_model *model = make_model(&config, v + 1), *loaded = make_model(&config, 99);
            checkpoint *c = checkpoint_of(model);
            attn_error error = {0};
            const char *path = scratch_path("saved.safetensors");
            if (attn_model_save(model, path, &error) || attn_model_load(loaded, path, &error))
                fail_msg("%s", error.message);
            checkpoint_expect(loaded, c);
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
    attn_config config = layer_config("mha", 2);
    attn_model *model = make_model(&config, 7);
    checkpoint *c = checkpoint_of(model);
    for (size_t i = 0; i < sizeof renamings / sizeof *renamings; i++) {
        checkpoint *renamed = checkpoint_of(model);
        for (size_t k = 0; k < 3 && renamings[i][k][0]; k++)
            checkpoint_rename(renamed, renamings[i][k][0], renamings[i][k][1]);
        check_loads(&config, c, renamed);
        checkpoint_prefix(renamed, "encoder.");
        checkpoint_add(renamed, "encoder.embed.pos_enc.pe", c->entries[0].data, 2);
        checkpoint_add(renamed, "encoder.encoders.0.norm.num_batches_tracked", c->entries[0].data, 2);
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
    attn_config config = layer_config("mla", 1);
    attn_model *model = make_model(&config, 8);
    checkpoint *c = checkpoint_of(model);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        checkpoint *renamed = checkpoint_of(model);
        checkpoint_prefix(renamed, prefixes[i]);
        check_loads(&config, c, renamed);
        attn_free(renamed);
    }
    attn_free(c);
    attn_model_free(model);
}

/* An output layer that is not wanted is passed over with one note; anything unknown is an error. */
static void test_whole_checkpoints(void **state) {
    (void)state;
    static const char *const outside[] = {"ctc.ctc_lo.weight", "ctc.lang.weight", "ctc.lang.bias"};
    static const char *const positions[] = {"encoder.embed.pos_enc.pe", "encoder.embed.out.1.pe",
                                            "embed.out.2.pe"};
    attn_config config = layer_config("mha", 2);
    attn_model *model = make_model(&config, 7), *loaded = make_model(&config, 99);
    checkpoint *c = checkpoint_of(model);
    attn_error error;
    checkpoint_prefix(c, "encoder.");
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++)
        checkpoint_add(c, positions[i], c->entries[0].data, 2);
    assert_int_equal(checkpoint_load(loaded, c, &error), 0);
    assert_string_equal(attn_model_load_note(loaded), "");
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        checkpoint_add(c, outside[i], c->entries[0].data, 2);
    assert_int_equal(checkpoint_load(loaded, c, &error), 0);
    assert_non_null(strstr(attn_model_load_note(loaded), ": not the encoder's and not used: ctc."));
    assert_non_null(strstr(attn_model_load_note(loaded), " and 2 more tensors"));
    for (size_t i = 0; i < 4; i++) {
        static const char *const inside[] = {"decoder.embed.0.weight", "encoder.decoder.x",
                                             "encoder.encoders.0.decoder.x", "encoder.embed.out.1.pes"};
        checkpoint_add(c, inside[i], c->entries[0].data, 2);
        checkpoint_refused(loaded, c, (const char *[4]){"extra", inside[i]});
        c->count--;
    }
    attn_model_free(loaded);
    config.vocab_size = 7; /* now ctc.* is the model's */
    loaded = make_model(&config, 99);
    checkpoint_refused(loaded, c, (const char *[4]){"ctc.ctc_lo.bias", "missing"});
    attn_model_free(loaded);
    attn_free(c);
    attn_model_free(model);
}

/* With global_cmvn.* a model gives what it gives without them on (x - mean) istd: whole, in chunks and
 * batched. */
static void test_global_cmvn(void **state) {
    (void)state;
    enum { FRAMES = 61, BATCH = 2, DIM = 16 };
    float mean[DIM], istd[DIM], *x = random_floats(BATCH * FRAMES * DIM, 4),
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
                attn_config config = layer_config("mla", 1);
                config.input_layer = layer;
                attn_session_options options = {.batch = batch, .chunk = chunk, .left_chunks = -1};
                attn_model *model = make_model(&config, 11), *loaded = make_model(&config, 12);
                checkpoint *c = checkpoint_of(model);
                checkpoint_add(c, "encoder.global_cmvn.mean", mean, DIM);
                checkpoint_refused(loaded, c, (const char *[4]){"global_cmvn.istd", "missing", "[16]"});
                checkpoint_add(c, "encoder.global_cmvn.istd", istd, DIM);
                attn_error error;
                if (checkpoint_load(loaded, c, &error))
                    fail_msg("%s", error.message);
                assert_int_equal(attn_model_parameters(loaded), attn_model_parameters(model));
                float *expected = run(model, options, y, FRAMES, NULL),
                      *out = run(loaded, options, x, FRAMES, NULL);
                check_floats(out, expected, attn_alloc_size(out) / sizeof *out, 1e-5);
                attn_free(expected);
                attn_free(out);
                c->count -= 2;
                assert_int_equal(checkpoint_load(loaded, c, &error), 0); /* and is without them again */
                expected = run(model, options, x, FRAMES, NULL), out = run(loaded, options, x, FRAMES, NULL);
                check_floats(out, expected, attn_alloc_size(out) / sizeof *out, 0);
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
        attn_config config = layer_config("mha", 1);
        config.feature_norm = cases[i].trained;
        attn_model *model = make_model(&config, 3);
        checkpoint *c = checkpoint_of(model);
        if (cases[i].has) {
            checkpoint_add(c, "global_cmvn.mean", ones, 16);
            checkpoint_add(c, "global_cmvn.istd", ones, 16);
        }
        if (cases[i].with_ctc)
            checkpoint_add(c, "ctc.ctc_lo.weight", ones, 2);
        attn_error error;
        if (checkpoint_load(model, c, &error))
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
    attn_config config = layer_config("gqa", 1);
    attn_model *model = make_model(&config, 9);
    checkpoint *c = checkpoint_of(model);

    c->count--; /* out_proj.bias */
    checkpoint_refused(model, c, (const char *[4]){"out_proj.bias", "missing", "[16]"});
    c->count++;

    checkpoint_add(c, "surplus.weight", c->entries[0].data, 2);
    checkpoint_refused(model, c, (const char *[4]){"extra", "surplus.weight", "[2]"});
    c->count--;

    checkpoint_rename(c, "k_proj.weight", "k_prof.weight");
    checkpoint_refused(model, c, (const char *[4]){"k_proj.weight is missing", "k_prof.weight"});
    checkpoint_rename(c, "k_prof.weight", "k_proj.weight");

    c->dims[2][0] = 16, c->dims[2][1] = 4; /* k_proj.weight transposed */
    checkpoint_refused(model, c, (const char *[4]){"k_proj.weight", "[16, 4]", "expected [4, 16]"});
    c->dims[2][0] = 4, c->dims[2][1] = 16;

    checkpoint_add(c, "linear_q.bias", c->entries[0].data, 2);
    checkpoint_refused(model, c, (const char *[4]){"q_proj.bias", "linear_q.bias", "both"});
    c->count--;

    float kept = ((const float *)c->entries[3].data)[1];
    ((float *)(uintptr_t)c->entries[3].data)[1] = NAN;
    checkpoint_refused(model, c, (const char *[4]){"k_proj.bias", "non-finite", "element 1"});
    ((float *)(uintptr_t)c->entries[3].data)[1] = INFINITY;
    checkpoint_refused(model, c, (const char *[4]){"k_proj.bias", "non-finite"});
    ((float *)(uintptr_t)c->entries[3].data)[1] = kept;

    attn_error error;
    assert_int_equal(checkpoint_load(model, c, &error), 0);
    attn_free(c);
    attn_model_free(model);
}

/* What merge_method does not use may be in a checkpoint, and what it uses must. */
static void test_unused_branches(void **state) {
    (void)state;
    static const char *const unused[] = {"encoders.0.attn.linear_q.weight", "encoders.0.norm_mha.bias",
                                         "encoders.0.pooling_proj1.weight", "encoders.0.weight_proj2.bias"};
    attn_config config = layer_config("mha", 1);
    config.model_type = ATTN_MODEL_BRANCHFORMER;
    config.merge_method = ATTN_MERGE_FIXED_AVE;
    config.cgmlp_weight = 1.0;
    attn_model *model = make_model(&config, 12);
    checkpoint *c = checkpoint_of(model);
    for (size_t i = 0; i < sizeof unused / sizeof *unused; i++)
        checkpoint_add(c, unused[i], c->entries[0].data, 2);
    attn_error error;
    if (checkpoint_load(model, c, &error))
        fail_msg("%s", error.message);

    config.cgmlp_weight = 0.0; /* now attention is used and cgMLP is not */
    attn_model *other = make_model(&config, 12);
    checkpoint_refused(other, c, (const char *[4]){"encoders.0.norm_mha.weight", "missing"});
    attn_model_free(other);

    config.merge_method = ATTN_MERGE_LEARNED_AVE;
    other = make_model(&config, 12);
    checkpoint_refused(other, c, (const char *[4]){"missing", "[16]"});
    attn_model_free(other);
    attn_free(c);
    attn_model_free(model); /* the checkpoint's entries are its tensors */
}

/* embed.out.1 is part of the model when the checkpoint has it, and no longer when the next lacks it. */
static void test_optional_norm(void **state) {
    (void)state;
    attn_config config = layer_config("mha", 1);
    config.input_layer = ATTN_INPUT_LINEAR;
    attn_model *model = make_model(&config, 10);
    checkpoint *c = checkpoint_of(model);
    size_t plain = attn_model_parameters(model), count = c->count;
    for (size_t i = 0; i < 2; i++) {
        checkpoint_add(c, i ? "embed.out.1.bias" : "embed.out.1.weight", c->entries[0].data, 16);
    }
    attn_error error;
    assert_int_equal(checkpoint_load(model, c, &error), 0);
    assert_int_equal(attn_model_parameters(model), plain + 32);
    c->count--;
    checkpoint_refused(model, c, (const char *[4]){"embed.out.1.bias", "missing"});
    c->count = count;
    assert_int_equal(checkpoint_load(model, c, &error), 0);
    assert_int_equal(attn_model_parameters(model), plain);
    attn_free(c);
    attn_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_save_and_load),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_of_one_layer), cmocka_unit_test(test_whole_checkpoints),
        cmocka_unit_test(test_lost_normalisation), cmocka_unit_test(test_global_cmvn),
        cmocka_unit_test(test_bad_checkpoints),    cmocka_unit_test(test_unused_branches),
        cmocka_unit_test(test_optional_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
