#include "harness/plan/plan_machine.h"

#include "attn/cpu.h"

#include <stdio.h>
#include <string.h>

enum { LEVELS = 4 };
static const size_t PAGE = 4096, LEAST_MEMORY = (size_t)256 << 20;

static size_t instruction_sets(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW]) {
    size_t count = 0;
    for (int isa = 0; isa <= (int)attn_cpu_isa() && count < PLAN_MACHINE_ROWS; isa++)
        snprintf(rows[count++], PLAN_MACHINE_ROW, "machine/flops/isa:%s", attn_isa_names[isa]);
    return count;
}

static void add_read(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], size_t *count, size_t bytes) {
    size_t whole = bytes / PAGE * PAGE;
    if (*count < PLAN_MACHINE_ROWS)
        snprintf(rows[(*count)++], PLAN_MACHINE_ROW, "machine/read/bytes:%zu", whole ? whole : PAGE);
}

/* Eight times what the last cache holds, but not most of the machine's memory. */
static size_t memory_set(const machine *m, size_t last_cache) {
    size_t bytes = 8 * last_cache < LEAST_MEMORY ? LEAST_MEMORY : 8 * last_cache;
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
    size_t sets[LEVELS + 1], count = 0, last = 0;
    for (int level = 1; level <= LEVELS; level++) {
        size_t bytes = machine_cache_bytes(m, level);
        if (bytes)
            sets[count++] = bytes / 2;
        last = bytes > last ? bytes : last;
    }
    for (size_t i = 0; !last && i < sizeof usual / sizeof *usual; i++)
        sets[count++] = usual[i] / 2;
    sets[count++] = memory_set(m, last);
    return add_reads(rows, sets, count);
}

size_t plan_machine_rows(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const char *row, const machine *m) {
    if (!strcmp(row, "machine/instruction_sets"))
        return instruction_sets(rows);
    return strcmp(row, "machine/levels") ? 0 : levels(rows, m);
}
