/* Levels of a memory found in a curve of latency against working set, by themselves: what the kernel says of caches
 * may hold for a whole socket of which a virtual machine has a share. */
#ifndef HARNESS_MACHINE_PLATEAUS_H
#define HARNESS_MACHINE_PLATEAUS_H

#include <stdbool.h>
#include <stddef.h>

/* A level is at least this many times as slow as the one before it. */
#define PLATEAU_STEP 1.8

typedef struct curve_point {
    double bytes, ns;
} curve_point;

typedef struct plateau {
    double from, to; /* bytes: the smallest and the largest measured set that is in it */
    double ns;       /* the least of its points */
    bool last;       /* the largest of all sets is in it */
} plateau;

/* `points` by ascending bytes. Working sets over which the curve is flat, from one to at least its double, are a
 * plateau; one that is less than 1.8 times as slow as the plateau before it is a part of that. What lies between
 * two of them belongs to none: there a set is partly in either level. A point that is slower than a larger set was
 * disturbed, and counts as that. Returns how many there are, `most` at most. */
size_t plateaus_find(plateau *found, size_t most, const curve_point *points, size_t count);

#endif
