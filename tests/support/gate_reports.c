#include "tests/support/gate_reports.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"

char *gate_written(void (*write)(const gate_report *report, FILE *to), const gate_report *report) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    write(report, stream);
    fclose(stream);
    return text;
}

void gate_done(gate_report *report) {
    gate_report_free(report);
    assert_int_equal(attn_alloc_live(), 0);
}
