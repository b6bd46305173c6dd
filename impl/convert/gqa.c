/* Grouped queries out of multi-head attention: Ainslie et al. 2023, section 2.1. */
#include "attn/alloc.h"
#include "impl/convert/layer.h"
#include "impl/convert/matrix.h"

#include <string.h>

enum { MOST_SWEEPS = 50 };

/* distance [h, h] += weight |z_i - z_j|^2 over blocks of `size` floats, one a head. */
static int add_distances(double *distance, const double *z, size_t heads, size_t size, double weight,
                         attn_error *error) {
    double *gram = attn_matrix_new(heads, heads, error);
    if (!gram)
        return -1;
    attn_matrix_multiply(gram, z, false, z, true, heads, heads, size);
    for (size_t i = 0; i < heads; i++)
        for (size_t j = 0; j < heads; j++)
            distance[i * heads + j] += weight * (gram[i * heads + i] + gram[j * heads + j] -
                                                 gram[i * heads + j] - gram[j * heads + i]);
    attn_free(gram);
    return 0;
}

/* What heads produce on the inputs, compared: keys without their means (a term that is the same for every key
 * is nothing to softmax), values with theirs. */
static int compare_heads(double *distance, const attn_stack *stack, const attn_geometry *g, bool balance,
                         const attn_moments *moments, attn_error *error) {
    size_t d = stack->d_model, heads = g->num_heads, d_k = attn_head_dim(g);
    double *root = attn_matrix_new(d, d, error), *produced = attn_matrix_new(2 * d, d, error);
    double *mean = attn_matrix_new(1, d, error), weight;
    int result = -1;
    if (!root || !produced || !mean || attn_moments_root(root, moments, moments->unseen, error) ||
        attn_key_weight(&weight, stack, balance, root, error))
        goto done;
    attn_matrix_multiply(produced, stack->weight, false, root, false, 2 * d, d, d);
    attn_matrix_multiply(mean, stack->weight + d * d, false, moments->mean, false, d, 1, d);
    for (size_t i = 0; i < d; i++)
        mean[i] += stack->bias[d + i];
    if (!add_distances(distance, produced, heads, d_k * d, weight * weight, error) &&
        !add_distances(distance, produced + d * d, heads, d_k * d, 1.0, error))
        result = add_distances(distance, mean, heads, d_k, 1.0, error);
done:
    attn_free(root);
    attn_free(produced);
    attn_free(mean);
    return result;
}

/* Sum of distances from one head to those at places first .. first + size - 1, but for the place
 * `without`. */
static double to_group(const double *distance, const size_t *order, size_t heads, size_t head, size_t first,
                       size_t size, size_t without) {
    double sum = 0.0;
    for (size_t p = first; p < first + size; p++)
        if (p != without)
            sum += distance[head * heads + order[p]];
    return sum;
}

/* Swaps heads between groups while that brings the heads of groups together. */
static void improve(size_t *order, const double *distance, size_t heads, size_t size) {
    bool changed = true;
    for (size_t sweep = 0; changed && sweep < MOST_SWEEPS; sweep++) {
        changed = false;
        for (size_t p = 0; p < heads; p++)
            for (size_t q = (p / size + 1) * size; q < heads; q++) {
                size_t a = order[p], b = order[q], of_a = p / size * size, of_b = q / size * size;
                double now = to_group(distance, order, heads, a, of_a, size, p) +
                             to_group(distance, order, heads, b, of_b, size, q);
                double then = to_group(distance, order, heads, b, of_a, size, p) +
                              to_group(distance, order, heads, a, of_b, size, q);
                if (then < now * (1.0 - 1e-12)) {
                    order[p] = b;
                    order[q] = a;
                    changed = true;
                }
            }
    }
}

/* Each group starts at the first head that is free and takes the nearest ones. */
static void greedy(size_t *order, const double *distance, size_t heads, size_t size) {
    for (size_t p = 0; p < heads; p++) {
        size_t best = p;
        for (size_t q = p + 1; p % size && q < heads; q++)
            if (distance[order[p - p % size] * heads + order[q]] <
                distance[order[p - p % size] * heads + order[best]])
                best = q;
        size_t head = order[best]; /* the rest keep their order */
        memmove(order + p + 1, order + p, (best - p) * sizeof *order);
        order[p] = head;
    }
}

