/* A case by a peer: set up and checked as our own kind does, with the peer's output in place of ours, and run in the
 * peer's process. */
#include "bench/kind.h"
#include "bench/peers/talk.h"
#include "bench/peers/tensors.h"

#include "attn/alloc.h"

#include <string.h>
#include <unistd.h>

typedef struct peer_state {
    const bench_kind_ops *own;
    void *inner; /* of our own kind */
    peer_talk talk;
} peer_state;

static void release(void *state) {
    peer_state *s = state;
    peer_talk_end(&s->talk);
    if (s->inner)
        s->own->release(s->inner);
    attn_free(s);
}

static int peer_supported(const bench_case *c, const bench_kind_ops *own, attn_error *error) {
    const bench_peer *peer = bench_peer_of(c);
    if (!own->hand_over)
        return attn_fail(error, "impl: %s does not run cases of %s", peer->title, own->name);
    if (c->kv != ATTN_ELEMENT_F32)
        return attn_fail(error, "kv: %s is run with a cache in %s", peer->title,
                         attn_kv_dtype_names[ATTN_ELEMENT_F32]);
    if (c->cache != BENCH_WARM)
        return attn_fail(error,
                         "cache: %s has a process of its own, whose memory cannot be evicted from here",
                         peer->title);
    return 0;
}

static int start(peer_state *s, const bench_case *c, attn_error *error) {
    peer_tensors tensors = {0};
    int result = s->own->hand_over(s->inner, &tensors, error), file = -1;
    if (!result)
        file = peer_tensors_write(&tensors, c, error);
    size_t floats = peer_tensors_output_floats(&tensors);
    peer_tensors_free(&tensors);
    if (file < 0)
        return -1;
    result = peer_talk_start(&s->talk, bench_peer_of(c), file, c->threads, s->own->answer(s->inner), floats,
                             error);
    close(file);
    return result;
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    const bench_kind_ops *own = bench_own_kind_of(c);
    if (peer_supported(c, own, error))
        return BENCH_UNSUPPORTED;
    peer_state *s = attn_alloc(1, sizeof *s, "set-up of a case", error);
    if (!s)
        return -1;
    *s = (peer_state){.own = own};
    int result = own->prepare(&s->inner, c, settings, error);
    if (result)
        s->inner = NULL;
    else
        result = start(s, c, error);
    if (result) {
        release(s);
        return result;
    }
    *state = s;
    return 0;
}

static int check(void *state, bench_check *result, attn_error *error) {
    const peer_state *s = state;
    return s->own->check(s->inner, result, error);
}

static void rewind_nothing(void *state) {
    (void)state;
}

static int run_elsewhere(void *state, uint64_t iterations, bench_elapsed *took, attn_error *error) {
    peer_state *s = state;
    return peer_talk_go(&s->talk, iterations, took, error);
}

static const char *label(const void *state) {
    const peer_state *s = state;
    return s->talk.title;
}

typedef struct filter {
    bench_emit_number *emit;
    void *to;
} filter;

/* All but our own path: the label reports the peer's form. */
static void pass_on(void *to, const char *name, double value) {
    const filter *f = to;
    if (strcmp(name, "path_run"))
        f->emit(f->to, name, value);
}

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const peer_state *s = state;
    filter f = {emit, to};
    s->own->values(s->inner, cache_bytes, pass_on, &f);
}

const bench_kind_ops bench_peer_case = {.prepare = prepare,
                                        .check = check,
                                        .rewind = rewind_nothing,
                                        .run_elsewhere = run_elsewhere,
                                        .label = label,
                                        .values = values,
                                        .release = release};
