#include "reports/plots/figure_style.h"

#include <string.h>

/* Dark enough for text on white, and apart for readers who see few colours. The style sheet has those for dark. */
static const char *const colours[] = {"#1f5fbf", "#a85400", "#00756a", "#7b3fb8", "#b3245f", "#6b6130"};
static const int point_types[] = {7, 5, 9, 13, 11, 15};
enum { STYLES = 6 };

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
    return colours[style_of(m)];
}

const char *figure_line_colour(size_t line) {
    return colours[line % STYLES];
}

int figure_point_type(const measured *m) {
    return point_types[style_of(m)];
}

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;/()+-=_@%^";

void figure_safe_text(char *to, size_t size, const char *from) {
    size_t n = 0;
    for (; *from && n + 1 < size; from++)
        to[n++] = strchr(plain, *from) ? *from : '?';
    to[n] = '\0';
}

void figure_safe_title(char *to, size_t size, const char *from) {
    size_t n = 0;
    for (; *from && n + 1 < size; from++)
        to[n++] = *from == '\'' || strchr(plain, *from) ? *from : '?';
    to[n] = '\0';
}
