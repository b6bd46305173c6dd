#define _GNU_SOURCE /* sched_getaffinity, pthread_attr_setaffinity_np */
#include "attn/threads.h"

#include "attn/alloc.h"
#include "attn/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

enum { LOOKS = 4000 }; /* at a counter before a thread sleeps: some 50 microseconds */

/* A number that threads wait for to change. */
typedef struct counter {
    atomic_uint value;
    pthread_cond_t changed;
} counter;

typedef struct helper {
    struct attn_threads *threads;
    pthread_t id;
    size_t part;
} helper;

struct attn_threads {
    size_t count;
    unsigned forks; /* when they were started: threads do not live on in a child */
    int looks;
    pthread_mutex_t lock; /* of changes of the counters */
    counter posted, finished;
    atomic_size_t running;     /* helpers whose part is not finished */
    attn_share_function *work; /* NULL ends the helpers */
    void *context;
    attn_isa limit;
    size_t started; /* helpers */
    helper helpers[];
};

static _Thread_local attn_threads *in_use;

static unsigned forks; /* of this process and those that it comes from */
static pthread_once_t forks_are_counted = PTHREAD_ONCE_INIT;

static void count_fork(void) {
    forks++;
}

static void count_forks(void) {
    pthread_atfork(NULL, NULL, count_fork);
}

static void pause_a_little(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void change(attn_threads *t, counter *c) {
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add_explicit(&c->value, 1, memory_order_release);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&t->lock);
}

/* Until it is another than `seen`. */
static void await(attn_threads *t, counter *c, unsigned seen) {
    for (int i = 0; i < t->looks; i++) {
        if (atomic_load_explicit(&c->value, memory_order_acquire) != seen)
            return;
        pause_a_little();
    }
    pthread_mutex_lock(&t->lock);
    while (atomic_load_explicit(&c->value, memory_order_acquire) == seen)
        pthread_cond_wait(&c->changed, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static void *help(void *argument) {
    const helper *own = argument;
    attn_threads *t = own->threads;
    for (unsigned seen = 0;; seen++) {
        await(t, &t->posted, seen);
        if (!t->work)
            return NULL;
        attn_cpu_limit(t->limit);
        t->work(t->context, own->part, t->count);
        if (atomic_fetch_sub_explicit(&t->running, 1, memory_order_acq_rel) == 1)
            change(t, &t->finished);
    }
}

/* Waiting awake is of use only where the threads that are waited for have CPUs of their own. */
static int looks_for(size_t count) {
    cpu_set_t allowed;
    return !sched_getaffinity(0, sizeof allowed, &allowed) && (size_t)CPU_COUNT(&allowed) < count ? 0 : LOOKS;
}

static int pin(pthread_attr_t *attributes, int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    return pthread_attr_setaffinity_np(attributes, sizeof one, &one);
}

/* Signals are for the threads that were there before. */
static int start(attn_threads *t, size_t part, const int *cpus) {
    helper *own = &t->helpers[t->started];
    pthread_attr_t attributes;
    sigset_t all, before;
    *own = (helper){.threads = t, .part = part};
    int code = pthread_attr_init(&attributes);
    if (code)
        return code;
    if (cpus)
        code = pin(&attributes, cpus[part]);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = code ? code : pthread_create(&own->id, &attributes, help, own);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    t->started += !code;
    return code;
}

int attn_threads_open(attn_threads **opened, size_t count, const int *cpus, attn_error *error) {
    *opened = NULL;
    if (!count || count > ATTN_THREADS_MAX)
        return attn_fail(error, "threads: found %zu, expected 1 to %d", count, ATTN_THREADS_MAX);
    if (count == 1)
        return 0;
    attn_threads *t = attn_alloc(1, sizeof *t + (count - 1) * sizeof *t->helpers, "threads", error);
    if (!t)
        return -1;
    pthread_once(&forks_are_counted, count_forks);
    attn_cpu_isa(); /* found once, and not by several threads at the same time */
    t->count = count;
    t->forks = forks;
    t->looks = cpus ? LOOKS : looks_for(count);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->posted.changed, NULL);
    pthread_cond_init(&t->finished.changed, NULL);
    for (size_t part = 1; part < count; part++) {
        int code = start(t, part, cpus);
        if (!code)
            continue;
        attn_threads_close(t);
        return attn_fail(error, "threads: %zu of %zu cannot be started: %s", part + 1, count, strerror(code));
    }
    *opened = t;
    return 0;
}

void attn_threads_close(attn_threads *t) {
    if (!t)
        return;
    if (t->forks == forks) {
        t->work = NULL;
        change(t, &t->posted);
        for (size_t i = 0; i < t->started; i++)
            pthread_join(t->helpers[i].id, NULL);
        pthread_cond_destroy(&t->posted.changed);
        pthread_cond_destroy(&t->finished.changed);
        pthread_mutex_destroy(&t->lock);
    }
    attn_free(t);
}

size_t attn_threads_count(const attn_threads *t) {
    return t ? t->count : 1;
}

attn_threads *attn_threads_use(attn_threads *t) {
    attn_threads *before = in_use;
    in_use = t;
    return before;
}

size_t attn_threads_in_use(void) {
    return attn_threads_count(in_use);
}

static void run_all(attn_share_function *work, void *context, size_t parts) {
    for (size_t part = 0; part < parts; part++)
        work(context, part, parts);
}

void attn_share(attn_share_function *work, void *context) {
    attn_threads *t = attn_threads_use(NULL);
    if (!t || t->forks != forks) {
        run_all(work, context, attn_threads_count(t));
    } else {
        unsigned seen = atomic_load_explicit(&t->finished.value, memory_order_relaxed);
        t->work = work;
        t->context = context;
        t->limit = attn_cpu_limit(ATTN_ISA_AVX512);
        attn_cpu_limit(t->limit);
        atomic_store_explicit(&t->running, t->count - 1, memory_order_relaxed);
        change(t, &t->posted);
        work(context, 0, t->count);
        await(t, &t->finished, seen);
    }
    attn_threads_use(t);
}

attn_range attn_part_range(size_t count, size_t unit, size_t part, size_t parts) {
    size_t units = count / unit + (count % unit != 0);
    size_t begin = units * part / parts * unit, end = units * (part + 1) / parts * unit;
    return (attn_range){begin < count ? begin : count, end < count ? end : count};
}