static double within(const size_t *order, const double *distance, size_t heads, size_t size) {
    double sum = 0.0;
    for (size_t p = 0; p < heads; p++)
        sum += to_group(distance, order, heads, order[p], p / size * size, size, p);
    return sum;
}

int attn_group_heads(size_t *order, const attn_stack *stack, const attn_geometry *g,
                     const attn_convert_target *target, const attn_moments *moments, attn_error *error) {
    size_t heads = g->num_heads, size = heads / target->num_kv_heads;
    for (size_t i = 0; i < heads; i++)
        order[i] = i;
    if (target->method != ATTN_CONVERT_ACTIVATION || size == 1 || size == heads)
        return 0;
    if (!moments)
        return attn_fail(error, "method activation: needs inputs to measure");
    double *distance = attn_matrix_new(heads, heads, error);
    size_t *other = attn_alloc(heads, sizeof *other, "order of heads", error);
    int result = -1;
    if (distance && other && !compare_heads(distance, stack, g, target->balance, moments, error)) {
        memcpy(other, order, heads * sizeof *order);
        improve(order, distance, heads, size);
        greedy(other, distance, heads, size);
        improve(other, distance, heads, size);
        if (within(other, distance, heads, size) < within(order, distance, heads, size))
            memcpy(order, other, heads * sizeof *order);
        result = 0;
    }
    attn_free(distance);
    attn_free(other);
    return result;
}

static void pool(attn_linear *to, const double *weight, const double *bias, const attn_geometry *g,
                 const size_t *order) {
    size_t d = g->d_model, d_k = attn_head_dim(g), size = g->num_heads / g->num_kv_heads;
    for (size_t row = 0; row < g->num_kv_heads * d_k; row++) {
        const size_t *group = order + row / d_k * size;
        double sum = 0.0;
        for (size_t i = 0; i < d; i++) {
            sum = 0.0;
            for (size_t m = 0; m < size; m++)
                sum += weight[(group[m] * d_k + row % d_k) * d + i];
            to->weight[row * d + i] = (float)(sum / (double)size);
        }
        sum = 0.0;
        for (size_t m = 0; m < size; m++)
            sum += bias[group[m] * d_k + row % d_k];
        to->bias[row] = (float)(sum / (double)size);
    }
}

/* Rows of heads, each d_k rows of `width` floats, in a new order. */
static void reorder_rows(float *to, const float *from, const attn_geometry *g, const size_t *order,
                         size_t width) {
    size_t block = attn_head_dim(g) * width;
    for (size_t p = 0; to && from && p < g->num_heads; p++)
        memcpy(to + p * block, from + order[p] * block, block * sizeof *to);
}

void attn_pool_heads(attn_layer *to, const attn_layer *mha, const attn_stack *stack, const size_t *order) {
    const attn_geometry *g = &to->geometry;
    size_t d = g->d_model, d_k = attn_head_dim(g);
    attn_copy_queries(to, mha);
    reorder_rows(to->q_proj.weight, mha->q_proj.weight, g, order, d);
    reorder_rows(to->q_proj.bias, mha->q_proj.bias, g, order, 1);
    reorder_rows(to->linear_pos.weight, mha->linear_pos.weight, g, order, d);
    reorder_rows(to->pos_bias_u, mha->pos_bias_u, g, order, 1);
    reorder_rows(to->pos_bias_v, mha->pos_bias_v, g, order, 1);
    for (size_t row = 0; row < d; row++)
        for (size_t p = 0; p < g->num_heads; p++)
            memcpy(to->out_proj.weight + row * d + p * d_k, mha->out_proj.weight + row * d + order[p] * d_k,
                   d_k * sizeof(float));
    pool(&to->k_proj, stack->weight, stack->bias, g, order);
    pool(&to->v_proj, stack->weight + d * d, stack->bias + d, g, order);
}
