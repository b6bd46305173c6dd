#include "harness/machine/survey.h"

#include "base/text/ending.h"

#include <math.h>
#include <string.h>

static const double MEMORY = 64 << 20;

const char *const survey_streams[] = {"read", "write", "copy", "triad", "nt_write", NULL};

bool survey_is_whole(const char *isa) {
    static const char *const whole[] = {"_vnni", "_int8", "_dotprod", "_i8mm"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (text_ends(isa, whole[i]))
            return true;
    return false;
}

const char *survey_numbers(const char *isa) {
    return survey_is_whole(isa)      ? "int8, sums int32"
           : text_ends(isa, "_bf16") ? "bfloat16, sums float32"
                                     : "float32";
}

/* ns of an iteration in the best run: of CPU time, of several threads on the wall clock. */
static double best_time(const results_case *c) {
    double best = NAN;
    for (size_t i = 0; i < c->count; i++) {
        double ns = c->t > 1 ? c->samples[i].real_time : c->samples[i].cpu_time;
        if (!(best <= ns))
            best = ns;
    }
    return best;
}

static survey_isa *isa_at(survey *s, const char *isa) {
    size_t at = 0;
    while (at < s->isas && strcmp(s->isa[at].isa, isa))
        at++;
    if (at == SURVEY_ISAS)
        return NULL;
    if (at == s->isas)
        s->isa[s->isas++] = (survey_isa){isa, NAN, NAN, NAN, NAN};
    return &s->isa[at];
}

static survey_set *set_at(survey *s, double bytes) {
    size_t at = 0;
    while (at < s->sets && s->set[at].bytes < bytes)
        at++;
    if (at < s->sets && !(s->set[at].bytes > bytes))
        return &s->set[at];
    if (s->sets == SURVEY_SETS)
        return NULL;
    memmove(&s->set[at + 1], &s->set[at], (s->sets - at) * sizeof s->set[0]);
    s->sets++;
    survey_set *set = &s->set[at];
    *set = (survey_set){.bytes = bytes};
    for (size_t i = 0; i < SURVEY_STREAMS; i++)
        set->gbytes[i] = set->gbytes_all[i] = NAN;
    for (size_t i = 0; i < SURVEY_PAGES; i++)
        set->latency[i] = set->tlb[i] = set->cost[i] = NAN;
    return set;
}

static void add_arithmetic(survey *s, const results_case *c, double ns) {
    bool unit = !strcmp(c->what, "products");
    survey_isa *isa = strcmp(c->what, "sgemm") ? isa_at(s, unit ? c->unit : c->isa) : NULL;
    if (!strcmp(c->what, "sgemm"))
        s->sgemm = fmax(s->sgemm, c->flops / ns);
    else if (isa && !strcmp(c->what, "clock"))
        isa->ghz = c->steps / ns;
    else if (isa)
        *(c->t > 1 ? &isa->gflops_all : &isa->gflops) = c->flops / ns;
}

static void add_memory(survey *s, const results_case *c, double ns) {
    survey_set *set = set_at(s, (double)c->working_set);
    if (!set)
        return;
    for (size_t i = 0; i < SURVEY_STREAMS; i++)
        if (!strcmp(c->what, survey_streams[i]))
            (c->t > 1 ? set->gbytes_all : set->gbytes)[i] = c->bytes / ns;
    size_t pages = !strcmp(c->pages, "huge") ? SURVEY_HUGE : SURVEY_SMALL;
    if (!strcmp(c->what, "latency"))
        set->latency[pages] = ns / c->steps;
    if (!strcmp(c->what, "tlb"))
        set->tlb[pages] = ns / c->steps;
}

static void add_partner(survey *s, const results_case *c, double ns) {
    if (s->partners == SURVEY_PARTNERS)
        return;
    s->partner[s->partners].cpu = c->cpu;
    s->partner[s->partners++].ns = ns / c->steps;
}

static void add_case(survey *s, const results_case *c) {
    if (c->error || !c->count) {
        *(c->unsupported ? &s->unsupported : &s->failed) += 1;
        return;
    }
    double ns = best_time(c);
    s->least_runs = s->least_runs && s->least_runs < c->count ? s->least_runs : c->count;
    s->most_runs = s->most_runs > c->count ? s->most_runs : c->count;
    s->cores = c->t > 1 && c->t > s->cores ? c->t : s->cores;
    if (!strcmp(c->what, "flops") || !strcmp(c->what, "clock") || !strcmp(c->what, "sgemm") ||
        !strcmp(c->what, "products"))
        add_arithmetic(s, c, ns);
    else if (!strcmp(c->what, "handoff"))
        add_partner(s, c, ns);
    else
        add_memory(s, c, ns);
}

/* Floats of a vector; 0 for an instruction set that this build does not know. */
static double lanes(const char *isa) {
    return !strcmp(isa, "avx512") ? 16 : !strcmp(isa, "avx2") ? 8 : !strcmp(isa, "base") ? 4 : NAN;
}

/* Latency of a set on small pages or, where that was not measured, on the others. */
static double latency_of(const survey *s, double bytes, size_t pages) {
    for (size_t i = 0; i < s->sets; i++)
        if (!(s->set[i].bytes < bytes) && !(s->set[i].bytes > bytes))
            return isnan(s->set[i].latency[pages]) ? s->set[i].latency[SURVEY_PAGES - 1 - pages]
                                                   : s->set[i].latency[pages];
    return NAN;
}

/* One line in 4096 bytes: as many lines side by side are a set of a 64th, which few pages hold. */
static void find_costs(survey *s) {
    for (size_t i = 0; i < s->sets; i++)
        for (size_t pages = 0; pages < SURVEY_PAGES; pages++) {
            double side_by_side = latency_of(s, fmax(s->set[i].bytes / 64, 4096), SURVEY_HUGE);
            s->set[i].cost[pages] = s->set[i].tlb[pages] - side_by_side;
        }
}

/* The best of the sets in it. Of memory the largest set: of smaller ones caches still hold a part, and a stream is
 * served by them before a chase is. */
static double bandwidth_of(const survey *s, const survey_level *level, size_t stream) {
    double found = NAN;
    for (size_t i = 0; i < s->sets; i++) {
        double gbytes = s->set[i].gbytes[stream];
        if (isnan(gbytes) || s->set[i].bytes < level->in.from || s->set[i].bytes > level->in.to)
            continue;
        found = level->memory ? gbytes : fmax(found, gbytes);
    }
    return found;
}

/* Memory is a level even where its curve is not flat: the largest set becomes a level of its own, or the slower end of
 * the last one. Returns the number of levels. */
static size_t end_in_memory(plateau *found, size_t count, const curve_point *end) {
    plateau *last = count ? &found[count - 1] : NULL;
    if (last && last->last)
        return count;
    if (last && end->bytes >= MEMORY && end->ns < PLATEAU_STEP * last->ns) {
        last->to = end->bytes;
        last->last = true;
        return count;
    }
    found[count] = (plateau){end->bytes, end->bytes, end->ns, true};
    return count + 1;
}

/* Huge pages where they were measured: then the curve is that of caches and not of TLBs. */
static void find_levels(survey *s) {
    curve_point points[SURVEY_SETS];
    plateau found[SURVEY_LEVELS];
    size_t count = 0;
    for (size_t pages = SURVEY_PAGES; pages-- > 0 && count < 3;) {
        count = 0;
        for (size_t i = 0; i < s->sets; i++)
            if (!isnan(s->set[i].latency[pages]))
                points[count++] = (curve_point){s->set[i].bytes, s->set[i].latency[pages]};
    }
    s->levels = plateaus_find(found, SURVEY_LEVELS - 1, points, count);
    if (count)
        s->levels = end_in_memory(found, s->levels, &points[count - 1]);
    for (size_t l = 0; l < s->levels; l++) {
        s->level[l].in = found[l];
        s->level[l].memory = found[l].last && found[l].to >= MEMORY;
        for (size_t k = 0; k < SURVEY_STREAMS; k++)
            s->level[l].gbytes[k] = bandwidth_of(s, &s->level[l], k);
    }
}

/* A load's least latency is added to the costs, so that "flat" means the same as of caches. */
static void find_reaches(survey *s) {
    curve_point points[SURVEY_SETS];
    double least = NAN;
    size_t count = 0;
    for (size_t i = 0; i < s->sets; i++)
        least = fmin(least, s->set[i].tlb[SURVEY_SMALL]);
    for (size_t i = 0; i < s->sets; i++)
        if (!isnan(s->set[i].cost[SURVEY_SMALL]))
            points[count++] = (curve_point){s->set[i].bytes, fmax(s->set[i].cost[SURVEY_SMALL], 0) + least};
    s->reaches = plateaus_find(s->reach, SURVEY_LEVELS, points, count);
    for (size_t i = 0; i < s->reaches; i++)
        s->reach[i].ns -= least;
}

void survey_of(survey *s, const results *r) {
    *s = (survey){.sgemm = NAN};
    for (size_t i = 0; i < r->count; i++)
        if (!strcmp(r->cases[i].kind, "machine"))
            add_case(s, &r->cases[i]);
    for (size_t i = 0; i < s->isas; i++)
        s->isa[i].vector_madds = s->isa[i].gflops / s->isa[i].ghz / 2 / lanes(s->isa[i].isa);
    find_costs(s);
    find_levels(s);
    find_reaches(s);
}
