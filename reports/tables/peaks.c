/* What this machine's arithmetic reaches at most, by instruction set and type of number. */
#include "reports/tables/survey_print.h"
#include "reports/tables/table_list.h"

#include <math.h>

static void add_peak(report_table *t, const char *what, const survey_isa *of) {
    table_add(&t->t,
              json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "what", what, "type", survey_numbers(of->isa),
                        "unit", survey_is_whole(of->isa) ? "Gop/s" : "GFLOP/s", "one_core",
                        four_digits(of->gflops), "all_cores", four_digits(of->gflops_all), "ghz",
                        four_digits(of->ghz), "vector_madds", four_digits(of->vector_madds)));
}

static void say_vectors(report_table *t, const survey *s) {
    for (size_t i = 0; i < s->isas; i++)
        if (!isnan(s->isa[i].vector_madds)) {
            json_array_append_new(
                t->remarks, json_string("Two vector FMA a clock are two units as wide as the vector. Code "
                                        "without FMA (base) takes two instructions for one."));
            return;
        }
}

void table_peaks(report_table *t, const table_sources *from) {
    survey s;
    char runs[RUNS_TEXT];
    survey_of(&s, from->data->results);
    report_table_init(t, "Peaks of arithmetic");
    report_column(t, "what", "code");
    report_column(t, "type", "numbers");
    report_column(t, "one_core", "one core");
    if (s.cores)
        report_column(t, "all_cores", "%zu cores", s.cores);
    report_column(t, "unit", "unit");
    report_column(t, "ghz", "clock, GHz");
    report_column(t, "vector_madds", "vector FMA a clock");
    for (size_t i = 0; i < s.isas; i++)
        add_peak(t, s.isa[i].isa, &s.isa[i]);
    if (!isnan(s.sgemm))
        add_peak(
            t, "sgemm of the BLAS",
            &(survey_isa){.isa = "", .ghz = NAN, .gflops = s.sgemm, .gflops_all = NAN, .vector_madds = NAN});
    t->remarks = survey_clock_remarks(&s);
    say_vectors(t, &s);
    runs_text(runs, s.least_runs, s.most_runs);
    snprintf(t->note, sizeof t->note, "In registers, but for sgemm: the best of %s.%s", runs,
             s.cores ? " Several cores are measured by the wall clock: what else the machine did lowers them."
                     : "");
}
