#include "base/text/tex_layout.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

enum { SHORT_HEADER = 6, LONG_HEADER = 11 }; /* letters of a line of a header: at least, at most */
enum { FEW_ROWS = 3 };               /* that so few are the same means little: no column is constant */
enum { MOST_LINES = 4 };             /* of a row that is read at a glance */
static const double NARROWEST = 5.5; /* em of a column whose text breaks its lines */
static const double SHORT_TEXT = 30; /* em of what can be said below the table */
static const double SEPARATORS = 6;  /* pt between two columns */

typedef struct page {
    const char *size;
    double em, width; /* pt */
    double lines;     /* of a table that need not be broken over pages */
    bool landscape;
} page;

static const page pages[] = {{"footnotesize", 8.5, 450, 45, false},
                             {"scriptsize", 7.97, 450, 52, false},
                             {"footnotesize", 8.5, 695, 34, true},
                             {"scriptsize", 7.97, 695, 42, true}};
enum { PAGES = sizeof pages / sizeof *pages, PORTRAITS = 2 };

/* Computer Modern, near enough. */
static double letter_width(char c) {
    unsigned char byte = (unsigned char)c;
    if (byte >= 0x80)
        return (byte & 0xC0) == 0x80 ? 0 : 1; /* one for all bytes of a letter */
    if (strchr("mMwW", c))
        return 0.9;
    if (c >= 'A' && c <= 'Z')
        return 0.7;
    if (strchr("%+=<>~&@", c))
        return 0.8;
    return strchr("iljt.,:;'|!()[]/- ", c) ? 0.37 : 0.51;
}

static double text_width(const char *text, size_t length) {
    double width = 0;
    for (size_t i = 0; i < length; i++)
        width += letter_width(text[i]);
    return width;
}

/* The end of the next piece, which the line can end after: of a word, or of its part up to an underscore. */
static size_t header_piece(const char *text) {
    size_t end = strcspn(text, " _");
    return end + (text[end] == '_');
}

size_t tex_header_line(const char *text, size_t letters) {
    size_t end = header_piece(text);
    while (text[end]) {
        size_t space = text[end] == ' ', next = end + space + header_piece(text + end + space);
        if (next > letters)
            break;
        end = next;
    }
    return end;
}

static double header_width(const char *text, size_t letters) {
    double most = 0;
    for (size_t line; *text; text += line + (text[line] == ' ')) {
        line = tex_header_line(text, letters);
        double width = text_width(text, line);
        most = width > most ? width : most;
    }
    return most;
}

