/* What the gate says of a case, and what that means for the whole. */
#ifndef HARNESS_GATE_DECIDE_VERDICT_H
#define HARNESS_GATE_DECIDE_VERDICT_H

typedef enum gate_verdict {
    GATE_UNDECIDED,
    GATE_SAME,
    GATE_FASTER,
    GATE_SLOWER,
    GATE_MISSING_IN_BASE,
    GATE_MISSING_IN_CANDIDATE,
    GATE_BASE_FAILED,      /* its check failed, or its process broke */
    GATE_CANDIDATE_FAILED, /* likewise */
    GATE_UNSUPPORTED,      /* needs what this machine lacks */
    GATE_VERDICTS
} gate_verdict;

/* What is compared exactly. */
enum { GATE_KV_BYTES, GATE_CONV_BYTES, GATE_PEAK_BYTES, GATE_BYTE_COUNTS };
typedef struct gate_byte_count {
    const char *key;    /* of a report: "kv_bytes" */
    const char *stored; /* of a results entry: "kv_bytes_live" */
    const char *name;   /* for people */
} gate_byte_count;
extern const gate_byte_count gate_byte_counts[GATE_BYTE_COUNTS];

/* Of a number of bytes. */
typedef enum gate_bytes {
    GATE_BYTES_UNKNOWN, /* neither side reports them */
    GATE_BYTES_MISSING, /* one side does not */
    GATE_BYTES_SAME,
    GATE_BYTES_GREW,
    GATE_BYTES_SHRANK
} gate_bytes;

const char *gate_verdict_name(gate_verdict verdict); /* "SLOWER" */
const char *gate_bytes_name(gate_bytes bytes);       /* "GREW" */

/* NaN: the side does not tell. */
gate_bytes gate_compare_bytes(double base, double candidate);

/* Exit statuses (base/status.h) of one case; the whole has that of its worst: 1, then 3, then 0. */
int gate_verdict_status(gate_verdict verdict);
int gate_bytes_status(gate_bytes bytes);
int gate_worse_status(int left, int right);

#endif
