#include "harness/machine/plateaus.h"

static const double FLAT = 1.25, SPAN = 2;

/* Of this set and all larger ones. */
static double least_from(const curve_point *points, size_t count, size_t at) {
    double least = points[at].ns;
    for (size_t i = at + 1; i < count; i++)
        if (points[i].ns < least)
            least = points[i].ns;
    return least;
}

/* Adds one, or makes the one before it longer. */
static size_t add(plateau *found, size_t count, size_t most, plateau next) {
    if (count && next.ns < PLATEAU_STEP * found[count - 1].ns) {
        found[count - 1].to = next.to;
        found[count - 1].last = next.last;
        return count;
    }
    if (count < most)
        found[count++] = next;
    return count;
}

size_t plateaus_find(plateau *found, size_t most, const curve_point *points, size_t count) {
    size_t plateaus = 0;
    for (size_t i = 0, end; i < count; i = end) {
        double ns = least_from(points, count, i);
        for (end = i + 1; end < count && least_from(points, count, end) <= FLAT * ns; end++)
            continue;
        if (points[end - 1].bytes >= SPAN * points[i].bytes)
            plateaus = add(found, plateaus, most,
                           (plateau){points[i].bytes, points[end - 1].bytes, ns, end == count});
        else
            end = i + 1;
    }
    return plateaus;
}
