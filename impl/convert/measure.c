/* How far a layer is from the one that it stands in for, and how near any of its size could be. */
#include "attn/alloc.h"
#include "impl/convert/basis.h"
#include "impl/convert/layer.h"
#include "impl/convert/matrix.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Which of the mha layer's heads each head of `other` is, by its query weights; as they are when those do
 * not decide it. */
static void find_order(size_t *order, const attn_layer *mha, const attn_layer *other) {
    const attn_geometry *g = &mha->geometry;
    size_t heads = g->num_heads, block = attn_head_dim(g) * g->d_model;
    for (size_t p = 0; p < heads; p++) {
        size_t head = 0;
        while (head < heads && memcmp(other->q_proj.weight + p * block, mha->q_proj.weight + head * block,
                                      block * sizeof(float)))
            head++;
        order[p] = head;
    }
    bool each_once = true;
    for (size_t p = 0; p < heads; p++)
        for (size_t q = 0; q <= p; q++)
            each_once &= order[p] < heads && (q == p || order[q] != order[p]);
    for (size_t p = 0; !each_once && p < heads; p++)
        order[p] = p;
}

/* The same heads in another order. */
static int reorder(attn_stack *stack, const attn_layer *mha, const attn_layer *other, attn_error *error) {
    const attn_geometry *g = &mha->geometry;
    size_t d = g->d_model, d_k = attn_head_dim(g);
    size_t *order = attn_alloc(g->num_heads, sizeof *order, "order of heads", error);
    attn_stack from = *stack;
    double *weight = attn_matrix_new(2 * d, d, error), *bias = attn_matrix_new(2, d, error);
    if (!order || !weight || !bias) {
        attn_free(order);
        attn_free(weight);
        attn_free(bias);
        return -1;
    }
    find_order(order, mha, other);
    for (size_t row = 0; row < 2 * d; row++) {
        size_t half = row / d * d, old = half + order[(row - half) / d_k] * d_k + row % d_k;
        memcpy(weight + row * d, from.weight + old * d, d * sizeof *weight);
        bias[row] = from.bias[old];
    }
    attn_free(order);
    attn_stack_free(&from);
    stack->weight = weight;
    stack->bias = bias;
    return 0;
}

static double ratio(double part2, double whole2) {
    return part2 == 0.0 ? 0.0 : sqrt(part2 / whole2);
}

/* The sum of sigma_i^2 from the rank on. */
static double tail(const double *sigma, size_t d, size_t rank) {
    return rank < d ? attn_matrix_norm2(sigma + rank, d - rank) : 0.0;
}

/* Mean squared norm of weight x + bias over the inputs. */
static double produced(const double *weight, const double *bias, const double *root, const double *mean,
                       double *work, size_t d) {
    attn_matrix_multiply(work, weight, false, root, false, 2 * d, d, d);
    double sum = attn_matrix_norm2(work, 2 * d * d);
    attn_matrix_multiply(work, weight, false, mean, false, 2 * d, 1, d);
    for (size_t i = 0; i < 2 * d; i++)
        work[i] += bias[i];
    return sum + attn_matrix_norm2(work, 2 * d);
}

static int measure_produced(attn_convert_report *report, const attn_stack *stack, const attn_stack *lost,
                            const attn_moments *m, double *sigma, attn_error *error) {
    size_t d = stack->d_model;
    double *root = attn_matrix_new(d, d, error), *work = attn_matrix_new(2 * d, d, error);
    int result = -1;
    if (!root || !work || attn_moments_root(root, m, 0.0, error))
        goto done;
    double all = produced(stack->weight, stack->bias, root, m->mean, work, d);
    report->produced_error = ratio(produced(lost->weight, lost->bias, root, m->mean, work, d), all);
    report->frames = m->frames;
    report->few_inputs = m->frames <= d;
    result = 0;
    if (report->latent_dim && !(result = attn_basis_sigma(sigma, stack->weight, 2 * d, d, root, error)))
        report->produced_bound = ratio(tail(sigma, d, report->latent_dim), all);
done:
    attn_free(root);
    attn_free(work);
    return result;
}

static int measure_weights(attn_convert_report *report, const attn_stack *stack, const attn_stack *lost,
                           double *sigma, attn_error *error) {
    size_t d = stack->d_model;
    double all = attn_matrix_norm2(stack->weight, 2 * d * d);
    report->weights_error = ratio(attn_matrix_norm2(lost->weight, 2 * d * d), all);
    if (attn_basis_sigma(sigma, stack->weight, 2 * d, d, NULL, error))
        return -1;
    while (report->weights_rank < d && sigma[report->weights_rank] > (double)FLT_EPSILON * sigma[0])
        report->weights_rank++;
    if (report->latent_dim)
        report->weights_bound = ratio(tail(sigma, d, report->latent_dim), all);
    return 0;
}

int attn_measure_layer(attn_convert_report *report, attn_stack *stack, const attn_layer *mha,
                       const attn_layer *other, const attn_variant *other_variant,
                       const attn_moments *moments, attn_error *error) {
    size_t d = stack->d_model;
    attn_stack lost = {0};
    double *sigma = attn_matrix_new(1, d, error);
    int result = -1;
    *report = (attn_convert_report){.latent_dim = other->geometry.latent_dim,
                                    .weights_error = NAN,
                                    .weights_bound = NAN,
                                    .produced_error = NAN,
                                    .produced_bound = NAN};
    if (!sigma || attn_stack_make(&lost, other, other_variant, error) || reorder(stack, mha, other, error))
        goto done;
    for (size_t i = 0; i < 2 * d * d; i++)
        lost.weight[i] = stack->weight[i] - lost.weight[i];
    for (size_t i = 0; i < 2 * d; i++)
        lost.bias[i] = stack->bias[i] - lost.bias[i];
    result = measure_weights(report, stack, &lost, sigma, error);
    if (!result && moments)
        result = measure_produced(report, stack, &lost, moments, sigma, error);
    if (!report->latent_dim) /* no latent: what a frame keeps */
        report->latent_dim = 2 * attn_head_dim(&mha->geometry) * attn_kv_heads(&other->geometry);
done:
    attn_free(sigma);
    attn_stack_free(&lost);
    return result;
}

int attn_compare_layers(attn_convert_report *report, const attn_layer *mha, const attn_layer *other,
                        const attn_variant *other_variant, const attn_layer_inputs *inputs,
                        attn_error *error) {
    attn_stack stack = {0};
    attn_moments moments = {0};
    bool measured = inputs && inputs->frames;
    int result = -1;
    if (!attn_stack_make(&stack, mha, attn_variant_find("mha"), error) &&
        (!measured || !attn_moments_make(&moments, inputs, mha->geometry.d_model, error)))
        result =
            attn_measure_layer(report, &stack, mha, other, other_variant, measured ? &moments : NULL, error);
    attn_stack_free(&stack);
    attn_moments_free(&moments);
    return result;
}
