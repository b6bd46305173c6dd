#include "bench/kernel_setup.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "impl/kernels/plain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { AS_DRAWN, OF_KERNEL, OF_PLAIN };

static kernel_operand *find(kernel_setup *s, const char *name) {
    for (size_t i = 0; i < s->operands; i++)
        if (!strcmp(s->operand[i].name, name))
            return &s->operand[i];
    return NULL;
}

static kernel_operand *add(kernel_setup *s, const char *name, kernel_role role, size_t bytes, size_t align) {
    static kernel_operand spare; /* stands in for one that could not be made; the set-up has failed then */
    kernel_operand *o = s->operands < KERNEL_OPERANDS ? &s->operand[s->operands] : &spare;
    if (o == &spare) {
        s->failed = true;
        attn_fail(s->error, "%s: more than %d operands", s->row->name, KERNEL_OPERANDS);
        return o;
    }
    s->operands++;
    *o = (kernel_operand){.name = name, .role = role, .bytes = bytes};
    o->offset = s->draw.gap ? align * attn_random_below(&s->random, 64 / align) : 0;
    for (size_t i = 0; i < (role == KERNEL_IN ? 1 : 3); i++) {
        o->block[i] = attn_alloc(1, o->offset + bytes, name, s->error);
        s->failed |= !o->block[i];
    }
    return o;
}

static void *address(const kernel_setup *s, const kernel_operand *o) {
    static float nothing[1];
    size_t which = o->role == KERNEL_IN ? AS_DRAWN : s->plain ? OF_PLAIN : OF_KERNEL;
    return s->failed ? (void *)nothing : o->block[which] + o->offset;
}

static void draw(kernel_setup *s, float *x, size_t n, int power, bool may_be_nan) {
    attn_random_uniform(x, n, powf(10.0f, (float)power), &s->random);
    if (n && may_be_nan && s->draw.has_nan && attn_random_below(&s->random, 2))
        x[attn_random_below(&s->random, n)] = NAN;
}

static float *floats(kernel_setup *s, const char *name, kernel_role role, size_t count, int power) {
    kernel_operand *o = find(s, name);
    if (!o) {
        o = add(s, name, role, count * sizeof(float), sizeof(float));
        if (!s->failed)
            draw(s, (float *)(void *)(o->block[AS_DRAWN] + o->offset), count, power,
                 role == KERNEL_IN || role == KERNEL_INOUT);
    }
    return address(s, o);
}

static float *positive(kernel_setup *s, const char *name, size_t count) {
    float *x = floats(s, name, KERNEL_IN, count, 0);
    for (size_t i = 0; !s->failed && i < count; i++)
        x[i] = fabsf(x[i]);
    return x;
}

/* Rows of a cache's type. */
static void *cache(kernel_setup *s, const char *name, size_t rows, size_t width, int power) {
    kernel_operand *o = find(s, name);
    if (o)
        return address(s, o);
    size_t stride = attn_element_row_bytes(s->draw.type, width);
    s->has_cache = true;
    o = add(s, name, KERNEL_IN, rows * stride, s->draw.type == ATTN_ELEMENT_F32 ? 4 : 2);
    float *row = attn_alloc(width, sizeof *row, name, s->error);
    s->failed |= !row;
    for (size_t r = 0; !s->failed && r < rows; r++) {
        draw(s, row, width, power, r == rows / 2);
        attn_element_store(o->block[AS_DRAWN] + o->offset + r * stride, row, width, s->draw.type);
    }
    attn_free(row);
    return address(s, o);
}

#define IN(name, count) floats(s, #name, KERNEL_IN, count, 0)
#define IN_LARGE(name, count) floats(s, #name, KERNEL_IN, count, s->draw.magnitude)
#define IN_SMALL(name, count) floats(s, #name, KERNEL_IN, count, -s->draw.magnitude)
#define IN_POSITIVE(name, count) positive(s, #name, count)
#define OUT(name, count) floats(s, #name, KERNEL_OUT, count, 0)
#define INOUT(name, count) floats(s, #name, KERNEL_INOUT, count, 0)
#define WORK(name, count) floats(s, #name, KERNEL_WORK, count, 0)
#define CACHE(name, rows, width) cache(s, #name, rows, width, 0)
#define CACHE_SMALL(name, rows, width) cache(s, #name, rows, width, -s->draw.magnitude)
#define LD(width) ((width) + s->draw.gap)
#define FLAG (s->draw.flag)
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define SIZES                                                                                                \
    size_t m = s->draw.size[0], n = s->draw.size[1], k = s->draw.size[2], p = s->draw.size[3];               \
    attn_element type = s->draw.type;                                                                        \
    (void)m, (void)n, (void)k, (void)p, (void)type;

