#include "bench/gbench.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

enum class Shape { table, csv, json };

Shape shape_of(const std::string &format) {
    return format == "console" ? Shape::table : format == "csv" ? Shape::csv : Shape::json;
}

/* The kernel's counts come twice: for an iteration, and for the whole repetition, which marks disturbed ones. A table for
 * people has only the first where there are both. */
void drop_twins(benchmark::UserCounters *counters) {
    static const char *const twins[][2] = {{"page_faults_major", "major_faults"},
                                           {"page_faults_minor", "minor_faults"},
                                           {"context_switches_involuntary", "involuntary_switches"},
                                           {"context_switches_voluntary", "voluntary_switches"}};
    for (const auto &twin : twins)
        if (counters->count(twin[0]))
            counters->erase(twin[1]);
}

/* The counter that carries an iteration's CPU time in another process to the reporter. */
const char elsewhere[] = "cpu_seconds_elsewhere";

/* Puts the CPU time of another process in the place of this one's. */
void take_elsewhere(benchmark::BenchmarkReporter::Run &run) {
    run.run_name.time_type.clear();
    auto found = run.counters.find(elsewhere);
    if (found == run.counters.end())
        return;
    bool share = run.run_type == benchmark::BenchmarkReporter::Run::RT_Aggregate &&
                 run.aggregate_unit == benchmark::kPercentage;
    run.cpu_accumulated_time = found->second.value * (share ? 1.0 : static_cast<double>(run.iterations));
    run.counters.erase(found);
}

/* Passes runs on to a reporter of the library, with five differences. Times of another process are those that it reported.
 * Aggregates that are not a number (the coefficient of variation of a counter whose mean is 0) are left out, as JSON has
 * no such numbers. A full disk is noticed. A table has no counter twice. And CSV gets all runs at once: the library takes
 * the columns from the first runs that it sees and aborts when a later one has others. */
class Reporter : public benchmark::BenchmarkReporter {
  public:
    Reporter(benchmark::BenchmarkReporter *inner, Shape shape) : inner_(inner), shape_(shape) {
    }

    bool ReportContext(const Context &context) override {
        inner_->SetOutputStream(&GetOutputStream());
        return inner_->ReportContext(context);
    }

    void ReportRuns(const std::vector<Run> &report) override {
        std::vector<Run> runs(report);
        for (Run &run : runs) {
            if (shape_ == Shape::table)
                drop_twins(&run.counters);
            take_elsewhere(run);
            for (auto counter = run.counters.begin(); counter != run.counters.end();)
                counter = run.run_type == Run::RT_Aggregate && !std::isfinite(counter->second.value)
                              ? run.counters.erase(counter)
                              : std::next(counter);
        }
        if (shape_ == Shape::csv)
            kept_.insert(kept_.end(), runs.begin(), runs.end());
        else
            inner_->ReportRuns(runs);
    }

    void Finalize() override {
        if (!kept_.empty())
            inner_->ReportRuns(kept_);
        inner_->Finalize();
        written_ = static_cast<bool>(GetOutputStream().flush());
    }

    bool written() const {
        return written_;
    }

  private:
    std::unique_ptr<benchmark::BenchmarkReporter> inner_;
    Shape shape_;
    std::vector<Run> kept_;
    bool written_ = true;
};

