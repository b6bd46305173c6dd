/* Verdicts on single claims. Private to reports/paper/claims/. */
#ifndef REPORTS_PAPER_CLAIMS_CLAIM_H
#define REPORTS_PAPER_CLAIMS_CLAIM_H

#include "reports/paper/claims/evidence.h"

/* From best to worst: where a claim has several parts, its state is the worst of theirs. */
typedef enum claim_state {
    CLAIM_REPRODUCED,
    CLAIM_UNDECIDED, /* measured, and not clearly apart */
    CLAIM_REFUTED,
    CLAIM_NOT_MEASURED, /* what would show it was not given */
    CLAIM_NOT_TESTABLE
} claim_state;

enum { CLAIM_MEASURED = 480, CLAIM_SIZE = 160 };

typedef struct claim_verdict {
    claim_state state;
    char measured[CLAIM_MEASURED]; /* the numbers */
    char size[CLAIM_SIZE];         /* of the model and the corpus */
} claim_verdict;

/* A judge finds one verdict; a zeroed one with CLAIM_NOT_MEASURED is there already. */
typedef void claim_judge(claim_verdict *v, const claims_evidence *e);

#define CLAIM(id, where, words, shows, command, judge) claim_judge claim_##judge;
#include "reports/paper/claims/ledger.inc"
#undef CLAIM

/* From the layouts of three models. */
claims_passes claims_passes_of_conformer(void);

/* Adds a part: its numbers, and the state becomes the worse of both. The first part replaces CLAIM_NOT_MEASURED. */
void claim_add(claim_verdict *v, claim_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void claim_size(claim_verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reproduced or refuted. */
static inline claim_state claim_holds(bool holds) {
    return holds ? CLAIM_REPRODUCED : CLAIM_REFUTED;
}

#endif
