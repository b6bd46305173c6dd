#include "harness/counters/source/papi_library.h"

#include <papi.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *papi_library_start(void) {
    static bool done;
    static char refusal[160];
    if (!done) {
        int result = PAPI_library_init(PAPI_VER_CURRENT);
        if (result > 0 && result != PAPI_VER_CURRENT)
            snprintf(refusal, sizeof refusal,
                     "the PAPI library that is loaded is not of the version it was built with");
        else if (result < 0)
            snprintf(refusal, sizeof refusal, "PAPI does not start: %s", PAPI_strerror(result));
        done = true;
    }
    return refusal[0] ? refusal : NULL;
}

const char *papi_component_refusal(const char *component) {
    const char *refusal = papi_library_start();
    if (refusal)
        return refusal;
    for (int i = 0; i < PAPI_num_components(); i++) {
        const PAPI_component_info_t *info = PAPI_get_component_info(i);
        if (!info || strcmp(info->name, component))
            continue;
        if (!info->disabled)
            return NULL;
        return info->disabled_reason[0] ? info->disabled_reason : PAPI_strerror(info->disabled);
    }
    return "this PAPI was built without the component";
}

const char *papi_library_version(void) {
    static char version[32];
    if (papi_library_start())
        return "";
    int number = PAPI_get_opt(PAPI_LIB_VERSION, NULL);
    snprintf(version, sizeof version, "%d.%d.%d", PAPI_VERSION_MAJOR(number), PAPI_VERSION_MINOR(number),
             PAPI_VERSION_REVISION(number));
    return version;
}

size_t papi_preset_count(void) {
    size_t count = 0;
    int code = (int)PAPI_PRESET_MASK;
    if (papi_library_start())
        return 0;
    do
        count += PAPI_query_event(code) == PAPI_OK;
    while (PAPI_enum_event(&code, PAPI_ENUM_EVENTS) == PAPI_OK);
    return count;
}

bool papi_library_knows_pmu(void) {
    for (int c = 0; !papi_library_start() && c < PAPI_num_components(); c++) {
        const PAPI_component_info_t *info = PAPI_get_component_info(c);
        if (!info || strcmp(info->name, "perf_event"))
            continue;
        for (size_t i = 0; i < PAPI_PMU_MAX && info->pmu_names[i]; i++)
            if (strncmp(info->pmu_names[i], "perf", 4) && strncmp(info->pmu_names[i], "ix86arch", 8))
                return true;
    }
    return false;
}
