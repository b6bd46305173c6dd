#include "reports/paper/paper_sweep.h"

#include "reports/paper/paper_data.h"

int paper_sweep(text_table *t, const analysis *s, attn_error *error) {
    paper_tables paper;
    int result = paper_read_published(&paper, error);
    for (size_t i = 0; !result && i < paper.models; i++)
        result = analysis_sweep_random(t, paper.model[i].name, &paper.model[i].row[0].identified.geometry, s,
                                       error);
    return result;
}
