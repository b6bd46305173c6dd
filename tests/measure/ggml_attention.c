/* Times ggml's fused attention of one call, in the way of attnbench's case of the core: q queries of h heads against L
 * keys of h_kv heads, d_k 64, one utterance, no mask. Prints the best microseconds of CPU, of all its threads, and of
 * the wall clock of several repetitions. Built and run by ggml_attention.sh.
 *
 *   ggml_attention TYPE L Q H H_KV THREADS */
#include "ggml-cpu.h"
#include "ggml.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { D_K = 64, REPETITIONS = 6 };

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static float *values(size_t count) { /* uniform in -1..1 */
    float *x = malloc(count * sizeof *x);
    for (size_t i = 0; x && i < count; i++)
        x[i] = 2.0f * (float)rand() / (float)RAND_MAX - 1.0f;
    return x;
}

/* Keys or values [H_KV, L, D_K] in the type, which `as_read` gets back as floats. */
static struct ggml_tensor *cache(struct ggml_context *ctx, enum ggml_type type, int64_t keys, int64_t heads,
                                 float *as_read) {
    struct ggml_tensor *t = ggml_new_tensor_3d(ctx, type, D_K, keys, heads);
    ggml_quantize_chunk(type, as_read, t->data, 0, keys * heads, D_K, NULL);
    if (type == GGML_TYPE_F32)
        memcpy(as_read, t->data, ggml_nbytes(t));
    else
        ggml_get_type_traits(type)->to_float(t->data, as_read, keys * heads * D_K);
    return t;
}

/* The largest difference from the plain sum, for the last query of the last head. */
static double error_of(const float *out, const float *q, const float *k, const float *v, size_t keys) {
    double sum = 0.0, context[D_K] = {0.0}, largest = 0.0;
    for (size_t j = 0; j < keys; j++) {
        double score = 0.0;
        for (size_t c = 0; c < D_K; c++)
            score += (double)q[c] * k[j * D_K + c];
        double weight = exp(score / sqrt(D_K));
        sum += weight;
        for (size_t c = 0; c < D_K; c++)
            context[c] += weight * v[j * D_K + c];
    }
    for (size_t c = 0; c < D_K; c++)
        largest = fmax(largest, fabs(context[c] / sum - out[c]));
    return largest;
}

/* One computation, or as many as take a tenth of a second. */
static long iterations(struct ggml_cgraph *graph, struct ggml_cplan *plan) {
    double before = now(CLOCK_MONOTONIC), took;
    long count = 0;
    do {
        ggml_graph_compute(graph, plan);
        took = now(CLOCK_MONOTONIC) - before;
        count++;
    } while (took < 1e5);
    return count;
}

static enum ggml_type type_of(const char *name) {
    return !strcmp(name, "f32")    ? GGML_TYPE_F32
           : !strcmp(name, "f16")  ? GGML_TYPE_F16
           : !strcmp(name, "q8_0") ? GGML_TYPE_Q8_0
                                   : GGML_TYPE_COUNT;
}

int main(int argc, char **argv) {
    enum ggml_type type = argc == 7 ? type_of(argv[1]) : GGML_TYPE_COUNT;
    bool good = type != GGML_TYPE_COUNT;
    for (int i = 2; good && i < argc; i++)
        good = atol(argv[i]) > 0;
    if (!good) {
        fprintf(stderr, "usage: ggml_attention f32|f16|q8_0 L Q H H_KV THREADS\n");
        return 2;
    }
    int64_t keys = atol(argv[2]), queries = atol(argv[3]), heads = atol(argv[4]), kv = atol(argv[5]);
    size_t floats = (size_t)(queries * heads * D_K), cached = (size_t)(keys * kv * D_K);
    struct ggml_context *ctx = ggml_init(
        (struct ggml_init_params){.mem_size = 2 * sizeof(float) * (cached + floats) + ((size_t)1 << 22),
                                  .mem_buffer = NULL,
                                  .no_alloc = false});
    float *kf = values(cached), *vf = values(cached), *qf = values(floats);
    struct ggml_tensor *q = ggml_new_tensor_3d(ctx, GGML_TYPE_F32, D_K, queries, heads);
    memcpy(q->data, qf, floats * sizeof *qf);
    struct ggml_tensor *k = cache(ctx, type, keys, kv, kf), *v = cache(ctx, type, keys, kv, vf);
    struct ggml_tensor *out = ggml_flash_attn_ext(ctx, q, k, v, NULL, 1.0f / sqrtf(D_K), 0.0f, 0.0f);
    struct ggml_cgraph *graph = ggml_new_graph(ctx);
    ggml_build_forward_expand(graph, out);
    struct ggml_cplan plan = ggml_graph_plan(graph, atoi(argv[6]), NULL);
    plan.work_data = malloc(plan.work_size + 64);
    iterations(graph, &plan);
    size_t last = (size_t)(kv - 1) * (size_t)keys * D_K;
    double error =
        error_of((float *)out->data + floats - D_K, qf + floats - D_K, kf + last, vf + last, (size_t)keys);
    if (!(error <= 5e-3)) {
        fprintf(stderr, "ggml_attention: off by %g\n", error);
        return 1;
    }
    double cpu = INFINITY, wall = INFINITY;
    for (int r = 0; r < REPETITIONS; r++) {
        double cpu_before = now(CLOCK_PROCESS_CPUTIME_ID), before = now(CLOCK_MONOTONIC);
        double count = (double)iterations(graph, &plan);
        cpu = fmin(cpu, (now(CLOCK_PROCESS_CPUTIME_ID) - cpu_before) / count);
        wall = fmin(wall, (now(CLOCK_MONOTONIC) - before) / count);
    }
    printf("%.2f %.2f %g\n", cpu, wall, error);
    return 0;
}
