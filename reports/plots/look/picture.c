#include "reports/plots/look/picture.h"

#include "base/text/utf8.h"
#include "reports/plots/figure_style.h"

#include <math.h>
#include <string.h>

enum { TITLE_LINE = 38, SMALL_LINE = 56 }; /* letters of a picture of 420 pixels */

void picture_mark(picture *p, double x, double y, const char *text) {
    const plot_frame *f = &p->frame;
    double at_x = frame_x(f, x), at_y = frame_y(f, y);
    if (!(at_x >= 0 && at_x <= 1 && at_y >= 0 && at_y <= 1))
        return;
    double width = f->width - f->left - f->right, height = f->height - f->low - f->above;
    json_t *mark = json_pack("{s:i, s:i, s:o}", "x", (int)lround(f->left + at_x * width), "y",
                             (int)lround(f->above + (1 - at_y) * height), "text", utf8_json(text));
    if (!p->marks)
        p->marks = json_array();
    json_array_append_new(p->marks, mark);
}

void picture_free(picture *p) {
    json_decref(p->marks);
    *p = (picture){0};
}

/* gnuplot's enhanced text, where an underscore would start a subscript, and an @ take no room; broken at spaces. */
static void write_wrapped(FILE *script, const char *text, size_t line, const char *open, const char *close) {
    fputs(open, script);
    for (size_t used = 0; *text; text++) {
        if (*text == ' ' && used + strcspn(text + 1, " ") >= line) {
            fprintf(script, "%s\\n%s", close, open);
            used = 0;
            continue;
        }
        fprintf(script, "%s%c", strchr("_@^", *text) ? "\\\\" : "", *text);
        used++;
    }
    fputs(close, script);
}

void picture_write_head(FILE *script, const picture *p, const char *name, const char *subtitle,
                        const char *cpu) {
    char title[sizeof p->title], safe[96], basis[sizeof p->basis];
    size_t line = (size_t)p->frame.width * TITLE_LINE / 420,
           small = (size_t)p->frame.width * SMALL_LINE / 420;
    figure_safe_title(title, sizeof title, p->title);
    figure_safe_text(safe, sizeof safe, cpu);
    figure_safe_text(basis, sizeof basis, p->basis);
    frame_write_head(script, name);
    fputs("set title \"", script);
    write_wrapped(script, *title ? title : subtitle, line, "{/:Bold ", "}");
    if (*title) {
        fputs("\\n", script);
        write_wrapped(script, subtitle, small, "{/*0.8 ", "}");
    }
    fputs("\\n", script);
    write_wrapped(script, safe, small, "{/*0.75 ", "}");
    fputs("\\n", script);
    write_wrapped(script, basis, small, "{/*0.75 ", "}");
    fputs("\" enhanced\nset border 3 lc rgb '#808080'\nset tics nomirror textcolor rgb 'black'\n"
          "set grid lt 1 lw 0.5 lc rgb '#d0d0d0'\nset key off\nset pointsize 0.9\n",
          script);
}
