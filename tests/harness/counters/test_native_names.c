/* Native events that we name, in events.inc and in the group files, against libpfm for the CPUs that they are for: PAPI
 * takes their names from it. A libpfm knows the CPUs of its own architecture only. */
#include "harness/counters/cpu_identity.h"
#include "harness/counters/group.h"
#include "tests/support/cmocka_all.h"

#include <perfmon/pfmlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTEL_FROM_SANDY_BRIDGE "snb snb_ep ivb ivb_ep hsw hsw_ep bdw bdw_ep skl skx clx icl icx spr"
#define INTEL_FROM_BROADWELL "bdw bdw_ep skl skx clx icl icx spr"
#define INTEL_FROM_ICE_LAKE "icl icx spr"
#define ZEN "amd64_fam17h_zen1 amd64_fam17h_zen2 amd64_fam19h_zen3 amd64_fam19h_zen4"

static const struct {
    const char *name, *cpus; /* libpfm's names of them, a space between */
} rows[] = {
    {"CYCLES_NOT_IN_HALT", ZEN},
    {"RETIRED_INSTRUCTIONS", ZEN},
    {"RETIRED_BRANCH_INSTRUCTIONS", ZEN},
    {"RETIRED_BRANCH_INSTRUCTIONS_MISPREDICTED", ZEN},
    {"CORE_TO_L2_CACHEABLE_REQUEST_ACCESS_STATUS:LS_RD_BLK_C", ZEN},
    {"L1_DTLB_MISS:TLB_RELOAD_4K_L2_MISS", ZEN},
    {"LONGEST_LAT_CACHE:MISS", "hsw hsw_ep bdw bdw_ep skl skx clx icl icx spr"},
    {"LONGEST_LAT_CACHE:REFERENCE", "hsw hsw_ep bdw bdw_ep skl skx clx spr"},
    {"DTLB_LOAD_MISSES:MISS_CAUSES_A_WALK", "hsw hsw_ep bdw bdw_ep skl skx clx"},
    {"DTLB_LOAD_MISSES:WALK_COMPLETED", INTEL_FROM_SANDY_BRIDGE},
    {"CYCLE_ACTIVITY:STALLS_TOTAL", INTEL_FROM_BROADWELL},
    {"FP_ARITH_INST_RETIRED:SCALAR_SINGLE", INTEL_FROM_BROADWELL},
    {"FP_ARITH_INST_RETIRED:128B_PACKED_SINGLE", INTEL_FROM_BROADWELL},
    {"FP_ARITH_INST_RETIRED:256B_PACKED_SINGLE", INTEL_FROM_BROADWELL},
    {"FP_ARITH_INST_RETIRED:512B_PACKED_SINGLE", "skx clx icl icx spr"},
    {"RETIRED_SSE_AVX_FLOPS:ANY", "amd64_fam17h_zen2 amd64_fam19h_zen3 amd64_fam19h_zen4"},
    {"ANY_DATA_CACHE_FILLS_FROM_SYSTEM:DRAM_IO_NEAR", "amd64_fam19h_zen4"},
    {"ANY_DATA_CACHE_FILLS_FROM_SYSTEM:MEM_IO_LCL", "amd64_fam19h_zen3"},
    {"STALL_FRONTEND", "arm_n1"},
    {"STALL_BACKEND", "arm_n1"},
    {"TOPDOWN:SLOTS_P", INTEL_FROM_ICE_LAKE},
    {"DISPATCH_STALLS_1:FE_NO_OPS", "amd64_fam19h_zen4"},
    {"DISPATCH_STALLS_1:FE_NO_OPS:c=6", "amd64_fam19h_zen4"},
    {"DISPATCH_STALLS_1:SMT_CONTENTION", "amd64_fam19h_zen4"},
    {"OPS_SOURCE_DISPATCHED_FROM_DECODER:DECODER:OPCACHE:LOOP_BUFFER", "amd64_fam19h_zen4"},
    {"CYCLES_NO_RETIRE:NOT_COMPLETE_MISSING_LOAD", "amd64_fam19h_zen4"},
    {"CYCLES_NO_RETIRE:NOT_COMPLETE_LOAD_AND_ALU", "amd64_fam19h_zen4"},
    {"RETIRED_UCODE_OPS", "amd64_fam19h_zen4"},
    {"RESYNCS", "amd64_fam19h_zen4"},
    {"DISPATCH_STALLS_1:BE_STALLS", "amd64_fam19h_zen4"},
    {"RETIRED_OPS", "amd64_fam19h_zen3 amd64_fam19h_zen4"},
    {"IDQ_UOPS_NOT_DELIVERED:CORE", INTEL_FROM_SANDY_BRIDGE},
    {"UOPS_RETIRED:SLOTS", INTEL_FROM_ICE_LAKE},
    {"UOPS_RETIRED:RETIRE_SLOTS", "snb snb_ep ivb ivb_ep hsw hsw_ep bdw bdw_ep skl skx clx"},
    {"DTLB_WALK", "arm_n1"},
};
enum { ROWS = sizeof rows / sizeof *rows };

