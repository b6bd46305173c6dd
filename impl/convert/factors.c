/* The methods: a rank-R map that stands in for the keys' and values' weights. */
#include "attn/alloc.h"
#include "impl/convert/basis.h"
#include "impl/convert/layer.h"
#include "impl/convert/matrix.h"

#include <math.h>
#include <string.h>

int attn_key_weight(double *weight, const attn_stack *stack, bool balance, const double *root,
                    attn_error *error) {
    size_t d = stack->d_model;
    *weight = 1.0;
    if (!balance)
        return 0;
    double *produced = root ? attn_matrix_new(2 * d, d, error) : NULL;
    if (root && !produced)
        return -1;
    if (root)
        attn_matrix_multiply(produced, stack->weight, false, root, false, 2 * d, d, d);
    const double *from = root ? produced : stack->weight;
    double keys = attn_matrix_norm2(from, d * d), values = attn_matrix_norm2(from + d * d, d * d);
    if (keys > 0.0 && values > 0.0)
        *weight = sqrt(values / keys);
    attn_free(produced);
    return 0;
}

double *attn_weigh(const attn_stack *stack, double key_weight, attn_error *error) {
    size_t half = stack->d_model * stack->d_model;
    double *weighed = attn_matrix_new(2, half, error);
    for (size_t i = 0; weighed && i < 2 * half; i++)
        weighed[i] = stack->weight[i] * (i < half ? key_weight : 1.0);
    return weighed;
}

/* joint, activation: C = U_R^T W, E = U_R. */
static int take_leading(attn_factors *f, const attn_stack *stack, bool balance, const double *root,
                        attn_error *error) {
    size_t d = f->d_model, rank = f->rank;
    attn_basis basis = {0};
    double weight, *weighed = NULL;
    int result = -1;
    if (attn_key_weight(&weight, stack, balance, root, error) ||
        !(weighed = attn_weigh(stack, weight, error)))
        goto done;
    if (attn_basis_make(&basis, weighed, 2 * d, d, root, error))
        goto done;
    memcpy(f->compress, basis.along, rank * d * sizeof *f->compress);
    for (size_t row = 0; row < 2 * d; row++)
        for (size_t r = 0; r < rank; r++)
            f->expand[row * rank + r] = basis.left[row * d + r] / (row < d ? weight : 1.0);
    result = 0;
done:
    attn_basis_free(&basis);
    attn_free(weighed);
    return result;
}

/* The error that the mean input would have goes into the biases. */
static int correct_biases(attn_factors *f, const attn_stack *stack, const attn_moments *moments,
                          attn_error *error) {
    size_t d = f->d_model, rank = f->rank;
    double *latent = attn_matrix_new(1, rank, error), *got = attn_matrix_new(2, d, error);
    double *wanted = attn_matrix_new(2, d, error);
    int result = latent && got && wanted ? 0 : -1;
    if (!result) {
        attn_matrix_multiply(latent, f->compress, false, moments->mean, false, rank, 1, d);
        attn_matrix_multiply(got, f->expand, false, latent, false, 2 * d, 1, rank);
        attn_matrix_multiply(wanted, stack->weight, false, moments->mean, false, 2 * d, 1, d);
        for (size_t i = 0; i < 2 * d; i++)
            f->bias[i] += moments->mean_trust * (wanted[i] - got[i]);
    }
    attn_free(latent);
    attn_free(got);
    attn_free(wanted);
    return result;
}

static int activation(attn_factors *f, const attn_stack *stack, const attn_convert_target *target,
                      const attn_moments *moments, attn_error *error) {
    if (!moments)
        return attn_fail(error, "method activation: needs inputs to measure");
    double *root = attn_matrix_new(f->d_model, f->d_model, error);
    int result = -1;
    if (root && !attn_moments_root(root, moments, moments->unseen, error) &&
        !take_leading(f, stack, target->balance, root, error))
        result = correct_biases(f, stack, moments, error);
    attn_free(root);
    return result;
}

/* Keys and values by themselves. */
typedef struct attn_halves {
    attn_basis of[2];
} attn_halves;

static int make_halves(attn_halves *halves, const attn_stack *stack, attn_error *error) {
    size_t d = stack->d_model;
    for (size_t half = 0; half < 2; half++)
        if (attn_basis_make(&halves->of[half], stack->weight + half * d * d, d, d, NULL, error))
            return -1;
    return 0;
}

static void split(attn_factors *f, const attn_halves *halves) {
    size_t d = f->d_model;
    for (size_t half = 0; half < 2; half++) {
        const attn_basis *basis = &halves->of[half];
        size_t rank = half ? f->rank - f->rank / 2 : f->rank / 2, first = half ? f->rank / 2 : 0;
        memcpy(f->compress + first * d, basis->along, rank * d * sizeof *f->compress);
        for (size_t row = 0; row < d; row++)
            memcpy(f->expand + (half * d + row) * f->rank + first, basis->left + row * d,
                   rank * sizeof *f->expand);
    }
}

/* -1 when the entry that is largest in absolute value is negative. */
static double sign_of(const double *row, size_t count) {
    double largest = 0.0;
    for (size_t i = 0; i < count; i++)
        if (fabs(row[i]) > fabs(largest))
            largest = row[i];
    return largest < 0.0 ? -1.0 : 1.0;
}

static void average(attn_factors *f, const attn_halves *halves) {
    size_t d = f->d_model;
    for (size_t half = 0; half < 2; half++)
        for (size_t r = 0; r < f->rank; r++) {
            const attn_basis *basis = &halves->of[half];
            const double *along = basis->along + r * d;
            double root = sqrt(basis->sigma[r]) * sign_of(along, d);
            for (size_t i = 0; i < d && root != 0.0; i++)
                f->compress[r * d + i] += 0.5 * along[i] / root;
            for (size_t row = 0; row < d; row++)
                f->expand[(half * d + row) * f->rank + r] = basis->left[row * d + r] * root;
        }
}

static int apart(attn_factors *f, const attn_stack *stack, attn_convert_method method, attn_error *error) {
    attn_halves halves = {0};
    int result = make_halves(&halves, stack, error);
    if (!result)
        (method == ATTN_CONVERT_SPLIT ? split : average)(f, &halves);
    attn_basis_free(&halves.of[0]);
    attn_basis_free(&halves.of[1]);
    return result;
}

int attn_factors_make(attn_factors *f, const attn_stack *stack, const attn_convert_target *target,
                      const attn_moments *moments, attn_error *error) {
    size_t d = stack->d_model, rank = target->latent_dim;
    *f = (attn_factors){.rank = rank, .d_model = d};
    f->compress = attn_matrix_new(rank, d, error);
    f->expand = attn_matrix_new(2 * d, rank, error);
    f->bias = attn_matrix_new(2, d, error);
    if (!f->compress || !f->expand || !f->bias)
        return -1;
    memcpy(f->bias, stack->bias, 2 * d * sizeof *f->bias);
    switch (target->method) {
    case ATTN_CONVERT_JOINT:
        return take_leading(f, stack, target->balance, NULL, error);
    case ATTN_CONVERT_ACTIVATION:
        return activation(f, stack, target, moments, error);
    default:
        return apart(f, stack, target->method, error);
    }
}

void attn_factors_free(attn_factors *f) {
    attn_free(f->compress);
    attn_free(f->expand);
    attn_free(f->bias);
    *f = (attn_factors){0};
}
