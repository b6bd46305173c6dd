#include "tests/support/refusals.h"

#include "harness/counters/counter_set.h"

#include "attn/alloc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/* A source that claims cycles and branch_misses, and reads what the test wants. */
static double fake_value;
static bool fake_reads, fake_running;
static int fake_opened;

static counter_slot *slot_of(counter_slot *slots, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(slots[i].event->name, name))
            return &slots[i];
    fail_msg("no event %s", name);
    return NULL;
}

static const counter_source fake;

static int fake_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    (void)error;
    slot_of(slots, count, "cycles")->source = &fake;
    slot_of(slots, count, "branch_misses")->source = &fake;
    counter_slot_refuse(slot_of(slots, count, "branches"), "fake", "error %d", 7);
    *state = &fake_opened;
    fake_opened++;
    return 0;
}

static void fake_start(void *state) {
    (void)state;
    fake_running = true;
}

static void fake_stop(void *state, double declared) {
    (void)state;
    (void)declared;
    assert_true(fake_running);
    fake_running = false;
}

static void fake_read(void *state, counter_slot *slots, size_t count) {
    (void)state;
    for (size_t i = 0; i < count; i++)
        if (slots[i].source == &fake) {
            slots[i].known = fake_reads;
            slots[i].value = fake_value;
        }
}

static void fake_close(void *state) {
    (void)state;
    fake_opened--;
}

static const counter_source fake = {.name = "fake",
                                    .open = fake_open,
                                    .start = fake_start,
                                    .stop = fake_stop,
                                    .read = fake_read,
                                    .close = fake_close};
static const counter_source *const with_fake[] = {&fake, &counter_source_sde, &counter_source_kernel, NULL};

static void open_set(counter_set *set, const counter_source *const *sources) {
    attn_error error = {0};
    if (counter_set_open(set, sources, &error))
        fail_msg("%s", error.message);
}

static counter_slot *find(counter_set *set, const char *name) {
    return slot_of(set->slots, set->count, name);
}

static void measure(counter_set *set, double bytes) {
    counter_set_start(set);
    counter_set_stop(set, 10, bytes);
    counter_set_read(set);
}

static void test_values_that_cannot_be(void **state) {
    (void)state;
    static const struct {
        double value;
        bool reads, cycles, misses; /* what may be known afterwards */
    } rows[] = {{100, true, true, true},   {0, true, false, true},         {-1, true, false, false},
                {NAN, true, false, false}, {INFINITY, true, false, false}, {100, false, false, false},
                {100, true, true, true}};
    counter_set set;
    open_set(&set, with_fake);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fake_value = rows[i].value;
        fake_reads = rows[i].reads;
        measure(&set, 0);
        assert_int_equal(find(&set, "cycles")->known, rows[i].cycles);
        assert_int_equal(find(&set, "branch_misses")->known, rows[i].misses);
    }
    counter_set_close(&set);
    assert_int_equal(fake_opened, 0);
}

/* What several sources say is said once, of all of them. */
static void test_reasons_said_once(void **state) {
    (void)state;
    counter_slot slot = {0};
    counter_slot_refuse(&slot, "papi", "no PMU in %s", "here");
    counter_slot_refuse(&slot, "perf", "no PMU in here");
    counter_slot_refuse(&slot, "callgrind", "not asked");
    counter_slot_refuse(&slot, "sde", "not asked");
    counter_slot_refuse(&slot, "last", "no PMU in here");
    assert_string_equal(slot.reason,
                        "papi, perf: no PMU in here; callgrind, sde: not asked; last: no PMU in here");
}

static void test_first_source_wins(void **state) {
    (void)state;
    static const counter_source *const order[] = {&fake, &counter_source_papi, &counter_source_perf, NULL};
    counter_set set;
    open_set(&set, order);
    assert_ptr_equal(find(&set, "cycles")->source, &fake);
    assert_int_equal(strncmp(find(&set, "branches")->reason, "fake: error 7", 13), 0);
    assert_null(find(&set, "page_faults_minor")->source);
    assert_string_equal(find(&set, "page_faults_minor")->reason, "not asked for");
    counter_set_close(&set);
}

/* Bytes go into PAPI and come back out of it, every repetition by itself. */
static void test_sde_through_papi(void **state) {
    (void)state;
    counter_set set;
    open_set(&set, counter_sources("papi"));
    const counter_slot *slot = find(&set, "cache_bytes_read");
    if (!slot->source)
        fail_msg("%s", slot->reason);
    assert_string_equal(slot->source->name, "sde");
    static const double bytes[] = {4096, 0, 123456789012, 1};
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        measure(&set, bytes[i]);
        assert_true(slot->known);
        assert_true(slot->value == bytes[i]);
    }
    counter_set_close(&set);
    open_set(&set, counter_sources("auto")); /* a second set in one process works like the first */
    measure(&set, 77);
    assert_true(find(&set, "cache_bytes_read")->value == 77);
    counter_set_close(&set);
}

