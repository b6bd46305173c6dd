/* Rivals: cases that are alike in all but the type of attention and how much of its cache is kept, next to MHA. */
#ifndef REPORTS_DATA_RIVALS_H
#define REPORTS_DATA_RIVALS_H

#include "reports/data/measured.h"

/* A case against MHA's: `bytes` and `time` are parts of MHA's, 1 for MHA itself. */
typedef struct rival {
    const measured *m;
    double bytes, time;
    bool apart; /* measured_apart: their times differ */
} rival;

enum { RIVALS = 24 };

typedef struct rivals {
    size_t count;     /* 0: there is no MHA with a float cache to compare with */
    rival of[RIVALS]; /* MHA first, then in the registry's order, each the fastest of its kind */
} rivals;

/* One layer and one new frame behind the longest context that most types have in common. */
void rivals_decoding(rivals *r, const report_data *data);

/* Whole encoders: the same model, mode and context. `at` counts through the settings there are: streams first, then
 * the Conformer, then most flops; false beyond the last. */
bool rivals_of_encoder(rivals *r, const report_data *data, size_t at);

/* The one whose bytes are nearest to a quarter of MHA's, of the type if there is one, else of any type with less bytes
 * than MHA; NULL when there is none. */
const rival *rivals_quarter(const rivals *r, const char *type);
const rival *rivals_fastest(const rivals *r);
/* The fastest of those that keep as many bytes as `one`, to a percent. */
const rival *rivals_fastest_like(const rivals *r, const rival *one);
const rival *rivals_smallest(const rivals *r);

#endif
