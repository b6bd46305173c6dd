#include "attn/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    PATH_SIZE = 1024,
    NOT_WORTH_ASKING = 1 << 20 /* bytes: reading the files takes 0.2 ms, more than a small model's call */
};

/* The number after `key` (its first word; NULL: of the first line) in a file; NaN when it is not there or
 * "max". */
static double read_number(const char *root, const char *path, const char *key) {
    char full[2 * PATH_SIZE], line[256], word[64];
    double number = NAN;
    snprintf(full, sizeof full, "%s%s", root, path);
    FILE *stream = fopen(full, "r");
    if (!stream)
        return NAN;
    while (fgets(line, sizeof line, stream)) {
        if (!key) {
            if (sscanf(line, "%lf", &number) != 1)
                number = NAN;
            break;
        }
        if (sscanf(line, "%63s %lf", word, &number) == 2 && !strcmp(word, key))
            break;
        number = NAN;
    }
    fclose(stream);
    return number;
}

static void lower(attn_memory *memory, double available, const char *limit) {
    if (available < memory->available)
        *memory = (attn_memory){available > 0 ? available : 0, limit};
}

/* Files of a memory controller; pages of files that were not used lately are given back before anyone is
 * killed. */
typedef struct controller {
    const char *mount, *limit, *usage, *inactive;
} controller;

static const controller version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                     "memory.usage_in_bytes", "total_inactive_file"};
static const controller version_2 = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};

static double read_controller(const char *root, const controller *c, const char *group, const char *file,
                              const char *key) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s%s/%s", c->mount, group, file);
    return read_number(root, path, key);
}

/* The group and all above it. In a container the group's own path may lead nowhere; the top is then its
 * limit. */
static void lower_by_group(attn_memory *memory, const char *root, const controller *c, char *group) {
    for (size_t length = strlen(group);; length--) {
        if (group[length] == '/' || length == strlen(group)) {
            group[length] = '\0';
            double limit = read_controller(root, c, group, c->limit, NULL);
            double usage = read_controller(root, c, group, c->usage, NULL);
            double inactive = read_controller(root, c, group, "memory.stat", c->inactive);
            if (!isnan(limit) && !isnan(usage))
                lower(memory, limit - usage + (isnan(inactive) ? 0 : inactive), "limit of the control group");
        }
        if (!length)
            return;
    }
}

static void lower_by_groups(attn_memory *memory, const char *root) {
    char full[PATH_SIZE], line[PATH_SIZE / 2];
    snprintf(full, sizeof full, "%s/proc/self/cgroup", root);
    FILE *stream = fopen(full, "r");
    while (stream && fgets(line, sizeof line, stream)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        if (!strcmp(controllers, ":"))
            lower_by_group(memory, root, &version_2, group);
        else if (strstr(controllers, "memory"))
            lower_by_group(memory, root, &version_1, group);
    }
    if (stream)
        fclose(stream);
}

static void lower_by_address_space(attn_memory *memory) {
    struct rlimit limit;
    double pages = read_number("", "/proc/self/statm", NULL);
    if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY && !isnan(pages))
        lower(memory, (double)limit.rlim_cur - pages * (double)sysconf(_SC_PAGESIZE), "ulimit -v");
}

attn_memory attn_memory_read(const char *root) {
    attn_memory memory = {INFINITY, "nothing"};
    double free_kib = read_number(root ? root : "", "/proc/meminfo", "MemAvailable:");
    if (!isnan(free_kib))
        lower(&memory, free_kib * 1024, "free memory");
    lower_by_groups(&memory, root ? root : "");
    if (!root)
        lower_by_address_space(&memory);
    return memory;
}

int attn_memory_check(double bytes, const char *what, attn_error *error) {
    if (bytes < NOT_WORTH_ASKING)
        return 0;
    attn_memory memory = attn_memory_read(NULL);
    return bytes <= memory.available
               ? 0
               : attn_fail_as(error, ATTN_ERROR_MEMORY,
                              "%s: %.1f MiB of memory needed, %.1f MiB can be had (%s)", what, bytes / 0x1p20,
                              memory.available / 0x1p20, memory.limit);
}