static void test_kernel_counts_page_faults(void **state) {
    (void)state;
    enum { PAGES = 64, PAGE = 4096 };
    counter_set set;
    open_set(&set, counter_sources("off"));
    assert_string_equal(find(&set, "page_faults_minor")->source->name, "kernel");
    assert_null(find(&set, "cycles")->source);
    char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE);
    counter_set_start(&set);
    for (size_t i = 0; i < PAGES; i++)
        ((volatile char *)memory)[i * PAGE] = 1;
    counter_set_stop(&set, 1, 0);
    counter_set_read(&set);
    munmap(memory, PAGES * PAGE);
    assert_true(find(&set, "page_faults_minor")->known);
    assert_true(find(&set, "page_faults_minor")->value >= PAGES);
    counter_set_close(&set);
}

/* Every event either has a source, or a reason; and what has a source can be read. */
static void test_every_event_here(void **state) {
    (void)state;
    for (size_t i = 0; counter_source_words[i]; i++) {
        counter_set set;
        open_set(&set, counter_sources(counter_source_words[i]));
        for (size_t j = 0; j < set.count; j++)
            assert_true(set.slots[j].source || set.slots[j].reason[0]);
        counter_set_start(&set);
        volatile double sum = 0;
        for (int j = 0; j < 1000000; j++)
            sum = sum + j;
        counter_set_stop(&set, 1, 1);
        counter_set_read(&set);
        for (size_t j = 0; j < set.count; j++)
            if (set.slots[j].source && !strcmp(set.slots[j].event->name, "instructions"))
                assert_true(set.slots[j].known && set.slots[j].value > 1000000);
        counter_set_close(&set);
    }
    assert_null(counter_sources("likwid"));
}

/* ---- Parts */

enum { SPLIT_OPS = 64 };
static char split_log[SPLIT_OPS]; /* s: start, e: stop */
static size_t split_ops;
static double split_values[8];
static bool split_known[8];
static size_t split_reads;
static const counter_source splitting;

static int split_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    (void)error;
    slot_of(slots, count, "instructions")->source = &splitting;
    slot_of(slots, count, "branch_misses")->source = &splitting;
    *state = split_log;
    return 0;
}

static void split_start(void *state) {
    (void)state;
    split_log[split_ops++] = 's';
}

static void split_stop(void *state, double declared) {
    (void)state, (void)declared;
    split_log[split_ops++] = 'e';
}

static void split_read(void *state, counter_slot *slots, size_t count) {
    (void)state;
    for (size_t i = 0; i < count; i++)
        if (slots[i].source == &splitting) {
            slots[i].known = split_known[split_reads];
            slots[i].value = strcmp(slots[i].event->name, "branch_misses") ? split_values[split_reads] : 0;
        }
    split_reads++;
}

static void split_close(void *state) {
    (void)state;
}

static const counter_source splitting = {.name = "splitting",
                                         .open = split_open,
                                         .start = split_start,
                                         .stop = split_stop,
                                         .read = split_read,
                                         .close = split_close,
                                         .splits = true};

enum { CORE = ATTN_PARTS + ATTN_INNER_CORE };

/* The core is a part of attention; what goes on has no border. */
static void run_split(counter_set *set) {
    static const int parts[] = {ATTN_PART_OTHER, BENCH_PART_REST, ATTN_PART_CONVOLUTION, CORE, CORE,
                                BENCH_PARTS_END};
    split_ops = split_reads = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        counter_set_part(set, parts[i]);
}

static bool part_is(counter_set *set, int part, const char *name, double value) {
    counter_set_read_part(set, part);
    return find(set, name)->known && find(set, name)->value == value;
}

