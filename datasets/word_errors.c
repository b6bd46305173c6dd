#include "datasets/word_errors.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "base/statistics/stats.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { DRAWS = 1000 };

/* A piece of text: a word, or a character. */
typedef struct token {
    const char *at;
    size_t length;
} token;

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t split_words(token *tokens, const char *text) {
    size_t count = 0;
    while (*text) {
        const char *begin = text;
        while (*text && !is_space(*text))
            text++;
        if (text > begin)
            tokens[count++] = (token){begin, (size_t)(text - begin)};
        while (is_space(*text))
            text++;
    }
    return count;
}

static size_t split_characters(token *tokens, const char *text) {
    size_t count = 0;
    while (is_space(*text))
        text++;
    while (*text) {
        const char *begin = text++;
        if (is_space(*begin)) {
            while (is_space(*text))
                text++;
            if (*text)
                tokens[count++] = (token){" ", 1};
            continue;
        }
        while (((unsigned char)*text & 0xc0) == 0x80)
            text++;
        tokens[count++] = (token){begin, (size_t)(text - begin)};
    }
    return count;
}

static bool same(const token *a, const token *b) {
    return a->length == b->length && !memcmp(a->at, b->at, a->length);
}

/* Edits so far on the best way to a cell. */
typedef struct edits {
    size_t substitutions, deletions, insertions;
} edits;

static size_t cost(const edits *e) {
    return e->substitutions + e->deletions + e->insertions;
}

/* row[j] = the best way from the reference's first i tokens to the hypothesis's first j. */
static edits align(edits *row, const token *r, size_t n, const token *h, size_t m) {
    for (size_t j = 0; j <= m; j++)
        row[j] = (edits){.insertions = j};
    for (size_t i = 0; i < n; i++) {
        edits diagonal = row[0];
        row[0].deletions++;
        for (size_t j = 1; j <= m; j++) {
            edits best = diagonal, deletion = row[j], insertion = row[j - 1];
            best.substitutions += !same(&r[i], &h[j - 1]);
            deletion.deletions++;
            insertion.insertions++;
            if (cost(&deletion) < cost(&best))
                best = deletion;
            if (cost(&insertion) < cost(&best))
                best = insertion;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

static int count_errors(word_errors *e, size_t (*split)(token *, const char *), const char *reference,
                        const char *hypothesis, attn_error *error) {
    size_t n = strlen(reference), m = strlen(hypothesis);
    token *r = attn_alloc(n + m + 2, sizeof *r, "words", error);
    edits *row = attn_alloc(m + 1, sizeof *row, "edits", error);
    int result = -1;
    if (r && row) {
        n = split(r, reference);
        token *h = r + n;
        m = split(h, hypothesis);
        edits best = align(row, r, n, h, m);
        *e = (word_errors){best.substitutions, best.deletions, best.insertions, n};
        result = 0;
    }
    attn_free(r);
    attn_free(row);
    return result;
}

int word_errors_count(word_errors *e, const char *reference, const char *hypothesis, attn_error *error) {
    return count_errors(e, split_words, reference, hypothesis, error);
}

int character_errors_count(word_errors *e, const char *reference, const char *hypothesis, attn_error *error) {
    return count_errors(e, split_characters, reference, hypothesis, error);
}

void word_errors_add(word_errors *e, const word_errors *other) {
    e->substitutions += other->substitutions;
    e->deletions += other->deletions;
    e->insertions += other->insertions;
    e->words += other->words;
}

double word_errors_percent(const word_errors *e) {
    return e->words ? 100.0 * (double)word_errors_sum(e) / (double)e->words : NAN;
}

int word_errors_interval(double low_high[2], const word_errors *utterances, size_t count, uint64_t seed,
                         attn_error *error) {
    double *percents = attn_alloc(DRAWS, sizeof *percents, "draws", error);
    if (!percents)
        return -1;
    for (size_t d = 0; d < DRAWS; d++) {
        word_errors sum = {0};
        for (size_t i = 0; i < count; i++)
            word_errors_add(&sum, &utterances[attn_random_below(&seed, count)]);
        percents[d] = word_errors_percent(&sum);
    }
    stats_sort(percents, DRAWS);
    low_high[0] = stats_quantile(percents, DRAWS, 0.025);
    low_high[1] = stats_quantile(percents, DRAWS, 0.975);
    attn_free(percents);
    return 0;
}
