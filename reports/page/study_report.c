#include "reports/page/study_report.h"

#include "attn/alloc.h"
#include "base/text/json_write.h"
#include "reports/page/study_page.h"
#include "reports/study/study_result.h"

static int write_results(const json_t *results, const char *out, attn_error *error) {
    char *path = attn_format(error, "%s/study.json", out);
    int failed = path ? json_write_file(path, results, JSON_INDENT(1) | JSON_REAL_PRECISION(9), error) : -1;
    attn_free(path);
    return failed;
}

int study_report_make(study *s, const study_request *request, drawing *pictures, attn_error *error) {
    study_data d = {0};
    json_t *results = study_run_all(s, request, error) ? NULL : study_results(&s->runs, error);
    int failed = !results || study_data_make(&d, results, request->out, error) ||
                 (json_object_set(d.root, "models", d.models) && attn_no_memory(error, "results")) ||
                 write_results(d.root, request->out, error) ||
                 study_page_make(&d, request->out, pictures, error);
    study_data_free(&d);
    return failed ? -1 : 0;
}
