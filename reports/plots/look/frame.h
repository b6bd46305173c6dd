/* Where a plot's axes lie in its picture. Both are fixed before gnuplot draws, so that labels, and what the page lays
 * over the picture, can be placed exactly. */
#ifndef REPORTS_PLOTS_LOOK_FRAME_H
#define REPORTS_PLOTS_LOOK_FRAME_H

#include <stdbool.h>
#include <stdio.h>

typedef struct plot_frame {
    int width, height;              /* of the page's picture, pixels */
    int headroom;                   /* more above it for the title, in the picture that stands alone */
    double left, right, low, above; /* margins, pixels */
    bool log_x, log_y;
    double x_least, x_most, y_least, y_most;
} plot_frame;

enum { FRAME_LETTER = 8 }; /* pixels of a letter's width */

/* Widens the ranges until they hold the point. Start with an empty frame. */
void frame_hold(plot_frame *f, double x, double y);
/* Room between the outermost points and the border; a linear y axis starts at 0. Where nothing was held: 0 to 1. */
void frame_close(plot_frame *f);
plot_frame frame_empty(int width, int height, bool log_x, bool log_y);

/* The place of a value between the borders, 0 to 1. */
double frame_x(const plot_frame *f, double x);
double frame_y(const plot_frame *f, double y);

/* The first lines of a script: what it draws, from what, and with what letters. */
void frame_write_head(FILE *script, const char *name);
/* Ranges, scales and side margins. */
void frame_write(FILE *script, const plot_frame *f);
/* What the axes show. (gnuplot leaves its own names of axes out where margins are fixed.) */
void frame_write_axis_names(FILE *script, const plot_frame *f, const char *x, const char *y);
/* Whether the number of a tick at x has room after those that end before `free_from`, which it moves on: `space` letters
 * stay free. */
bool frame_x_tick_fits(const plot_frame *f, double x, const char *number, double space, double *free_from);
/* Ticks of the y axis: 1, 2 and 5 of each decade where a logarithmic axis has few. */
void frame_write_y_ticks(FILE *script, const plot_frame *f);

/* The picture that stands alone, NAME.svg, .png and .pdf, under the title that the script sets; and the same without it
 * for the page, NAME.page.svg. The plot command goes between the two. */
void frame_write_start(FILE *script, const plot_frame *f, const char *name);
void frame_write_end(FILE *script, const plot_frame *f, const char *name);

#endif
