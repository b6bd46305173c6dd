#define _GNU_SOURCE /* sched_getaffinity */
#include "harness/plan/plan_machine.h"

#include "attn/cpu.h"
#include "base/process/child.h"
#include "base/process/pool.h"
#include "bench/limits/machine_units.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LEVELS = 4, MOST_PARTNERS = 8 };
enum { LEAST_SET = 4 << 10, LEAST_TLB = 64 << 10, MOST_TLB = 64 << 20 };
static const size_t PAGE = 4096, LEAST_MEMORY = (size_t)256 << 20;

static size_t instruction_sets(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const char *limit) {
    size_t count = 0;
    for (int isa = 0; isa <= (int)attn_cpu_isa() && count < PLAN_MACHINE_ROWS; isa++)
        snprintf(rows[count++], PLAN_MACHINE_ROW, "machine/%s/isa:%s", limit, attn_isa_names[isa]);
    return count;
}

static size_t units(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW]) {
    size_t count = 0;
    for (size_t i = 0; i < machine_unit_count && count < PLAN_MACHINE_ROWS; i++)
        if (machine_unit_runs(&machine_units[i]))
            snprintf(rows[count++], PLAN_MACHINE_ROW, "machine/products/unit:%s", machine_units[i].name);
    return count;
}

static void add_set(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], size_t *count, const char *before,
                    size_t bytes, const char *after) {
    if (*count < PLAN_MACHINE_ROWS)
        snprintf(rows[(*count)++], PLAN_MACHINE_ROW, "%s/bytes:%zu%s", before, bytes, after);
}

static void add_read(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], size_t *count, size_t bytes) {
    size_t whole = bytes / PAGE * PAGE;
    add_set(rows, count, "machine/read", whole ? whole : PAGE, "");
}

/* Eight times what the largest cache holds, but not most of the machine's memory. */
static size_t memory_set(const machine *m) {
    size_t bytes = LEAST_MEMORY;
    for (int level = 1; level <= LEVELS; level++)
        if (bytes < 8 * machine_cache_bytes(m, level))
            bytes = 8 * machine_cache_bytes(m, level);
    return m->memory_bytes && bytes > m->memory_bytes / 4 ? m->memory_bytes / 4 : bytes;
}

/* The levels' own sets, and what lies between: bandwidth falls smoothly where a set is larger than one cache
 * and shares the next. Memory is always among the rows. */
static size_t add_reads(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const size_t *sets,
                        size_t sets_count) {
    size_t count = 0;
    for (size_t i = 0; i + 1 < sets_count; i++) {
        add_read(rows, &count, sets[i]);
        for (size_t between = 4 * sets[i]; between < sets[i + 1] && count + sets_count < PLAN_MACHINE_ROWS;
             between *= 2)
            add_read(rows, &count, between);
    }
    add_read(rows, &count, sets[sets_count - 1]);
    return count;
}

static size_t levels(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const machine *m) {
    static const size_t usual[] = {32 << 10, 1 << 20, 16 << 20};
    size_t sets[LEVELS + 1], count = 0;
    for (int level = 1; level <= LEVELS; level++)
        if (machine_cache_bytes(m, level))
            sets[count++] = machine_cache_bytes(m, level) / 2;
    for (bool unknown = !count; unknown && count < sizeof usual / sizeof *usual; count++)
        sets[count] = usual[count] / 2;
    sets[count++] = memory_set(m);
    return add_reads(rows, sets, count);
}

/* Doublings from a set that any first cache holds up to memory; between two of them another one where `halves`. */
static size_t curve(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const char *before, const char *after,
                    size_t least, size_t most, bool halves) {
    size_t count = 0;
    for (size_t bytes = least; bytes <= most; bytes *= 2) {
        add_set(rows, &count, before, bytes, after);
        if (halves && bytes / 2 * 3 <= most)
            add_set(rows, &count, before, bytes / 2 * 3, after);
    }
    return count;
}

/* One for each CPU that this process may use, but the one that cases are pinned to by default. */
static size_t handoffs(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW]) {
    cpu_set_t allowed;
    int own = child_pick_cpu(-1, NULL);
    size_t count = 0;
    if (own < 0 || sched_getaffinity(0, sizeof allowed, &allowed))
        return 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && count < MOST_PARTNERS; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed) && cpu != own)
            snprintf(rows[count++], PLAN_MACHINE_ROW, "machine/handoff/cpu:%d", cpu);
    return count;
}

static const struct {
    const char *set, *before, *after;
    size_t least, most; /* most: 0 stands for memory */
    bool halves;
} curves[] = {{"machine/curves/read", "machine/read", "", LEAST_SET, 0, false},
              {"machine/curves/write", "machine/write", "", LEAST_SET, 0, false},
              {"machine/curves/copy", "machine/copy", "", LEAST_SET, 0, false},
              {"machine/curves/triad", "machine/triad", "", LEAST_SET, 0, false},
              {"machine/curves/nt_write", "machine/nt_write", "", LEAST_SET, 0, false},
              {"machine/curves/latency/huge", "machine/latency", "/pages:huge", LEAST_SET, 0, true},
              {"machine/curves/latency/small", "machine/latency", "/pages:small", LEAST_SET, 0, false},
              {"machine/curves/tlb/huge", "machine/tlb", "/pages:huge", LEAST_TLB, MOST_TLB, false},
              {"machine/curves/tlb/small", "machine/tlb", "/pages:small", LEAST_TLB, MOST_TLB, false}};

/* `cpus` do what a row says at once; together they go over what one CPU alone would. */
static int rows_of(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const char *row, const machine *m,
                   size_t cpus) {
    if (!strcmp(row, "machine/instruction_sets"))
        return (int)instruction_sets(rows, "flops");
    if (!strcmp(row, "machine/units"))
        return (int)units(rows);
    if (!strcmp(row, "machine/clocks"))
        return (int)instruction_sets(rows, "clock");
    if (!strcmp(row, "machine/handoffs"))
        return (int)handoffs(rows);
    if (!strcmp(row, "machine/levels"))
        return (int)levels(rows, m);
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (!strcmp(row, curves[i].set))
            return (int)curve(rows, curves[i].before, curves[i].after, curves[i].least,
                              (curves[i].most ? curves[i].most : memory_set(m)) / cpus, curves[i].halves);
    return -1;
}

int plan_machine_rows(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const char *row, const machine *m) {
    static const char all[] = "machine/all/";
    char of_one[PLAN_MACHINE_ROW];
    size_t cpus = pool_cpus();
    if (strncmp(row, all, sizeof all - 1))
        return rows_of(rows, row, m, 1);
    snprintf(of_one, sizeof of_one, "machine/%s", row + sizeof all - 1);
    int count = rows_of(rows, of_one, m, cpus);
    for (int i = 0; i < count; i++)
        snprintf(rows[i] + strlen(rows[i]), PLAN_MACHINE_ROW - strlen(rows[i]), "/t:%zu", cpus);
    return count > 0 && cpus < 2 ? 0 : count;
}
