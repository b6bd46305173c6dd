#include "reports/plots/figure_style.h"

#include <string.h>

enum { STYLES = 6 };
static const int point_types[STYLES] = {7, 5, 9, 13, 11, 15};

/* First those of types and lines: dark enough for text on white, and apart for readers who see few colours. */
const figure_paint figure_paints[] = {
    {"#1f5fbf", "--c0"},     {"#a85400", "--c1"},     {"#00756a", "--c2"},       {"#7b3fb8", "--c3"},
    {"#b3245f", "--c4"},     {"#6b6130", "--c5"},     {FIGURE_BOUND, "--bound"}, {FIGURE_GUIDE, "--guide"},
    {"#808080", "--axis"},   {"#d0d0d0", "--grid"},   {FIGURE_PART_0, "--p0"},   {FIGURE_PART_1, "--p1"},
    {FIGURE_PART_2, "--p2"}, {FIGURE_PART_3, "--p3"}, {FIGURE_PART_4, "--p4"},   {NULL, NULL}};

static size_t style_of(const measured *m) {
    size_t at = measured_type_rank(m);
    return at < STYLES ? at : STYLES - 1;
}

const char *figure_colour(const measured *m) {
    return figure_paints[style_of(m)].colour;
}

const char *figure_line_colour(size_t line) {
    return figure_paints[line % STYLES].colour;
}

int figure_point_type(const measured *m) {
    return point_types[style_of(m)];
}

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;/()+-=_@%^";

/* `also`: another character that may stand, or '\0'. */
static void keep_plain(char *to, size_t size, const char *from, char also) {
    size_t n = 0;
    for (; *from && n + 1 < size; from++)
        to[n++] = *from == also || strchr(plain, *from) ? *from : '?';
    to[n] = '\0';
}

void figure_safe_text(char *to, size_t size, const char *from) {
    keep_plain(to, size, from, '\0');
}

void figure_safe_title(char *to, size_t size, const char *from) {
    keep_plain(to, size, from, '\'');
}
