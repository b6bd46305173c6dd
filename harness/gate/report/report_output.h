/* Where a report goes: standard output, and files. */
#ifndef HARNESS_GATE_REPORT_REPORT_OUTPUT_H
#define HARNESS_GATE_REPORT_REPORT_OUTPUT_H

#include "harness/gate/report/gate_report.h"

typedef struct gate_output {
    const char *format;                  /* on standard output: md, csv or json */
    const char *markdown, *junit, *json; /* files; NULL: not wanted */
} gate_output;

/* For popt's table of a command. */
#define GATE_OUTPUT_OPTIONS(output)                                                                          \
    {"format", '\0', POPT_ARG_STRING, &(output).format, 0, "md (default), csv or json", "FORMAT"},           \
        {"markdown", '\0', POPT_ARG_STRING, &(output).markdown, 0, "a comment for a pull request", "FILE"},  \
        {"junit", '\0', POPT_ARG_STRING, &(output).junit, 0, "JUnit XML", "FILE"}, {                         \
        "json", '\0', POPT_ARG_STRING, &(output).json, 0, "everything, with each process", "FILE"            \
    }

/* Refuses a format that is none, and files that cannot be written: before anything is measured. */
int gate_output_check(const gate_output *output, attn_error *error);
/* All of them, whatever becomes of the others; -1 when any could not be written. */
int gate_report_write(const gate_report *report, const gate_output *output, attn_error *error);

#endif
