#include "harness/gate/decide/verdict.h"

#include "base/status.h"

#include <math.h>

static const struct {
    const char *name;
    int status;
} verdicts[GATE_VERDICTS] = {
    [GATE_UNDECIDED] = {"UNDECIDED", STATUS_UNDECIDED},
    [GATE_SAME] = {"SAME", STATUS_OK},
    [GATE_FASTER] = {"FASTER", STATUS_OK},
    [GATE_SLOWER] = {"SLOWER", STATUS_FAILED},
    [GATE_MISSING_IN_BASE] = {"MISSING IN BASE", STATUS_UNDECIDED},
    [GATE_MISSING_IN_CANDIDATE] = {"MISSING IN CANDIDATE", STATUS_UNDECIDED},
    [GATE_BASE_FAILED] = {"BASE FAILED", STATUS_UNDECIDED},
    [GATE_CANDIDATE_FAILED] = {"CANDIDATE FAILED", STATUS_FAILED},
    [GATE_UNSUPPORTED] = {"NOT SUPPORTED HERE", STATUS_UNDECIDED},
};

const char *gate_verdict_name(gate_verdict verdict) {
    return verdicts[verdict].name;
}

int gate_verdict_status(gate_verdict verdict) {
    return verdicts[verdict].status;
}

const gate_byte_count gate_byte_counts[GATE_BYTE_COUNTS] = {
    [GATE_KV_BYTES] = {"kv_bytes", "kv_bytes_live", "cache"},
    [GATE_CONV_BYTES] = {"conv_bytes", "conv_bytes_live", "convolution cache"},
    [GATE_PEAK_BYTES] = {"peak_bytes", "peak_bytes", "peak memory"},
};

const char *gate_bytes_name(gate_bytes bytes) {
    static const char *const names[] = {
        [GATE_BYTES_UNKNOWN] = "UNKNOWN", [GATE_BYTES_MISSING] = "MISSING", [GATE_BYTES_SAME] = "SAME",
        [GATE_BYTES_GREW] = "GREW",       [GATE_BYTES_SHRANK] = "SHRANK",
    };
    return names[bytes];
}

gate_bytes gate_compare_bytes(double base, double candidate) {
    if (isnan(base) || isnan(candidate))
        return isnan(base) && isnan(candidate) ? GATE_BYTES_UNKNOWN : GATE_BYTES_MISSING;
    return candidate > base ? GATE_BYTES_GREW : candidate < base ? GATE_BYTES_SHRANK : GATE_BYTES_SAME;
}

int gate_bytes_status(gate_bytes bytes) {
    return bytes == GATE_BYTES_GREW      ? STATUS_FAILED
           : bytes == GATE_BYTES_MISSING ? STATUS_UNDECIDED
                                         : STATUS_OK;
}

static int rank(int status) {
    return status == STATUS_OK ? 0 : status == STATUS_UNDECIDED ? 1 : 2;
}

int gate_worse_status(int left, int right) {
    return rank(left) > rank(right) ? left : right;
}
