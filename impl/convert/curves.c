/* How much error each latent dimension takes away, and where to spend a budget of them. */
#include "attn/alloc.h"
#include "impl/convert/basis.h"
#include "impl/convert/layer.h"
#include "impl/convert/matrix.h"

#include <math.h>

/* sigma [d] becomes tails: at i, the sum of sigma_j^2, j >= i. */
static void sum_tails(double *sigma, size_t d) {
    double tail = 0.0;
    for (size_t i = d; i-- > 0;)
        sigma[i] = tail += sigma[i] * sigma[i];
}

static int split_curve(double *left, const attn_stack *stack, double *sigma, attn_error *error) {
    size_t d = stack->d_model;
    for (size_t half = 0; half < 2; half++) {
        if (attn_basis_sigma(sigma, stack->weight + half * d * d, d, d, NULL, error))
            return -1;
        sum_tails(sigma, d);
        for (size_t r = 0; r <= d; r++) { /* r dimensions: keys r / 2 of them, values the rest */
            size_t taken = half ? r - r / 2 : r / 2;
            left[r] += taken < d ? sigma[taken] : 0.0;
        }
    }
    return 0;
}

static int whole_curve(double *left, const attn_stack *stack, bool balance, const double *root, double *sigma,
                       attn_error *error) {
    size_t d = stack->d_model;
    double weight, *weighed = NULL;
    int result = -1;
    if (!attn_key_weight(&weight, stack, balance, root, error) &&
        (weighed = attn_weigh(stack, weight, error)) &&
        !attn_basis_sigma(sigma, weighed, 2 * d, d, root, error)) {
        sum_tails(sigma, d);
        for (size_t r = 0; r < d; r++)
            left[r] = sigma[r];
        result = 0;
    }
    attn_free(weighed);
    return result;
}

static int fill_curve(attn_error_curve *curve, const attn_stack *stack, const attn_convert_target *target,
                      const attn_moments *moments, attn_error *error) {
    size_t d = stack->d_model;
    bool by_inputs = target->method == ATTN_CONVERT_ACTIVATION;
    if (by_inputs && !moments)
        return attn_fail(error, "method activation: needs inputs to measure");
    double *sigma = attn_matrix_new(1, d, error), *root = NULL;
    int result = sigma ? 0 : -1;
    if (!result && by_inputs) {
        root = attn_matrix_new(d, d, error);
        result = root ? attn_moments_root(root, moments, moments->unseen, error) : -1;
    }
    if (!result && target->method == ATTN_CONVERT_SPLIT)
        result = split_curve(curve->left, stack, sigma, error);
    else if (!result)
        result = whole_curve(curve->left, stack, target->balance, root, sigma, error);
    attn_free(sigma);
    attn_free(root);
    return result;
}

int attn_error_curve_make(attn_error_curve *curve, const attn_layer *mha, const attn_convert_target *target,
                          const attn_moments *moments, attn_error *error) {
    size_t d = mha->geometry.d_model;
    attn_stack stack = {0};
    int result = -1;
    *curve = (attn_error_curve){.d_model = d, .step = target->method == ATTN_CONVERT_SPLIT ? 2 : 1};
    curve->left = attn_matrix_new(1, d + 1, error);
    if (!curve->left || attn_stack_make(&stack, mha, attn_variant_find("mha"), error) ||
        fill_curve(curve, &stack, target, moments, error))
        goto done;
    double all = curve->left[0];
    for (size_t r = 0; r <= d && all > 0.0; r++)
        curve->left[r] /= all;
    result = 0;
done:
    attn_stack_free(&stack);
    return result;
}

/* What the layer's next step takes away; -1 when it can have no more. */
static double gain(const attn_error_curve *curve, size_t rank) {
    return rank + curve->step <= curve->d_model ? curve->left[rank] - curve->left[rank + curve->step] : -1.0;
}

/* Gives one more step to the layer that gains most; false when none can have more. */
static bool spend(size_t *ranks, const attn_error_curve *curves, size_t layers, size_t *total) {
    size_t best = layers;
    for (size_t i = 0; i < layers; i++)
        if (curves[i].step <= *total && gain(&curves[i], ranks[i]) >= 0.0 &&
            (best == layers || gain(&curves[i], ranks[i]) > gain(&curves[best], ranks[best])))
            best = i;
    if (best == layers)
        return false;
    ranks[best] += curves[best].step;
    *total -= curves[best].step;
    return true;
}

static size_t start(size_t *ranks, const attn_error_curve *curves, size_t layers) {
    size_t least = 0;
    for (size_t i = 0; i < layers; i++)
        least += ranks[i] = curves[i].step;
    return least;
}

int attn_spread_ranks(size_t *ranks, const attn_error_curve *curves, size_t layers, size_t total,
                      attn_error *error) {
    size_t least = start(ranks, curves, layers);
    if (total < least)
        return attn_fail(error, "%zu latent dimensions are too few for %zu layers, expected at least %zu",
                         total, layers, least);
    total -= least;
    while (spend(ranks, curves, layers, &total))
        ;
    return 0;
}

int attn_spread_for_error(size_t *ranks, const attn_error_curve *curves, size_t layers, double target,
                          attn_error *error) {
    size_t endless = SIZE_MAX;
    start(ranks, curves, layers);
    while (attn_spread_error(ranks, curves, layers) > target)
        if (!spend(ranks, curves, layers, &endless))
            return attn_fail(error, "an error of %g is not reached at any latent_dim (%g is left at d_model)",
                             target, attn_spread_error(ranks, curves, layers));
    return 0;
}

double attn_spread_error(const size_t *ranks, const attn_error_curve *curves, size_t layers) {
    double sum = 0.0;
    for (size_t i = 0; i < layers; i++)
        sum += curves[i].left[ranks[i]] / (double)layers;
    return sqrt(sum);
}
