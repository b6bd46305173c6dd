#define _GNU_SOURCE /* CPU_ZERO */
#include "base/process/core_types.h"
#include "harness/machine/blas.h"
#include "harness/machine/machine.h"

#include "attn/error.h"
#include "attn/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

/* Files of a machine that this is not, below `root`. */
static void put(const char *path, const char *text) {
    char full[256], folder[256];
    attn_error error = {0};
    snprintf(full, sizeof full, "%s/%s", root, path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(full, '/') - full), full);
    if (attn_make_folder(folder, &error) || attn_write_file(full, text, strlen(text), &error))
        fail_msg("%s", error.message);
}

static int make_root(void **state) {
    (void)state;
    strcpy(root, "/tmp/attnbench-machine-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void test_arm(void **state) {
    (void)state;
    put("proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"
                        "CPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n"
                        "processor\t: 1\nCPU part\t: 0xd07\n");
    put("proc/meminfo", "MemTotal:        1013540 kB\nMemFree: 1 kB\n");
    machine m;
    machine_read(&m, root);
    assert_string_equal(m.vendor, "0x41");
    assert_int_equal(m.family, 8);
    assert_int_equal(m.model, 0xd0c);
    assert_non_null(strstr(m.cpu, "implementer 0x41 part 0xd0c"));
    assert_int_equal(m.memory_bytes, (size_t)1013540 << 10);
    assert_int_equal(m.caches, 0);
    assert_string_equal(m.governor, "");
    json_t *json = machine_json(&m);
    assert_true(json_is_null(json_object_get(json, "l2_bytes")));
    assert_true(json_is_null(json_object_get(json, "governor")));
    assert_int_equal(json_integer_value(json_object_get(json, "model")), 0xd0c);
    json_decref(json);
}

static void test_x86(void **state) {
    (void)state;
    put("proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Some "
        "CPU @ 2.00GHz\ncpu MHz\t\t: 2000.5\n\n");
    put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    put("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3500000\n");
    static const char *const caches[][4] = {{"1", "Data", "48K", "0,64"},
                                            {"1", "Instruction", "32K", "0"},
                                            {"2", "Unified", "2M", "0"},
                                            {"3", "Unified", "107520K", "0-31,64-95"}};
    static const char *const files[] = {"level", "type", "size", "shared_cpu_list"};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            char path[96];
            snprintf(path, sizeof path, "sys/devices/system/cpu/cpu0/cache/index%d/%s", i, files[j]);
            put(path, caches[i][j]);
        }
    machine m;
    machine_read(&m, root);
    assert_string_equal(m.cpu, "Some CPU @ 2.00GHz");
    assert_int_equal(m.family, 6);
    assert_int_equal(m.model, 143);
    assert_true(m.mhz == 3500);
    assert_string_equal(m.governor, "powersave");
    assert_string_equal(m.huge_pages, "madvise");
    assert_int_equal(m.caches, 4);
    assert_int_equal(machine_cache_bytes(&m, 1), 48 << 10);
    assert_int_equal(machine_cache_bytes(&m, 2), 2 << 20);
    assert_int_equal(machine_cache_bytes(&m, 3), 105 << 20);
    assert_int_equal(machine_cache_bytes(&m, 4), 0);
    assert_int_equal(m.cache[0].sharing, 2);
    assert_int_equal(m.cache[3].sharing, 64);
}

/* Eight E cores come last, as on many hybrid machines; big.LITTLE has the small ones first. */
static void test_hybrid(void **state) {
    (void)state;
    static const struct {
        const char *name, *big, *small;
        int first_big, bigs, count;
    } rows[] = {{"cpufreq/cpuinfo_max_freq", "5100000\n", "3900000\n", 0, 2, 4},
                {"cpu_capacity", "1024\n", "446\n", 4, 2, 6}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        for (int i = 0; i < rows[r].count; i++) {
            char path[96];
            bool big = i >= rows[r].first_big && i < rows[r].first_big + rows[r].bigs;
            snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/%s", i, rows[r].name);
            put(path, big ? rows[r].big : rows[r].small);
            snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/cache/index0/level", i);
            put(path, "1");
            snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/cache/index0/size", i);
            put(path, big ? "48K" : "32K");
            CPU_SET((size_t)i, &cpus);
        }
        core_types_fastest(&cpus, root);
        for (int i = 0; i < rows[r].count; i++)
            assert_int_equal(!!CPU_ISSET((size_t)i, &cpus),
                             i >= rows[r].first_big && i < rows[r].first_big + rows[r].bigs);
        assert_int_equal(core_types_subject(root), rows[r].first_big);
    }
}

