#include "attn/alloc.h"
#include "harness/model/training/training.h"

/* What a step begins with and where it goes; the texts are attn_free'd by step_free. */
typedef struct step {
    char *config, *weights, *units, *out;
} step;

static void step_free(step *s) {
    attn_free(s->config);
    attn_free(s->weights);
    attn_free(s->units);
    attn_free(s->out);
}

static char *folder(const training_request *r, const size_t *dims, size_t count, size_t i,
                    attn_error *error) {
    return i + 1 == count ? attn_strdup(r->out, error)
                          : attn_format(error, "%s/steps/%zu-latent-%zu", r->out, i + 1, dims[i]);
}

/* From the run `before`. */
static int step_make(step *s, const char *before, attn_error *error) {
    s->config = attn_format(error, "%s/model.yaml", before);
    s->weights = attn_format(error, "%s/model.safetensors", before);
    s->units = attn_format(error, "%s/units.txt", before);
    return s->config && s->weights && s->units ? 0 : -1;
}

int training_run_schedule(const training_request *request, const size_t *dims, size_t count,
                          attn_error *error) {
    char *before = NULL;
    int failed = 0;
    for (size_t i = 0; !failed && i < count; i++) {
        training_request r = *request;
        step s = {.out = folder(request, dims, count, i, error)};
        failed = !s.out || (before && step_make(&s, before, error));
        if (before) {
            r.config = s.config;
            r.weights = s.weights;
            r.units = s.units;
        }
        r.out = s.out;
        r.latent_dim = dims[i];
        if (!failed)
            failed = training_run(&r, error);
        attn_free(before);
        before = s.out;
        s.out = NULL;
        step_free(&s);
    }
    attn_free(before);
    return failed ? -1 : 0;
}