/* The pieces of a part are added up; a source that cannot split is left alone; the next run starts at 0. */
static void test_parts(void **state) {
    (void)state;
    static const counter_source *const sources[] = {&fake, &splitting, NULL};
    counter_set set;
    open_set(&set, sources);
    for (size_t i = 0; i < 8; i++) {
        split_values[i] = 1 << i;
        split_known[i] = true;
    }
    for (int run = 0; run < 2; run++) {
        fake_running = false;
        run_split(&set);
        assert_false(fake_running);
        assert_int_equal(split_ops, 8);
        assert_memory_equal(split_log, "sesesese", 8);
        assert_true(part_is(&set, ATTN_PART_OTHER, "instructions", 1));
        assert_true(part_is(&set, ATTN_PART_ATTENTION, "instructions", 2 + 8));
        assert_true(part_is(&set, BENCH_PART_REST, "instructions", 2));
        assert_true(part_is(&set, CORE, "instructions", 8));
        assert_true(part_is(&set, ATTN_PART_CONVOLUTION, "instructions", 4));
        assert_true(part_is(&set, ATTN_PART_CONVOLUTION, "branch_misses", 0));
        counter_set_read_part(&set, ATTN_PART_FEED_FORWARD); /* never began */
        assert_false(find(&set, "instructions")->known);
        assert_false(find(&set, "branch_misses")->known);
        counter_set_read_part(&set, ATTN_PART_OTHER);
        assert_false(find(&set, "branches")->known);
    }
    counter_set_close(&set);
}

/* A piece that could not be read, or read what cannot be, spoils its part and no other. */
static void test_lost_parts(void **state) {
    (void)state;
    static const counter_source *const sources[] = {&splitting, NULL};
    static const double bad[] = {-1, NAN, INFINITY, 5};
    counter_set set;
    open_set(&set, sources);
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 8; k++) {
            split_values[k] = k == 3 ? bad[i] : 1;
            split_known[k] = k != 3 || bad[i] != 5;
        }
        run_split(&set);
        counter_set_read_part(&set, ATTN_PART_ATTENTION);
        assert_false(find(&set, "instructions")->known);
        assert_true(part_is(&set, ATTN_PART_CONVOLUTION, "instructions", 1));
    }
    counter_set_close(&set);
}

typedef struct emitted {
    size_t numbers, texts, unavailable;
    double cycles, bytes;
    bool has_cycles;
} emitted;

static void take_number(void *to, const char *name, double value) {
    emitted *e = to;
    e->numbers++;
    if (!strcmp(name, "cycles")) {
        e->cycles = value;
        e->has_cycles = true;
    }
    if (!strcmp(name, "cache_bytes_read"))
        e->bytes = value;
}

static void take_text(void *to, const char *key, const char *value) {
    emitted *e = to;
    assert_int_equal(strncmp(key, COUNTER_KEY, strlen(COUNTER_KEY)), 0);
    assert_true(value[0]);
    e->texts++;
    e->unavailable += !strncmp(value, COUNTER_UNAVAILABLE, strlen(COUNTER_UNAVAILABLE));
}

static void test_probe(void **state) {
    (void)state;
    counter_set set;
    open_set(&set, with_fake);
    bench_probe probe = counter_set_probe(&set);
    emitted e = {0};
    fake_value = 500;
    fake_reads = true;
    probe.describe(probe.context, take_text, &e);
    assert_int_equal(e.texts, set.count);
    assert_true(e.unavailable > 0 && e.unavailable < set.count);
    probe.start(probe.context);
    probe.stop(probe.context, 20, 4000);
    probe.values(probe.context, take_number, &e);
    assert_true(e.cycles == 25);
    assert_true(e.bytes == 200);
    assert_int_equal(e.numbers, e.texts - e.unavailable);
    e = (emitted){0};
    fake_value = -500;
    probe.start(probe.context);
    probe.stop(probe.context, 20, 4000);
    probe.values(probe.context, take_number, &e);
    assert_false(e.has_cycles);
    counter_set_close(&set);
}

static void test_long_reasons(void **state) {
    (void)state;
    counter_slot slot = {0};
    for (int i = 0; i < 100; i++)
        counter_slot_refuse(&slot, "source", "because of %s", "something that takes a while to say");
    assert_true(strlen(slot.reason) < sizeof slot.reason);
}

static int open_once(void *context, attn_error *error) {
    counter_set *set = context;
    int result = counter_set_open(set, counter_sources("auto"), error);
    if (!result)
        counter_set_close(set);
    return result;
}

static void test_no_memory(void **state) {
    (void)state;
    counter_set set;
    open_set(&set, counter_sources("auto")); /* what PAPI keeps for the process is there now */
    counter_set_close(&set);
    assert_true(refuse_each_allocation(open_once, &set) >= 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_that_cannot_be),
        cmocka_unit_test(test_first_source_wins),
        cmocka_unit_test(test_reasons_said_once),
        cmocka_unit_test(test_sde_through_papi),
        cmocka_unit_test(test_kernel_counts_page_faults),
        cmocka_unit_test(test_every_event_here),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_lost_parts),
        cmocka_unit_test(test_long_reasons),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