/* The value of a flag, where the library keeps it: the last on the command line, or the environment. */
std::string flag_value(int argc, char **argv, const std::string &name, const char *variable,
                       const std::string &fallback) {
    const char *set = std::getenv(variable);
    std::string value = set ? set : fallback, start = "--" + name + "=";
    for (int i = 1; i < argc; i++)
        if (!std::strncmp(argv[i], start.c_str(), start.size()))
            value = argv[i] + start.size();
    return value;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
benchmark::BenchmarkReporter *file_reporter(const std::string &format) {
    if (format == "console")
        return new benchmark::ConsoleReporter(benchmark::ConsoleReporter::OO_None);
    if (format == "csv")
        return new benchmark::CSVReporter;
    return new benchmark::JSONReporter;
}
#pragma GCC diagnostic pop

struct UsagePrinted {};

[[noreturn]] void refuse_usage() {
    throw UsagePrinted(); /* the library would print its usage and exit with status 0 */
}

/* Messages of the library, one line. */
int fail_with(const std::string &text, const char *otherwise, attn_error *error) {
    std::string line = text.substr(0, text.find('\n'));
    return attn_fail(error, "%s", line.empty() ? otherwise : line.c_str());
}

/* Takes what is written to std::cerr while it lives. */
class Capture {
  public:
    Capture() : before_(std::cerr.rdbuf(text_.rdbuf())) {
    }
    ~Capture() {
        std::cerr.rdbuf(before_);
    }
    std::string text() const {
        return text_.str();
    }

  private:
    std::ostringstream text_;
    std::streambuf *before_;
};

int parse_flags(int *argc, char **argv, attn_error *error) {
    Capture capture;
    try {
        benchmark::Initialize(argc, argv, refuse_usage);
    } catch (const UsagePrinted &) {
        return fail_with(capture.text(),
                         "a --benchmark_ flag has a value that Google Benchmark does not take "
                         "(see attnbench bench --help)",
                         error);
    }
    if (*argc > 1) {
        std::string unknown =
            std::string(argv[1]) + ": not a flag, or not a value that it takes (see attnbench bench --help)";
        return fail_with(capture.text(), unknown.c_str(), error);
    }
    return 0;
}

int run(int argc, char **argv, size_t *matched, attn_error *error) {
    std::string out = flag_value(argc, argv, "benchmark_out", "BENCHMARK_OUT", "");
    std::string format = flag_value(argc, argv, "benchmark_out_format", "BENCHMARK_OUT_FORMAT", "json");
    std::string shown = flag_value(argc, argv, "benchmark_format", "BENCHMARK_FORMAT", "console");
    std::string repetitions = flag_value(argc, argv, "benchmark_repetitions", "BENCHMARK_REPETITIONS", "1");
    if (parse_flags(&argc, argv, error))
        return -1;
    if (std::atoi(repetitions.c_str()) < 1)
        return attn_fail(error, "--benchmark_repetitions=%s: expected at least 1", repetitions.c_str());
    Reporter display(benchmark::CreateDefaultDisplayReporter(), shape_of(shown));
    Reporter file(file_reporter(format), shape_of(format));
    std::ostringstream complaints;
    display.SetErrorStream(&complaints);
    *matched = benchmark::RunSpecifiedBenchmarks(&display, out.empty() ? nullptr : &file);
    if (!*matched)
        return fail_with(complaints.str(), "no case to run", error);
    if (!display.written() || !file.written())
        return attn_fail(error, "%s: the results cannot be written",
                         display.written() ? out.c_str() : "standard output");
    return 0;
}

benchmark::State *state_of(gbench_state *state) {
    return reinterpret_cast<benchmark::State *>(state);
}

/* Runs `work`, which returns 0 or -1; what it throws becomes an error. */
template <class Work> int guarded(attn_error *error, Work work) {
    try {
        return work();
    } catch (const std::exception &e) {
        return attn_fail(error, "Google Benchmark: %s", e.what());
    } catch (...) {
        return attn_fail(error, "Google Benchmark failed");
    }
}

} // namespace

static int add(const char *name, gbench_function *function, void *context, bool manual, attn_error *error) {
    return guarded(error, [=] {
        auto *added = benchmark::RegisterBenchmark(name, [=](benchmark::State &state) {
            function(context, reinterpret_cast<gbench_state *>(&state));
        });
        if (manual)
            added->UseManualTime();
        return 0;
    });
}

int gbench_register(const char *name, gbench_function *function, void *context, attn_error *error) {
    return add(name, function, context, false, error);
}

int gbench_register_elsewhere(const char *name, gbench_function *function, void *context, attn_error *error) {
    return add(name, function, context, true, error);
}

int gbench_elsewhere(gbench_state *handle, gbench_work *work, void *context) {
    benchmark::State *state = state_of(handle);
    double seconds = 0, cpu_seconds = 0;
    int result = 0;
    while (!result && state->KeepRunningBatch(state->max_iterations)) {
        result = work(context, static_cast<uint64_t>(state->max_iterations), &seconds, &cpu_seconds);
        state->SetIterationTime(seconds);
    }
    gbench_counter(handle, elsewhere, cpu_seconds / static_cast<double>(state->max_iterations));
    return result;
}

void gbench_label(gbench_state *state, const char *label) {
    guarded(nullptr, [=] {
        state_of(state)->SetLabel(label);
        return 0;
    });
}

int gbench_add_context(const char *key, const char *value, attn_error *error) {
    return guarded(error, [=] {
        benchmark::AddCustomContext(key, value);
        return 0;
    });
}

int gbench_run(int argc, char **argv, size_t *matched, attn_error *error) {
    *matched = 0;
    int result = guarded(error, [=] { return run(argc, argv, matched, error); });
    return guarded(error, [=] {
        benchmark::ClearRegisteredBenchmarks();
        benchmark::Shutdown();
        return result;
    });
}

bool gbench_keep_running(gbench_state *state) {
    return state_of(state)->KeepRunning();
}

void gbench_pause(gbench_state *state) {
    state_of(state)->PauseTiming();
}

void gbench_resume(gbench_state *state) {
    state_of(state)->ResumeTiming();
}

uint64_t gbench_iterations(const gbench_state *state) {
    return static_cast<uint64_t>(reinterpret_cast<const benchmark::State *>(state)->iterations());
}

void gbench_skip(gbench_state *state, const char *message) {
    guarded(nullptr, [=] {
        state_of(state)->SkipWithError(message);
        return 0;
    });
}

void gbench_counter(gbench_state *state, const char *name, double value) {
    guarded(nullptr, [=] {
        state_of(state)->counters[name] = value;
        return 0;
    });
}

void gbench_print_flags(void) {
    benchmark::PrintDefaultHelp();
}
