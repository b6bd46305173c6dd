#include "reports/plots/look/end_labels.h"

#include "reports/plots/figure_style.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 200, HEIGHT = 15 }; /* pixels of a label's text */

void end_label_add(end_label *labels, size_t *count, double y, const char *text, const char *colour) {
    if (*count == END_LABELS)
        return;
    end_label *made = &labels[(*count)++];
    *made = (end_label){.y = y, .colour = colour};
    figure_safe_text(made->text, sizeof made->text, text);
}

static int by_y(const void *a, const void *b) {
    double p = ((const end_label *)a)->y, q = ((const end_label *)b)->y;
    return (p > q) - (p < q);
}

/* Neighbours that are too near each give way by half of what lacks; often enough, all have room. */
static void push_apart(end_label *labels, size_t count, double gap) {
    for (size_t i = 0; i + 1 < count; i++) {
        double lacking = gap - (labels[i + 1].y - labels[i].y);
        if (lacking <= 0)
            continue;
        labels[i].y -= lacking / 2;
        labels[i + 1].y += lacking / 2;
    }
}

static void keep_inside(end_label *labels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (labels[i].y < 0)
            labels[i].y = 0;
        if (labels[i].y > 1)
            labels[i].y = 1;
    }
}

void end_labels_spread(end_label *labels, size_t count, double gap) {
    if (!count)
        return;
    if (count > 1 && gap * (double)(count - 1) > 1)
        gap = 1 / (double)(count - 1);
    qsort(labels, count, sizeof *labels, by_y);
    for (int i = 0; i < ROUNDS; i++) {
        push_apart(labels, count, gap);
        keep_inside(labels, count);
    }
}

void end_labels_fit(end_label *labels, size_t count, plot_frame *f, double gap) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++)
        longest = strlen(labels[i].text) > longest ? strlen(labels[i].text) : longest;
    f->right = gap + FRAME_LETTER * (double)longest;
    end_labels_spread(labels, count, HEIGHT / (f->height - f->low - f->above));
}

void end_labels_write(FILE *script, const end_label *labels, size_t count) {
    for (size_t i = 0; i < count; i++)
        fprintf(script, "set label '%s' at graph 1.02, graph %.4f left noenhanced font ',13' tc rgb '%s'\n",
                labels[i].text, labels[i].y, labels[i].colour);
}
