#include "harness/study/study_kind.h"

#include <string.h>

const char *const study_origin_names[] = {"scratch", "converted",    "fine_tuned",        "progressive",
                                          "control", "no_attention", "without_attention", NULL};

size_t study_kind_epochs(const study_plan *p, const study_kind *kind) {
    size_t own = kind->epochs * (kind->steps ? kind->steps : 1);
    return own + (kind->base == STUDY_NONE ? 0 : p->kinds[kind->base].epochs);
}

bool study_has_own_rate(const study_plan *p, const study_kind *kind) {
    return kind->base != STUDY_NONE && kind->epochs && kind->learning_rate != p->tune_learning_rate;
}

bool study_attends(const study_kind *kind) {
    return kind->origin != STUDY_NO_ATTENTION && kind->origin != STUDY_WITHOUT_ATTENTION;
}

bool study_plan_tests_dev(const study_plan *p) {
    for (size_t i = 0; i < p->tests; i++)
        if (!strcmp(p->test[i], p->dev))
            return true;
    return false;
}
