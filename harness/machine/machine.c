#include "harness/machine/machine.h"

#include "base/process/core_types.h"
#include "base/process/system_file.h"
#include "base/text/hash.h"

#include "attn/cpu.h"
#include "build_info.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

_Static_assert((int)MACHINE_FINGERPRINT >= (int)HASH_NAME, "a fingerprint is a hash name");

/* The value of `key : value` in one line of /proc/cpuinfo, or NULL. */
static const char *value_of(char *line, const char *key) {
    size_t length = strlen(key);
    if (strncmp(line, key, length))
        return NULL;
    char *rest = line + length;
    while (isspace((unsigned char)*rest))
        rest++;
    if (*rest != ':')
        return NULL;
    rest++;
    while (isspace((unsigned char)*rest))
        rest++;
    rest[strcspn(rest, "\n")] = '\0';
    return rest;
}

static void copy(char *to, size_t size, const char *from) {
    snprintf(to, size, "%s", from);
}

static int number(const char *text) {
    return (int)strtol(text, NULL, 0);
}

static void read_cpu_line(machine *m, char *line) {
    const char *v;
    if ((v = value_of(line, "model name")))
        copy(m->cpu, sizeof m->cpu, v);
    else if ((v = value_of(line, "vendor_id")) || (v = value_of(line, "CPU implementer")))
        copy(m->vendor, sizeof m->vendor, v);
    else if ((v = value_of(line, "cpu family")) || (v = value_of(line, "CPU architecture")))
        m->family = number(v);
    else if ((v = value_of(line, "model")) || (v = value_of(line, "CPU part")))
        m->model = number(v);
    else if ((v = value_of(line, "cpu MHz")))
        m->mhz = strtod(v, NULL);
}

/* Its paragraph. */
static void read_cpu(machine *m, const char *root, int cpu) {
    char path[512], line[4096];
    bool its = true;
    snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
    FILE *stream = fopen(path, "r");
    while (stream && fgets(line, sizeof line, stream)) {
        const char *processor = value_of(line, "processor");
        its = processor ? number(processor) == cpu : its;
        if (its)
            read_cpu_line(m, line);
        if (its && line[0] == '\n')
            break;
    }
    if (stream)
        fclose(stream);
    if (!m->cpu[0] && m->model >= 0)
        snprintf(m->cpu, sizeof m->cpu, "%s CPU, implementer %s part 0x%03x", m->architecture, m->vendor,
                 (unsigned)m->model);
    char text[64];
    if (system_file_line(text, sizeof text, "%s/sys/devices/system/cpu/cpu%d/cpufreq/cpuinfo_max_freq", root,
                         cpu))
        m->mhz = strtod(text, NULL) / 1000;
    system_file_line(m->governor, sizeof m->governor,
                     "%s/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", root, cpu);
}

/* "always [madvise] never": the word in brackets. */
static void read_huge_pages(machine *m, const char *root) {
    char text[64];
    system_file_line(text, sizeof text, "%s/sys/kernel/mm/transparent_hugepage/enabled", root);
    const char *word = strchr(text, '[');
    if (word)
        snprintf(m->huge_pages, sizeof m->huge_pages, "%.*s", (int)strcspn(word + 1, "]"), word + 1);
}

static size_t bytes_of(const char *text) {
    char *end;
    size_t value = strtoull(text, &end, 10);
    return *end == 'K' ? value << 10 : *end == 'M' ? value << 20 : *end == 'G' ? value << 30 : value;
}

/* Members of a list such as "0-3,8". */
static int count_cpus(const char *list) {
    int count = 0;
    for (long first, last; system_list_next(&list, &first, &last);)
        count += (int)(last - first + 1);
    return count;
}

static int read_cache(machine_cache *cache, const char *root, int cpu, int index) {
    static const char *const keys[] = {"level", "type", "size", "shared_cpu_list"};
    char text[4][64];
    for (int i = 0; i < 4; i++)
        system_file_line(text[i], sizeof text[i], "%s/sys/devices/system/cpu/cpu%d/cache/index%d/%s", root,
                         cpu, index, keys[i]);
    if (!text[0][0])
        return 0;
    cache->level = number(text[0]);
    snprintf(cache->type, sizeof cache->type, "%.15s", text[1]);
    cache->bytes = bytes_of(text[2]);
    cache->sharing = count_cpus(text[3]);
    return 1;
}

static void add_cache(machine *m, int level, const char *type, long bytes) {
    if (bytes <= 0 || m->caches == MACHINE_CACHES)
        return;
    machine_cache *cache = &m->cache[m->caches++];
    *cache = (machine_cache){.level = level, .bytes = (size_t)bytes};
    copy(cache->type, sizeof cache->type, type);
}

/* Some machines (arm64 guests, old kernels) show no caches in /sys, or none of their sizes; the C library may
 * still know them. */
static void read_caches(machine *m, const char *root, int cpu) {
    for (int i = 0; m->caches < MACHINE_CACHES && read_cache(&m->cache[m->caches], root, cpu, i); i++)
        m->caches += m->cache[m->caches].bytes > 0;
    if (m->caches || root[0])
        return;
    add_cache(m, 1, "Data", sysconf(_SC_LEVEL1_DCACHE_SIZE));
    add_cache(m, 1, "Instruction", sysconf(_SC_LEVEL1_ICACHE_SIZE));
    add_cache(m, 2, "Unified", sysconf(_SC_LEVEL2_CACHE_SIZE));
    add_cache(m, 3, "Unified", sysconf(_SC_LEVEL3_CACHE_SIZE));
}

static void read_memory(machine *m, const char *root) {
    char text[128];
    system_file_line(text, sizeof text, "%s/proc/meminfo", root);
    unsigned long long kib;
    if (sscanf(text, "MemTotal: %llu kB", &kib) == 1)
        m->memory_bytes = (size_t)kib << 10;
}