/* The longest piece that no line can break in. */
static double longest_word(const char *text) {
    double most = 0;
    for (size_t word; *text; text += word) {
        word = strcspn(text, " /-");
        word += text[word] != '\0';
        double width = text_width(text, word);
        most = width > most ? width : most;
    }
    return most;
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

static int measure(tex_column *c, const text_table *t, attn_error *error) {
    char *first = NULL;
    size_t rows = json_array_size(t->rows), letters = SHORT_HEADER;
    c->is_numeric = table_is_numeric(t, c->column);
    c->is_constant = rows > FEW_ROWS;
    for (size_t row = 0; row < rows; row++) {
        char *text = table_cell_text(t, row, c->column, TABLE_JSON, error);
        if (!text) {
            attn_free(first);
            return -1;
        }
        double width = text_width(text, strlen(text));
        letters = strlen(text) > letters ? strlen(text) : letters;
        c->natural = larger(c->natural, width);
        c->least = larger(c->least, c->is_numeric ? width : longest_word(text));
        c->is_constant = c->is_constant && (!first || !strcmp(first, text));
        if (first)
            attn_free(text);
        else
            first = text;
    }
    attn_free(first);
    c->is_constant = c->is_constant && c->natural <= SHORT_TEXT;
    c->header_letters = letters < LONG_HEADER ? letters : LONG_HEADER;
    double header = header_width(t->columns[c->column].header, c->header_letters);
    c->natural = larger(c->natural, header);
    c->least = larger(larger(c->least, header), NARROWEST);
    return 0;
}

bool tex_column_breaks(const tex_column *c) {
    return c->width < c->natural;
}

static tex_column *widest_text(const tex_layout *l) {
    tex_column *widest = NULL;
    for (size_t i = 0; i < l->count; i++) {
        tex_column *c = &l->columns[i];
        if (!c->is_left_out && !c->is_numeric && c->width > c->least && (!widest || c->width > widest->width))
            widest = c;
    }
    return widest;
}

/* Gives all columns a width: as long as the table is wider than the page, the widest column of text gets narrower. */
static void set_widths(tex_layout *l, const page *p) {
    static const double STEP = 0.5;
    double width = 0;
    for (size_t i = 0; i < l->count; i++) {
        tex_column *c = &l->columns[i];
        c->width = c->natural;
        width += c->is_left_out ? 0 : c->natural + SEPARATORS / p->em;
    }
    while (width > p->width / p->em) {
        tex_column *widest = widest_text(l);
        if (!widest)
            break;
        double to = larger(widest->width - STEP, widest->least);
        width -= widest->width - to;
        widest->width = to;
    }
    l->size = p->size;
    l->landscape = p->landscape;
    l->fits = width <= p->width / p->em;
}

static double lines_of_row(const tex_layout *l, const text_table *t, size_t row, attn_error *error) {
    double most = 1;
    for (size_t i = 0; i < l->count; i++) {
        const tex_column *c = &l->columns[i];
        if (c->is_left_out || !tex_column_breaks(c))
            continue;
        char *text = table_cell_text(t, row, c->column, TABLE_JSON, error);
        if (!text)
            return NAN;
        most = larger(most, ceil(1.1 * text_width(text, strlen(text)) / c->width));
        attn_free(text);
    }
    return most;
}

/* Returns whether rows are read at a glance, or -1. */
static int count_lines(tex_layout *l, const text_table *t, const page *p, attn_error *error) {
    double all = 0, most = 0;
    for (size_t row = 0; row < json_array_size(t->rows); row++) {
        double lines = lines_of_row(l, t, row, error);
        if (isnan(lines))
            return -1;
        all += lines;
        most = larger(most, lines);
    }
    l->is_long = all > p->lines;
    return most <= MOST_LINES;
}

static void leave_out_constant(tex_layout *l) {
    size_t constant = 0;
    for (size_t i = 0; i < l->count; i++)
        constant += l->columns[i].is_constant;
    for (size_t i = 0; i < l->count; i++)
        l->columns[i].is_left_out = constant < l->count && l->columns[i].is_constant;
}

/* 1: the table stands well on one of these pages. */
static int try_pages(tex_layout *l, const text_table *t, size_t from, size_t to, attn_error *error) {
    for (size_t i = from; i < to; i++) {
        set_widths(l, &pages[i]);
        int good = l->fits ? count_lines(l, t, &pages[i], error) : 0;
        if (good)
            return good;
    }
    return 0;
}

/* The first page that it fits at all; the last one where there is none. */
static int take_any(tex_layout *l, const text_table *t, attn_error *error) {
    size_t i = 0;
    for (set_widths(l, &pages[0]); !l->fits && i + 1 < PAGES;)
        set_widths(l, &pages[++i]);
    return count_lines(l, t, &pages[i], error) < 0 ? -1 : 0;
}

static int choose(tex_layout *l, const text_table *t, attn_error *error) {
    int good = try_pages(l, t, 0, PORTRAITS, error);
    if (good)
        return good < 0 ? -1 : 0;
    leave_out_constant(l);
    good = try_pages(l, t, 0, PAGES, error);
    return good ? (good < 0 ? -1 : 0) : take_any(l, t, error);
}

int tex_layout_make(tex_layout *l, const text_table *t, attn_error *error) {
    *l = (tex_layout){0};
    while (t->columns[l->count].key)
        l->count++;
    l->columns = attn_alloc(l->count + 1, sizeof *l->columns, "columns of a table", error);
    if (!l->columns)
        return -1;
    for (size_t i = 0; i < l->count; i++) {
        l->columns[i] = (tex_column){.column = i};
        if (measure(&l->columns[i], t, error))
            return -1;
    }
    return choose(l, t, error);
}

void tex_layout_free(tex_layout *l) {
    attn_free(l->columns);
    *l = (tex_layout){0};
}
