/* One factorisation for every rank: leading rows and columns of the largest. */
#include "attn/alloc.h"
#include "impl/convert/layer.h"
#include "impl/convert/matrix.h"

#include <string.h>

struct attn_family {
    attn_factors full;
    attn_convert_method method;
    double *bias;   /* [2 d_model]: of the mha layer */
    double *mean;   /* activation: mean input, as far as biases rely on it, [d_model]; else NULL */
    double *wanted; /* [2 d_model]: what the mha weights make of it */
};

static int keep_mean(attn_family *f, const attn_stack *stack, const attn_moments *moments,
                     attn_error *error) {
    size_t d = stack->d_model;
    f->mean = attn_matrix_new(1, d, error);
    f->wanted = attn_matrix_new(2, d, error);
    if (!f->mean || !f->wanted)
        return -1;
    for (size_t i = 0; i < d; i++)
        f->mean[i] = moments->mean_trust * moments->mean[i];
    attn_matrix_multiply(f->wanted, stack->weight, false, f->mean, false, 2 * d, 1, d);
    return 0;
}

int attn_family_make(attn_family **family, const attn_layer *mha, const attn_convert_target *target,
                     const attn_layer_inputs *inputs, attn_error *error) {
    attn_convert_target full = *target;
    attn_stack stack = {0};
    attn_moments moments = {0};
    size_t d = mha->geometry.d_model;
    bool by_inputs = target->method == ATTN_CONVERT_ACTIVATION;
    attn_family *f = attn_alloc(1, sizeof *f, "factors", error);
    int result = -1;
    *family = NULL;
    full.latent_dim = d;
    if (!f || attn_convert_check(&full, &mha->geometry, error) ||
        attn_stack_make(&stack, mha, attn_variant_find("mha"), error) ||
        (by_inputs && attn_moments_make(&moments, inputs, d, error)) ||
        attn_factors_make(&f->full, &stack, &full, by_inputs ? &moments : NULL, error) ||
        (by_inputs && keep_mean(f, &stack, &moments, error)))
        goto done;
    f->method = target->method;
    f->bias = stack.bias;
    stack.bias = NULL;
    *family = f;
    result = 0;
done:
    attn_stack_free(&stack);
    attn_moments_free(&moments);
    if (result)
        attn_family_free(f);
    return result;
}

void attn_family_free(attn_family *f) {
    if (!f)
        return;
    attn_factors_free(&f->full);
    attn_free(f->bias);
    attn_free(f->mean);
    attn_free(f->wanted);
    attn_free(f);
}

/* Where latent dimension r of a smaller rank is in the largest. */
static size_t place_of(const attn_family *f, size_t r, size_t rank) {
    bool is_value = f->method == ATTN_CONVERT_SPLIT && r >= rank / 2;
    return is_value ? f->full.d_model / 2 + r - rank / 2 : r;
}

/* The factors of a rank, rounded to what a checkpoint would hold. */
static void take_part(double *compress, double *expand, const attn_family *f, size_t rank) {
    size_t d = f->full.d_model;
    for (size_t r = 0; r < rank; r++) {
        size_t from = place_of(f, r, rank);
        for (size_t i = 0; i < d; i++)
            compress[r * d + i] = (double)(float)f->full.compress[from * d + i];
        for (size_t row = 0; row < 2 * d; row++)
            expand[row * rank + r] = (double)(float)f->full.expand[row * d + from];
    }
}

static void write_half(attn_linear *w, const double *weight, const double *bias, size_t d) {
    for (size_t i = 0; i < d * d; i++)
        w->weight[i] = (float)weight[i];
    for (size_t i = 0; w->bias && i < d; i++)
        w->bias[i] = (float)bias[i];
}

int attn_family_fold(attn_layer *mha, const attn_family *f, size_t latent_dim, attn_error *error) {
    size_t d = f->full.d_model;
    if (latent_dim < 1 || latent_dim > d)
        return attn_fail(error, "latent_dim: found %zu, expected 1 to %zu", latent_dim, d);
    double *compress = attn_matrix_new(latent_dim, d, error),
           *expand = attn_matrix_new(2 * d, latent_dim, error);
    double *weight = attn_matrix_new(2 * d, d, error), *bias = attn_matrix_new(2, d, error);
    int result = -1;
    if (!compress || !expand || !weight || !bias)
        goto done;
    take_part(compress, expand, f, latent_dim);
    attn_matrix_multiply(weight, expand, false, compress, false, 2 * d, d, latent_dim);
    if (f->mean)
        attn_matrix_multiply(bias, weight, false, f->mean, false, 2 * d, 1, d);
    for (size_t i = 0; i < 2 * d; i++)
        bias[i] = f->bias[i] + (f->mean ? f->wanted[i] - bias[i] : 0.0);
    write_half(&mha->k_proj, weight, bias, d);
    write_half(&mha->v_proj, weight + d * d, bias + d, d);
    result = 0;
done:
    attn_free(compress);
    attn_free(expand);
    attn_free(weight);
    attn_free(bias);
    return result;
}
