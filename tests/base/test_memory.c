/* What may still be taken: the kernel's word, control groups of both versions, and models that do not fit. */
#include "tests/support/cmocka_all.h"

#include "attn/file.h"
#include "attn/memory.h"
#include "attn/model.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[256];

static void put(const char *path, const char *text) {
    char full[512], folder[512];
    attn_error error = {0};
    snprintf(full, sizeof full, "%s/%s", root, path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(full, '/') - full), full);
    if (attn_make_folder(folder, &error) || attn_write_file(full, text, strlen(text), &error))
        fail_msg("%s", error.message);
}

static int new_root(void **state) {
    static int nth;
    char name[32];
    (void)state;
    snprintf(name, sizeof name, "memory%d", nth++);
    snprintf(root, sizeof root, "%s", scratch_path(name));
    return 0;
}

static void expect(double bytes, const char *limit) {
    attn_memory memory = attn_memory_read(root);
    assert_true(memory.available == bytes);
    assert_string_equal(memory.limit, limit);
}

static void test_free_memory(void **state) {
    (void)state;
    expect(INFINITY, "nothing");
    put("proc/meminfo", "MemTotal:       2048 kB\nMemFree:        1 kB\nMemAvailable:   1024 kB\n");
    expect(1 << 20, "free memory");
}

/* A group is bound by those above it, too; "max" is no limit. */
static void test_version_2(void **state) {
    (void)state;
    put("proc/meminfo", "MemAvailable: 1024 kB\n");
    put("proc/self/cgroup", "0::/jobs/one\n");
    put("sys/fs/cgroup/jobs/one/memory.max", "max\n");
    put("sys/fs/cgroup/jobs/one/memory.current", "400000\n");
    expect(1 << 20, "free memory");
    put("sys/fs/cgroup/jobs/memory.max", "500000\n");
    put("sys/fs/cgroup/jobs/memory.current", "450000\n");
    expect(50000, "limit of the control group");
    put("sys/fs/cgroup/jobs/memory.stat", "anon 1\nactive_file 5\ninactive_file 30000\n");
    expect(80000, "limit of the control group");
    put("sys/fs/cgroup/jobs/memory.current", "600000\n");
    expect(0, "limit of the control group");
}

static void test_version_1(void **state) {
    (void)state;
    put("proc/self/cgroup", "8:cpu,cpuacct:/x\n4:memory:/not/seen/from/inside\n0::/\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "300000\n");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "100000\n");
    put("sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 1000\n");
    expect(201000, "limit of the control group");
}

static void try_model(attn_error *error) {
    const char text[] =
        "attention_type: mha\nmodel_type: attention\nd_model: 2048\nnum_heads: 8\nnum_layers: 64\n";
    attn_config config;
    attn_model *model = NULL;
    if (!attn_config_parse(&config, text, sizeof text - 1, "config", NULL, error))
        attn_model_create(&model, &config, error);
    attn_model_free(model);
}

/* 4 GiB of weights under a limit of 1 GiB beyond what the process has. */
static void test_address_space(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its shadow memory is far beyond any limit */
#endif
    pid_t child = fork();
    if (!child) {
        struct rlimit limit = {3ull << 30, 3ull << 30};
        attn_error error = {0};
        if (setrlimit(RLIMIT_AS, &limit))
            _exit(1);
        try_model(&error);
        _exit(strstr(error.message, "weights of the model: 4") && strstr(error.message, "(ulimit -v)") ? 0
                                                                                                       : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_free_memory, new_root), cmocka_unit_test_setup(test_version_2, new_root),
        cmocka_unit_test_setup(test_version_1, new_root), cmocka_unit_test(test_address_space)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
