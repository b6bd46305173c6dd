#include "reports/plots/look/frame.h"

#include <math.h>
#include <string.h>

plot_frame frame_empty(int width, int height, bool log_x, bool log_y) {
    return (plot_frame){.width = width,
                        .height = height,
                        .headroom = 116,
                        .left = 64,
                        .right = 16,
                        .low = 52,
                        .above = 12,
                        .log_x = log_x,
                        .log_y = log_y,
                        .x_least = INFINITY,
                        .x_most = -INFINITY,
                        .y_least = INFINITY,
                        .y_most = -INFINITY};
}

void frame_hold(plot_frame *f, double x, double y) {
    if ((f->log_x && !(x > 0)) || (f->log_y && !(y > 0)) || !isfinite(x) || !isfinite(y))
        return;
    f->x_least = x < f->x_least ? x : f->x_least;
    f->x_most = x > f->x_most ? x : f->x_most;
    f->y_least = y < f->y_least ? y : f->y_least;
    f->y_most = y > f->y_most ? y : f->y_most;
}

static void widen(double *least, double *most, bool is_log, double part) {
    if (is_log) {
        double factor = *most > *least ? pow(*most / *least, part) : 1.5;
        *least /= factor, *most *= factor;
    } else {
        double room = *most > *least ? (*most - *least) * part : 1;
        *least -= room, *most += room;
    }
}

void frame_close(plot_frame *f) {
    if (f->x_least > f->x_most)
        f->x_least = f->y_least = f->log_x || f->log_y ? 0.1 : 0, f->x_most = f->y_most = 1;
    widen(&f->x_least, &f->x_most, f->log_x, 0.05);
    widen(&f->y_least, &f->y_most, f->log_y, 0.08);
    if (!f->log_y)
        f->y_least = 0;
}

static double place(double value, double least, double most, bool is_log) {
    return is_log ? log(value / least) / log(most / least) : (value - least) / (most - least);
}

double frame_x(const plot_frame *f, double x) {
    return place(x, f->x_least, f->x_most, f->log_x);
}

double frame_y(const plot_frame *f, double y) {
    return place(y, f->y_least, f->y_most, f->log_y);
}

void frame_write_head(FILE *script, const char *name) {
    fprintf(script,
            "# gnuplot %s.gp draws %s.svg, .png and .pdf from %s.dat, and %s.page.svg without a title\n"
            "set encoding utf8\nset terminal svg\n",
            name, name, name, name);
}

void frame_write(FILE *script, const plot_frame *f) {
    if (f->log_x)
        fputs("set logscale x\n", script);
    if (f->log_y)
        fputs("set logscale y\n", script);
    fprintf(script, "set xrange [%.10g:%.10g]\nset yrange [%.10g:%.10g]\n", f->x_least, f->x_most, f->y_least,
            f->y_most);
    fprintf(script, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", f->left / f->width,
            1 - f->right / f->width);
}

void frame_write_axis_names(FILE *script, const plot_frame *f, const char *x, const char *y) {
    double wide = f->width - f->left - f->right, high = f->height - f->low - f->above;
    fprintf(script,
            "set label '%s' at graph 0.5,%.4f center noenhanced tc rgb 'black'\n"
            "set label '%s' at graph %.4f,0.5 center rotate by 90 noenhanced tc rgb 'black'\n",
            x, -40 / high, y, -(f->left - 10) / wide);
}

bool frame_x_tick_fits(const plot_frame *f, double x, const char *number, double space, double *free_from) {
    double at = (f->width - f->left - f->right) * frame_x(f, x);
    double half = FRAME_LETTER * (double)strlen(number) / 2;
    if (at - half < *free_from)
        return false;
    *free_from = at + half + FRAME_LETTER * space;
    return true;
}

void frame_write_y_ticks(FILE *script, const plot_frame *f) {
    static const double wide[] = {1, 2, 5, 0}, narrow[] = {1, 2, 3, 5, 0}, decades[] = {1, 0};
    double span = f->y_most / f->y_least;
    if (!f->log_y)
        return;
    const double *steps = span < 10 ? narrow : span < 1000 ? wide : decades;
    fputs("set ytics (", script);
    const char *comma = "";
    for (double decade = pow(10, floor(log10(f->y_least))); decade <= f->y_most; decade *= 10)
        for (size_t i = 0; steps[i] > 0; i++)
            if (decade * steps[i] >= f->y_least && decade * steps[i] <= f->y_most) {
                fprintf(script, "%s'%.10g' %.10g", comma, decade * steps[i], decade * steps[i]);
                comma = ", ";
            }
    fputs(")\n", script);
}

static void write_vertical(FILE *script, const plot_frame *f, int headroom) {
    fprintf(script, "set bmargin at screen %.4f\nset tmargin at screen %.4f\n",
            f->low / (f->height + headroom), 1 - (f->above + headroom) / (f->height + headroom));
}

static void write_svg(FILE *script, const plot_frame *f, int headroom, const char *name, const char *part) {
    fprintf(script,
            "set terminal svg size %d,%d enhanced font 'sans-serif,14' name '%s' background 'white'\n"
            "set output '%s%s.svg'\n",
            f->width, f->height + headroom, name, name, part);
}

void frame_write_start(FILE *script, const plot_frame *f, const char *name) {
    write_vertical(script, f, f->headroom);
    write_svg(script, f, f->headroom, name, "");
}

void frame_write_end(FILE *script, const plot_frame *f, const char *name) {
    int width = f->width, height = f->height + f->headroom;
    fprintf(
        script,
        "set terminal pngcairo size %d,%d enhanced font 'Sans,14' fontscale 1.5 linewidth 2 pointscale 2\n"
        "set output '%s.png'\nreplot\n"
        "set terminal pdfcairo size %.1fcm,%.1fcm enhanced font 'Sans,11'\nset output '%s.pdf'\nreplot\n",
        2 * width, 2 * height, name, 12.7 * width / 420, 12.7 * height / 420, name);
    fputs("# The page says the title in its own text.\nunset title\n", script);
    write_vertical(script, f, 0);
    write_svg(script, f, 0, name, ".page");
    fputs("replot\n", script);
}
