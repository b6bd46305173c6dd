/* Sinusoids of positions: Vaswani et al. 2017, section 3.5. Of position p, columns 2i and 2i + 1 are
 * sin(p / 10000^(2i / d_model)) and cos(p / 10000^(2i / d_model)). */
#ifndef ATTN_POSITIONS_H
#define ATTN_POSITIONS_H

#include "attn/error.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The angle from a position to the next in this column, in radians: 10000^(-2i / d_model) of columns 2i and 2i + 1. */
double attn_position_step(size_t column, size_t d_model);

/* table [count, d_model], the caller's: row r is position first + r, which may be negative (the true sine of
 * a negative angle). d_model may be odd. */
void attn_positions(float *table, long first, size_t count, size_t d_model);

enum { ATTN_SINUSOIDS_FINE = 256 };

/* d_model, rounded up to pairs of sin and cos. */
static inline size_t attn_sinusoids_width(size_t d_model) {
    return d_model + d_model % 2;
}

/* The sinusoids of positions -reach .. reach, to float rounding, in a table of O((reach / 256 + 256) d_model)
 * floats: s(a + b) is made from s(a), a multiple of 256, and s(b), b below 256, by the addition theorem. */
typedef struct attn_sinusoids {
    size_t d_model, width; /* of a row: attn_sinusoids_width */
    size_t reach;
    float *fine;   /* [256, width]: positions 0..255; all sines of a row come before its cosines */
    float *coarse; /* [.., width], in the same block: multiples of 256 from -reach - 256, rounded down, on */
} attn_sinusoids;

size_t attn_sinusoids_floats(size_t reach, size_t d_model); /* of both tables */
/* Returns 0, or -1 and an error when memory is refused. Free with attn_sinusoids_free. */
int attn_sinusoids_init(attn_sinusoids *s, size_t reach, size_t d_model, attn_error *error);
void attn_sinusoids_free(attn_sinusoids *s); /* a zeroed one is fine too */

/* row [width], the caller's: position p, -reach - 256 .. reach, sin and cos interleaved as attn_positions has
 * them. */
void attn_sinusoids_row(const attn_sinusoids *s, float *row, long p);
/* The same with all sines before all cosines. */
void attn_sinusoids_halves(const attn_sinusoids *s, float *row, long p);

/* Positions through a layer's linear_pos, kept from call to call, in the order of keys: number r is position first - r
 * under rel_pos, first + r under rel_pos_wenet. Each head has its own, in panels [d_k, 16] of 16 positions, one
 * after the other, the last one filled up with zeros. */
typedef struct attn_projected {
    const float *panels; /* the caller's; NULL: none */
    long first;
    size_t count;
} attn_projected;

#ifdef __cplusplus
}
#endif
#endif
