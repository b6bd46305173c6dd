#include "reports/plots/look/name_places.h"

#include <math.h>
#include <string.h>

enum { DIRECTIONS = 24, LINE_STEPS = 60 };
static const double LETTER = 0.0016, HALF_LINE = 0.0019; /* a point of the font's size */
static const double HALF_MARK = 0.022, RINGS[] = {0.03, 0.055, 0.09, 0.13, 0.18, 0.24}, LEADS_FROM = 0.05;
static const double CROSSING = 0.06; /* as bad as being that much farther away */
static const double NEAR = 0.025;
static const double TALLER = 1.25; /* plots are wider than high */

void name_map_box(name_map *m, name_box box) {
    if (m->boxes < NAME_BOXES)
        m->box[m->boxes++] = box;
}

void name_map_mark(name_map *m, spot at) {
    name_map_box(m, (name_box){at.x - HALF_MARK, at.x + HALF_MARK, at.y - HALF_MARK, at.y + HALF_MARK});
}

void name_map_line(name_map *m, spot from, spot to) {
    if (m->lines < NAME_LINES) {
        m->line[m->lines].from = from;
        m->line[m->lines++].to = to;
    }
}

static bool is_free(const name_map *m, const name_box *b) {
    bool inside = b->left > 0 && b->right < 0.99 && b->low > 0.01 && b->high < 1;
    for (size_t i = 0; inside && i < m->boxes; i++)
        if (b->left < m->box[i].right && m->box[i].left < b->right && b->low < m->box[i].high &&
            m->box[i].low < b->high)
            return false;
    return inside;
}

static bool covers(const name_box *b, spot at) {
    return at.x > b->left && at.x < b->right && at.y > b->low && at.y < b->high;
}

static bool crosses(const name_box *b, spot from, spot to) {
    for (int i = 0; i <= LINE_STEPS; i++) {
        double part = (double)i / LINE_STEPS, x = from.x + part * (to.x - from.x),
               y = from.y + part * (to.y - from.y);
        if (covers(b, (spot){x, y}))
            return true;
    }
    return false;
}

/* Over any mark but its own, or any name. */
static bool leads_over(const name_map *m, spot mark, spot to) {
    for (size_t i = 0; i < m->boxes; i++) {
        const name_box *b = &m->box[i];
        if (!covers(b, mark) && crosses(b, mark, to))
            return true;
    }
    return false;
}

/* So near to another mark that it seems to be its name. */
static bool is_near_another(const name_map *m, const name_box *b, spot mark) {
    for (size_t i = 0; i < m->boxes; i++) {
        const name_box *other = &m->box[i];
        if (!covers(other, mark) && b->left < other->right + NEAR && other->left - NEAR < b->right &&
            b->low < other->high + NEAR / 2 && other->low - NEAR / 2 < b->high)
            return true;
    }
    return false;
}

static double cost_of(const name_map *m, const name_box *b, spot mark, double distance) {
    double cost = distance + (is_near_another(m, b, mark) ? CROSSING / 2 : 0);
    for (size_t i = 0; i < m->lines; i++)
        cost += crosses(b, m->line[i].from, m->line[i].to) ? CROSSING : 0;
    return cost;
}

static name_place place_at(spot mark, double distance, int direction) {
    double angle = 2 * 3.14159265358979 * direction / DIRECTIONS, across = cos(angle);
    const char *side = across > 0.3 ? "left" : across < -0.3 ? "right" : "center";
    double beyond = strcmp(side, "center") ? 0 : 0.035; /* a name above or below its mark: half a line more */
    double up = sin(angle) * distance * TALLER;
    return (name_place){.side = side,
                        .at = {mark.x + across * distance, mark.y + up + (up > 0 ? beyond : -beyond)},
                        .leads = distance > LEADS_FROM};
}

static name_box box_at(const name_place *p, size_t letters, double points) {
    double width = LETTER * points * (double)letters, half = HALF_LINE * points;
    double before = !strcmp(p->side, "right") ? width : !strcmp(p->side, "center") ? width / 2 : 0;
    return (name_box){p->at.x - before, p->at.x - before + width, p->at.y - half, p->at.y + half};
}

bool name_map_find(name_map *m, name_place *place, spot mark, size_t letters, double points) {
    double least = INFINITY;
    for (size_t r = 0; r < sizeof RINGS / sizeof *RINGS; r++)
        for (int d = 0; d < DIRECTIONS; d++) {
            name_place one = place_at(mark, RINGS[r], d);
            name_box b = box_at(&one, letters, points);
            if (!is_free(m, &b) || (one.leads && leads_over(m, mark, one.at)))
                continue;
            double cost = cost_of(m, &b, mark, RINGS[r]);
            if (cost < least) {
                least = cost;
                *place = one;
            }
        }
    if (isinf(least))
        return false;
    name_map_box(m, box_at(place, letters, points));
    if (place->leads)
        name_map_line(m, mark, place->at);
    return true;
}