#if defined(__x86_64__)
/* The signature of leaf 0x40000000, in the words that people use. */
static void read_hypervisor(machine *m, const char *root) {
    static const struct {
        const char *signature, *name;
    } known[] = {{"KVMKVMKVM", "kvm"},    {"Microsoft Hv", "hyper-v"}, {"VMwareVMware", "vmware"},
                 {"XenVMMXenVMM", "xen"}, {"TCGTCGTCGTCG", "qemu"},    {"bhyve bhyve ", "bhyve"},
                 {"ACRNACRNACRN", "acrn"}};
    unsigned a, b, c, d;
    if (root[0] || !__get_cpuid(1, &a, &b, &c, &d) || !(c >> 31))
        return;
    __cpuid(0x40000000, a, b, c, d);
    char signature[13] = "";
    memcpy(signature, &b, 4);
    memcpy(signature + 4, &c, 4);
    memcpy(signature + 8, &d, 4);
    copy(m->hypervisor, sizeof m->hypervisor, signature[0] ? signature : "unknown");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(signature, known[i].signature))
            copy(m->hypervisor, sizeof m->hypervisor, known[i].name);
}
#else
static void read_hypervisor(machine *m, const char *root) {
    char text[64];
    system_file_line(text, sizeof text, "%s/sys/hypervisor/type", root);
    if (!text[0]) {
        system_file_line(text, sizeof text, "%s/sys/class/dmi/id/sys_vendor", root);
        if (strcmp(text, "QEMU") && strcmp(text, "Amazon EC2") && strcmp(text, "Google"))
            text[0] = '\0'; /* a maker of real computers */
    }
    snprintf(m->hypervisor, sizeof m->hypervisor, "%.31s", text);
}
#endif

void machine_read(machine *m, const char *root) {
    struct utsname names;
    *m = (machine){.family = -1, .model = -1, .isa = attn_isa_names[attn_cpu_isa()]};
    if (!uname(&names)) {
        snprintf(m->kernel, sizeof m->kernel, "%.60s %.64s", names.sysname, names.release);
        snprintf(m->host, sizeof m->host, "%.63s", names.nodename);
        snprintf(m->architecture, sizeof m->architecture, "%.31s", names.machine);
    }
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    m->cpus = cpus > 0 ? (int)cpus : 0;
    root = root ? root : "";
    int cpu = core_types_subject(root);
    read_cpu(m, root, cpu);
    read_caches(m, root, cpu);
    read_memory(m, root);
    read_huge_pages(m, root);
    read_hypervisor(m, root);
}

const machine *machine_here(void) {
    static machine here;
    static bool read;
    if (!read)
        machine_read(&here, NULL);
    read = true;
    return &here;
}

size_t machine_cache_bytes(const machine *m, int level) {
    for (size_t i = 0; i < m->caches; i++)
        if (m->cache[i].level == level && strcmp(m->cache[i].type, "Instruction"))
            return m->cache[i].bytes;
    return 0;
}

/* Text from the system need not be UTF-8. */
static json_t *text_or_null(const char *text) {
    json_t *value = text[0] ? json_string(text) : NULL;
    return value ? value : json_null();
}

static json_t *size_or_null(size_t size) {
    return size ? json_integer((json_int_t)size) : json_null();
}

json_t *machine_json(const machine *m) {
    return json_pack("{so so so ss so so so so so so so so}", "cpu", text_or_null(m->cpu), "family",
                     m->family < 0 ? json_null() : json_integer(m->family), "model",
                     m->model < 0 ? json_null() : json_integer(m->model), "isa", m->isa, "l1d_bytes",
                     size_or_null(machine_cache_bytes(m, 1)), "l2_bytes",
                     size_or_null(machine_cache_bytes(m, 2)), "l3_bytes",
                     size_or_null(machine_cache_bytes(m, 3)), "memory_bytes", size_or_null(m->memory_bytes),
                     "kernel", text_or_null(m->kernel), "hypervisor", text_or_null(m->hypervisor), "governor",
                     text_or_null(m->governor), "huge_pages", text_or_null(m->huge_pages));
}

json_t *machine_caches_json(const machine *m) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < m->caches; i++)
        if (json_array_append_new(list, json_pack("{ss si sI si}", "type", m->cache[i].type, "level",
                                                  m->cache[i].level, "size", (json_int_t)m->cache[i].bytes,
                                                  "num_sharing", m->cache[i].sharing))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

json_t *machine_build_json(void) {
#if defined(__clang__)
    const char *compiler = __VERSION__; /* "Clang 14.0.6" */
#else
    const char *compiler = "gcc " __VERSION__;
#endif
    return json_pack("{ss ss ss}", "compiler", compiler, "flags", BUILD_FLAGS, "commit", BUILD_COMMIT);
}

void machine_fingerprint(char name[MACHINE_FINGERPRINT], const machine *m, const char *blas_library,
                         const char *blas_core) {
    char numbers[128];
    uint64_t hash = HASH_START;
    snprintf(numbers, sizeof numbers, "%d %d %d", m->family, m->model, m->cpus);
    const char *const texts[] = {m->architecture, m->cpu,      m->vendor,     numbers,      m->isa,
                                 m->hypervisor,   m->governor, m->huge_pages, blas_library, blas_core};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        hash = hash_text(hash, texts[i]);
    for (size_t i = 0; i < m->caches; i++) {
        snprintf(numbers, sizeof numbers, "%d %s %zu", m->cache[i].level, m->cache[i].type,
                 m->cache[i].bytes);
        hash = hash_text(hash, numbers);
    }
    hash_name(name, hash);
}
