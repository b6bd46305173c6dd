/* Prefix beam search. A prefix l has two probabilities: of its paths that end with a blank, b(l), and with its
 * last label, n(l). A frame with probabilities y changes them to
 *
 *   b'(l) = (b(l) + n(l)) y(blank)
 *   n'(l) = n(l) y(last of l) + what comes from l without its last label c: (b + n) y(c), or b y(c) where that
 *           prefix ends with c, too.
 *
 * Prefixes are nodes of a tree, so that each is there once. */
#include "attn/decode.h"

#include "base/arena.h"

#include <math.h>
#include <string.h>

typedef struct node {
    size_t parent, child, sibling; /* 0: none; node 0 is the empty prefix */
    int32_t label;
} node;

typedef struct prefix {
    size_t node;   /* of the prefix, or while `label` is not 0 of the prefix without that label */
    int32_t label; /* 0: the prefix was kept from the frame before */
    double blank, other, total;
} prefix;

typedef struct search {
    node *nodes;
    size_t count;
    prefix *kept, *next; /* [beam] */
    size_t held, found;  /* prefixes in kept and next */
    size_t worst;        /* in next, once it is full */
    size_t beam, vocab;
    double *log_y; /* [vocab] */
} search;

static void layout(search *s, attn_arena *arena, size_t frames, size_t vocab, size_t beam) {
    size_t nodes;
    if (__builtin_mul_overflow(frames, beam, &nodes) || __builtin_add_overflow(nodes, (size_t)1, &nodes))
        nodes = SIZE_MAX;
    *s = (search){.beam = beam, .vocab = vocab};
    s->nodes = attn_arena_take(arena, nodes, sizeof *s->nodes);
    s->kept = attn_arena_take(arena, beam, sizeof *s->kept);
    s->next = attn_arena_take(arena, beam, sizeof *s->next);
    s->log_y = attn_arena_take(arena, vocab, sizeof *s->log_y);
}

size_t attn_decode_beam_bytes(size_t frames, size_t vocab, size_t beam) {
    search s;
    attn_arena arena = attn_arena_dry();
    layout(&s, &arena, frames, vocab, beam);
    return arena.peak;
}

static double log_add(double a, double b) {
    double most = a > b ? a : b, least = a > b ? b : a;
    return least == -INFINITY ? most : most + log1p(exp(least - most));
}

static void log_softmax(double *out, const float *logits, size_t n) {
    double most = (double)logits[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = (double)logits[i] > most ? (double)logits[i] : most;
    for (size_t i = 0; i < n; i++)
        sum += exp((double)logits[i] - most);
    for (size_t i = 0; i < n; i++)
        out[i] = (double)logits[i] - most - log(sum);
}

static void find_worst(search *s) {
    s->worst = 0;
    for (size_t i = 1; i < s->found; i++)
        s->worst = s->next[i].total < s->next[s->worst].total ? i : s->worst;
}

/* Whether a prefix of this probability would be among the best so far. Of equals the first stays. */
static int is_wanted(const search *s, double total) {
    return s->found < s->beam || total > s->next[s->worst].total;
}

static void offer(search *s, prefix p) {
    p.total = log_add(p.blank, p.other);
    if (!is_wanted(s, p.total))
        return;
    s->next[s->found < s->beam ? s->found++ : s->worst] = p;
    find_worst(s);
}

/* What a kept prefix gives to itself with one more label. */
static double extended(const search *s, const prefix *p, int32_t label) {
    double from = s->nodes[p->node].label == label && p->node ? p->blank : p->total;
    return from + s->log_y[label];
}

/* The kept prefixes as they are after this frame. */
static void stay(search *s) {
    for (size_t i = 0; i < s->held; i++) {
        const prefix *p = &s->kept[i];
        const node *n = &s->nodes[p->node];
        prefix after = {.node = p->node, .blank = p->total + s->log_y[0], .other = -INFINITY};
        if (p->node)
            after.other = p->other + s->log_y[n->label];
        for (size_t j = 0; p->node && j < s->held; j++)
            if (s->kept[j].node == n->parent)
                after.other = log_add(after.other, extended(s, &s->kept[j], n->label));
        offer(s, after);
    }
}

static int is_kept(const search *s, size_t parent, int32_t label) {
    for (size_t i = 0; i < s->held; i++) {
        const node *n = &s->nodes[s->kept[i].node];
        if (s->kept[i].node && n->parent == parent && n->label == label)
            return 1;
    }
    return 0;
}

/* Prefixes with one more label. */
static void extend(search *s) {
    for (size_t i = 0; i < s->held; i++)
        for (int32_t label = 1; label < (int32_t)s->vocab; label++) {
            double other = extended(s, &s->kept[i], label);
            if (is_wanted(s, other) && !is_kept(s, s->kept[i].node, label))
                offer(s,
                      (prefix){.node = s->kept[i].node, .label = label, .blank = -INFINITY, .other = other});
        }
}

static size_t child_of(search *s, size_t parent, int32_t label) {
    for (size_t c = s->nodes[parent].child; c; c = s->nodes[c].sibling)
        if (s->nodes[c].label == label)
            return c;
    size_t made = s->count++;
    s->nodes[made] = (node){.parent = parent, .sibling = s->nodes[parent].child, .label = label};
    s->nodes[parent].child = made;
    return made;
}

static void take_next(search *s) {
    for (size_t i = 0; i < s->found; i++) {
        s->kept[i] = s->next[i];
        if (s->kept[i].label)
            s->kept[i].node = child_of(s, s->kept[i].node, s->kept[i].label);
        s->kept[i].label = 0;
    }
    s->held = s->found;
}

static size_t spell(int32_t *out, const search *s, size_t n) {
    size_t count = 0;
    for (size_t at = n; at; at = s->nodes[at].parent)
        count++;
    size_t left = count;
    for (size_t at = n; at; at = s->nodes[at].parent)
        out[--left] = s->nodes[at].label;
    return count;
}

size_t attn_decode_beam(int32_t *out, double *log_probability, const float *logits, size_t frames,
                        size_t vocab, size_t beam, void *workspace) {
    search s;
    attn_arena arena = attn_arena_wet(workspace);
    layout(&s, &arena, frames, vocab, beam);
    s.nodes[0] = (node){0};
    s.count = 1;
    s.kept[0] = (prefix){.other = -INFINITY};
    s.held = 1;
    for (size_t t = 0; t < frames; t++) {
        log_softmax(s.log_y, logits + t * vocab, vocab);
        s.found = 0;
        stay(&s);
        extend(&s);
        take_next(&s);
    }
    size_t best = 0;
    for (size_t i = 1; i < s.held; i++)
        best = s.kept[i].total > s.kept[best].total ? i : best;
    if (log_probability)
        *log_probability = s.kept[best].total;
    return spell(out, &s, s.kept[best].node);
}