/* Once without the call: all of its arguments, which makes the operands. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-value"
#define F(...) ((__VA_ARGS__), 0.0f)
#define KERNEL(name, function, most, typical, flops, bytes, tolerance, ...)                                  \
    static void operands_##name(kernel_setup *s) {                                                           \
        SIZES                                                                                                \
        __VA_ARGS__;                                                                                         \
    }
#include "impl/kernels/kernels.inc"
#undef KERNEL
#undef F
#pragma GCC diagnostic pop

#define KERNEL(name, function, most, typical, flops, bytes, tolerance, ...)                                  \
    static void run_##name(kernel_setup *s) {                                                                \
        __typeof__(*(function)) *F = s->plain ? attn_plain_##name : (function);                              \
        SIZES                                                                                                \
        __VA_ARGS__;                                                                                         \
    }                                                                                                        \
    static double flops_of_##name(const kernel_setup *s) {                                                   \
        SIZES                                                                                                \
        return (double)(flops);                                                                              \
    }                                                                                                        \
    static double bytes_of_##name(const kernel_setup *s) {                                                   \
        SIZES                                                                                                \
        return (double)(bytes);                                                                              \
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* sizes of a formula are far below 2^53 */
#include "impl/kernels/kernels.inc"
#undef KERNEL
#pragma GCC diagnostic pop

#define LIST(...)                                                                                            \
    { __VA_ARGS__ }
#define KERNEL(name_, function, most_, typical_, flops_, bytes_, tolerance_, ...)                            \
    {.name = #name_,                                                                                         \
     .most = LIST most_,                                                                                     \
     .typical = LIST typical_,                                                                               \
     .tolerance = tolerance_,                                                                                \
     .operands = operands_##name_,                                                                           \
     .run = run_##name_,                                                                                     \
     .flops = flops_of_##name_,                                                                              \
     .bytes = bytes_of_##name_},
const kernel_row kernel_rows[] = {
#include "impl/kernels/kernels.inc"
    {.name = NULL}};
#undef KERNEL

int kernel_setup_init(kernel_setup *s, const kernel_row *row, const kernel_draw *drawn, attn_error *error) {
    *s = (kernel_setup){.row = row, .draw = *drawn, .random = drawn->seed, .error = error};
    row->operands(s);
    return s->failed ? -1 : 0;
}

void kernel_setup_free(kernel_setup *s) {
    for (size_t i = 0; i < s->operands; i++)
        for (size_t j = 0; j < 3; j++)
            attn_free(s->operand[i].block[j]);
    *s = (kernel_setup){0};
}

void kernel_setup_restore(kernel_setup *s, bool plain) {
    s->plain = plain;
    for (size_t i = 0; i < s->operands; i++) {
        kernel_operand *o = &s->operand[i];
        if (o->role != KERNEL_IN)
            memcpy(o->block[plain ? OF_PLAIN : OF_KERNEL], o->block[AS_DRAWN], o->offset + o->bytes);
    }
}

void kernel_setup_run(kernel_setup *s, bool plain) {
    kernel_setup_restore(s, plain);
    s->row->run(s);
}

/* A NaN of the reference must come out as one; with a NaN among what was read, more numbers may be NaN. */
static double error_of(float a, float b, double unit, bool has_nan) {
    if (b != b || (has_nan && a != a))
        return a != a ? 0.0 : (double)NAN;
    return a == b ? 0.0 : fabs((double)a - b) / unit;
}

bool kernel_setup_agrees(const kernel_setup *s, double *max_error, char *what, size_t size) {
    *max_error = 0.0;
    for (size_t i = 0; i < s->operands; i++) {
        const kernel_operand *o = &s->operand[i];
        if (o->role != KERNEL_OUT && o->role != KERNEL_INOUT)
            continue;
        const float *a = (const float *)(const void *)(o->block[OF_KERNEL] + o->offset);
        const float *b = (const float *)(const void *)(o->block[OF_PLAIN] + o->offset);
        double largest = 1.0; /* what is read is of size 1, or of sizes that cancel */
        for (size_t j = 0; j < o->bytes / sizeof *b; j++)
            largest = fabs((double)b[j]) > largest ? fabs((double)b[j]) : largest;
        for (size_t j = 0; j < o->bytes / sizeof *b; j++) {
            double error = error_of(a[j], b[j], fabs((double)b[j]) + largest, s->draw.has_nan);
            *max_error = error <= *max_error ? *max_error : error;
            if (error <= s->row->tolerance)
                continue;
            snprintf(what, size, "%s[%zu] is %g, expected %g", o->name, j, (double)a[j], (double)b[j]);
            return false;
        }
    }
    return true;
}
