#include "harness/study/study_shard.h"

#include "attn/alloc.h"

/* The speech is about the same for all runs; one epoch more stands for what hears the test splits. */
static double cost_of(const study_kind *k) {
    double width = (double)k->config.attention.d_model;
    size_t epochs = k->epochs * (k->steps ? k->steps : 1) + 1;
    return (double)epochs * (double)k->config.num_layers * width * width;
}

/* group[i] is that of the run: a run that begins with nothing opens one. Returns how many there are. */
static size_t make_groups(size_t *group, double *cost, const study_runs *r) {
    size_t groups = 0;
    for (size_t i = 0; i < r->count; i++) {
        const study_run *run = &r->at[i];
        group[i] = run->base == STUDY_NONE ? groups++ : group[run->base];
        if (run->base == STUDY_NONE)
            cost[group[i]] = 0;
        cost[group[i]] += cost_of(run->kind);
    }
    return groups;
}

int study_shard_keep(study_runs *r, const shard *own, attn_error *error) {
    if (!own->count)
        return 0;
    size_t *group = attn_alloc(r->count, sizeof *group, "shards", error);
    size_t *part = attn_alloc(r->count, sizeof *part, "shards", error);
    double *cost = attn_alloc(r->count, sizeof *cost, "shards", error);
    int failed =
        !group || !part || !cost || shard_deal(part, cost, make_groups(group, cost, r), own->count, error);
    for (size_t i = 0; !failed && i < r->count; i++)
        if (part[group[i]] != own->index)
            r->at[i].state = STUDY_ELSEWHERE;
    attn_free(group);
    attn_free(part);
    attn_free(cost);
    return failed ? -1 : 0;
}
