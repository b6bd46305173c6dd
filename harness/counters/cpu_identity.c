#include "harness/counters/cpu_identity.h"

#include "base/process/system_file.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool take(const char *line, const char *key, char *value, size_t size) {
    size_t length = strlen(key);
    const char *colon = strchr(line, ':');
    if (*value || strncmp(line, key, length) || !strchr("\t :", line[length]) || !colon)
        return false;
    snprintf(value, size, "%s", colon + 1 + strspn(colon + 1, " "));
    value[strcspn(value, "\n")] = '\0';
    return true;
}

/* Of the first CPU: on x86 all cores of a machine have the same. */
static bool read_x86(char *text, size_t size) {
    char line[512], vendor[48] = "", family[16] = "", model[16] = "", stepping[16] = "";
    FILE *stream = fopen("/proc/cpuinfo", "r");
    while (stream && !*stepping && fgets(line, sizeof line, stream))
        (void)(take(line, "vendor_id", vendor, sizeof vendor) ||
               take(line, "cpu family", family, sizeof family) || take(line, "model", model, sizeof model) ||
               take(line, "stepping", stepping, sizeof stepping));
    if (stream)
        fclose(stream);
    snprintf(text, size, "%s-%s-%lX-%lX", vendor, family, strtoul(model, NULL, 10),
             strtoul(stepping, NULL, 10));
    return *vendor && *family;
}

void cpu_identity(char *text, size_t size, int cpu) {
    const char *other = getenv(CPU_IDENTITY_VARIABLE);
    if (other && *other)
        snprintf(text, size, "%s", other);
    else if (!read_x86(text, size))
        system_file_line(text, size, "/sys/devices/system/cpu/cpu%d/regs/identification/midr_el1", cpu);
}

int cpu_identity_is(bool *is, const char *pattern, int cpu, attn_error *error) {
    char identity[96], whole[256];
    regex_t regex;
    int length = snprintf(whole, sizeof whole, "^(%s)$", pattern);
    if (length < 0 || (size_t)length >= sizeof whole || regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB))
        return attn_fail(error, "\"%.60s\" is no regular expression, or is too long", pattern);
    cpu_identity(identity, sizeof identity, cpu);
    *is = !strcmp(identity, "any") || !regexec(&regex, identity, 0, NULL, 0);
    regfree(&regex);
    return 0;
}