static bool library_has(const char *cpu) {
    int pmu;
    pfm_for_all_pmus(pmu) {
        pfm_pmu_info_t info = {.size = sizeof info};
        if (pfm_get_pmu_info(pmu, &info) == PFM_SUCCESS && !strcmp(info.name, cpu))
            return true;
    }
    return false;
}

static bool knows(const char *cpu, const char *name) {
    char text[256];
    pfm_pmu_encode_arg_t code = {.size = sizeof code};
    snprintf(text, sizeof text, "%s::%s", cpu, name);
    bool known = pfm_get_os_event_encoding(text, PFM_PLM3, PFM_OS_NONE, &code) == PFM_SUCCESS;
    free(code.codes);
    return known;
}

static void test_each_cpu_has_it(void **state) {
    size_t asked = 0;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        for (const char *at = rows[i].cpus; *at; at += strspn(at, " ")) {
            char cpu[64];
            size_t length = strcspn(at, " ");
            snprintf(cpu, sizeof cpu, "%.*s", (int)length, at);
            at += length;
            if (!library_has(cpu))
                continue;
            asked++;
            if (!knows(cpu, rows[i].name))
                fail_msg("%s has no event %s", cpu, rows[i].name);
        }
    assert_true(asked > 10);
    assert_false(library_has("skx") &&
                 knows("skx", "UOPS_RETIRED:SLOTS")); /* the question can be answered "no" */
}

/* Every one of its native names has a row; *named counts them. */
static void look_up(const counter_event *event, size_t *named) {
    for (const char *at = event->papi ? event->papi : ""; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " "), row = 0;
        bool native = strncmp(at, "PAPI_", 5) && strncmp(at, "sde:", 4);
        while (native && row < ROWS &&
               (strlen(rows[row].name) != length || strncmp(rows[row].name, at, length)))
            row++;
        if (row == ROWS)
            fail_msg("%s: %.*s: for which CPUs?", event->name, (int)length, at);
        *named += native;
        at += length;
    }
}

static void test_every_name_is_asked_for(void **state) {
    (void)state;
    group_list list;
    attn_error error = {0};
    size_t named = 0;
    for (size_t i = 0; i < counter_event_count; i++)
        look_up(&counter_events[i], &named);
    assert_int_equal(group_list_read(&list, &error), 0);
    for (size_t g = 0; g < list.count; g++)
        for (size_t i = 0; i < list.groups[g].natives; i++)
            look_up(&list.groups[g].native[i], &named);
    group_list_free(&list);
    assert_true(named >= ROWS);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_cpu_has_it),
                                       cmocka_unit_test(test_every_name_is_asked_for)};
    setenv("ATTNBENCH_HOME", ".", 1);
    setenv(CPU_IDENTITY_VARIABLE, "any", 1);
    setenv("LIBPFM_ENCODE_INACTIVE", "1", 1); /* CPUs that this is none of */
    if (pfm_initialize() != PFM_SUCCESS)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