/* Without a word on their speed all CPUs are alike. */
static void test_alike(void **state) {
    (void)state;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(3, &cpus);
    CPU_SET(5, &cpus);
    core_types_fastest(&cpus, "/nowhere");
    assert_int_equal(CPU_COUNT(&cpus), 2);
    assert_int_equal(core_types_subject("/nowhere"), 0);
}

static void test_nothing_known(void **state) {
    (void)state;
    machine m;
    machine_read(&m, "/nowhere");
    assert_string_equal(m.cpu, "");
    assert_int_equal(m.family, -1);
    json_t *json = machine_json(&m);
    assert_true(json_is_null(json_object_get(json, "cpu")));
    assert_true(json_is_null(json_object_get(json, "memory_bytes")));
    json_decref(json);
}

static void test_this_machine(void **state) {
    (void)state;
    machine m;
    machine_read(&m, NULL);
    assert_true(m.cpu[0]);
    assert_true(m.cpus > 0);
    assert_true(m.memory_bytes > 0);
    json_t *build = machine_build_json();
    assert_true(json_string_length(json_object_get(build, "commit")) > 0);
    json_decref(build);
}

static void test_fingerprint(void **state) {
    (void)state;
    machine m, other;
    char name[MACHINE_FINGERPRINT], again[MACHINE_FINGERPRINT];
    machine_read(&m, NULL);
    machine_fingerprint(name, &m, "OpenBLAS 1", "Haswell");
    snprintf(m.kernel, sizeof m.kernel, "another kernel"); /* an update does not make another machine */
    machine_fingerprint(again, &m, "OpenBLAS 1", "Haswell");
    assert_string_equal(name, again);
    machine_fingerprint(again, &m, "OpenBLAS 1", "SkylakeX");
    assert_string_not_equal(name, again);
    machine_fingerprint(again, &m, "OpenBLAS 2", "Haswell");
    assert_string_not_equal(name, again);
    blas_state blas; /* Debian has OpenBLAS in three builds of one version */
    blas_read(&blas);
    assert_true(strstr(blas.library, " pthread") || strstr(blas.library, " serial") ||
                strstr(blas.library, " openmp"));
    other = m;
    other.model++;
    machine_fingerprint(again, &other, "OpenBLAS 1", "Haswell");
    assert_string_not_equal(name, again);
    other = m;
    other.caches = 1;
    other.cache[0].bytes++;
    machine_fingerprint(again, &other, "OpenBLAS 1", "Haswell");
    assert_string_not_equal(name, again);
}

static void test_better_core(void **state) {
    (void)state;
    assert_string_equal(blas_better_core("Haswell", ATTN_ISA_AVX512), "SkylakeX");
    assert_string_equal(blas_better_core("Zen", ATTN_ISA_AVX512), "SkylakeX");
    assert_string_equal(blas_better_core("ZEN", ATTN_ISA_AVX512), "SkylakeX");
    assert_string_equal(blas_better_core("Prescott", ATTN_ISA_AVX512), "SkylakeX");
    assert_string_equal(blas_better_core("Sandybridge", ATTN_ISA_AVX2), "Haswell");
    assert_null(blas_better_core("Haswell", ATTN_ISA_AVX2));
    assert_null(blas_better_core("Zen", ATTN_ISA_AVX2));
    assert_null(blas_better_core("Prescott", ATTN_ISA_BASE));
    assert_null(blas_better_core("SkylakeX", ATTN_ISA_AVX512));
    assert_null(blas_better_core("Cooperlake", ATTN_ISA_AVX512));
    assert_null(blas_better_core("SapphireRapids", ATTN_ISA_AVX512));
    assert_null(blas_better_core("NEOVERSEN1", ATTN_ISA_BASE));
    assert_null(blas_better_core("Zen99", ATTN_ISA_AVX512)); /* not known to be slow: left alone */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_arm, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_x86, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_hybrid, make_root, remove_root),
        cmocka_unit_test(test_alike),
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_better_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
