#include "reports/plots/figure_style.h"

#include <string.h>

/* Readable on white and on black, and apart from each other in grey. */
static const char *const colours[] = {"#3b82d6", "#d9730d", "#2c9c62", "#9d63d8", "#d4456c", "#8d8150"};
static const int point_types[] = {7, 5, 9, 13, 11, 15};
enum { STYLES = 6 };

static size_t style_of(const measured *m) {
    size_t at = 0;
    while (attn_variants[at] && attn_variants[at] != m->variant)
        at++;
    return at < STYLES ? at : STYLES - 1;
}

const char *figure_colour(const measured *m) {
    return colours[style_of(m)];
}

int figure_point_type(const measured *m) {
    return point_types[style_of(m)];
}

void figure_safe_text(char *to, size_t size, const char *from) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;/()+-=_@";
    size_t n = 0;
    for (; *from && n + 1 < size; from++)
        to[n++] = strchr(plain, *from) ? *from : '?';
    to[n] = '\0';
}
