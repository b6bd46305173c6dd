#include "bench/bench.h"

#include "bench/field.h"
#include "bench/gbench.h"
#include "bench/run.h"
#include "bench/turns/turns.h"
#include "impl/attention/variant_names.h"

#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/file.h"

#include <cblas.h>
#include <errno.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct options {
    long long seed;
    double check_flops;
    long long checked_output; /* -1: not asked about */
    bool help, has_cases, turns;
    char **flags; /* of Google Benchmark, flags[0] the program; alive until the process ends */
    int flag_count;
} options;

static const char help_text[] =
    "Checks each case against its scalar reference, then times it under Google Benchmark. A case whose "
    "check\n"
    "fails publishes no number.\n\n"
    "Usage: attnbench bench [OPTION...] [--benchmark_FLAG=VALUE...]\n\n"
    "  --case ROW      a case, for example attention/mla/decode/L:1000/dc:256/path:absorb (may be repeated)\n"
    "  --cases FILE    cases, one a line, # starts a comment (-: standard input; default: bench/cases.txt)\n"
    "  --seed N        of weights, input and the sampled rows of checks (default: 1)\n"
    "  --check-flops N what the reference may compute for a check, about; beyond it a sample of rows is\n"
    "                  compared, one at least (default: 1e9)\n"
    "  --checked-output HASH  print output_hash of each case; an output of this hash (0: none), of the same "
    "row and\n"
    "                  seed, has passed its check in an earlier process and is not checked again\n"
    "  --turns         for a gate that takes turns: orders on standard input, bench/turns/turn_lines.h\n"
    "  -h, --help      show this\n\n"
    "A row reads attention/TYPE/MODE/KEY:VALUE/..., one layer,\n"
    "or encoder/MODEL/TYPE/MODE/KEY:VALUE/..., a whole encoder with its input layer,\n"
    "or machine/LIMIT/KEY:VALUE/..., a limit of this machine (docs/machine.md),\n"
    "or kernel/NAME/KEY:VALUE/..., one kernel alone: attend, attend_latent, linear, layer_norm, ...\n";

static const char flags_text[] =
    "\n"
    "Exit status: 0 fine; 1 a check failed; 2 bad usage or bad input; 3 a case needs what this CPU or its\n"
    "implementation lacks.\n\n"
    "Flags of Google Benchmark (here the defaults are --benchmark_repetitions=3 "
    "--benchmark_min_time=0.05):\n\n";

static void print_help(void) {
    char types[ATTN_VARIANT_NAMES_TEXT], limits[128];
    attn_variant_names_text(types, ATTN_TAKES_ANYTHING, ", ");
    bench_where_modes(limits, sizeof limits, "machine");
    fputs(help_text, stdout);
    printf("  TYPE  %s\n"
           "  MODE  prefill (all frames in one call), chunk (some of a stream), decode (one frame)\n"
           "  MODEL conformer, branchformer\n"
           "  LIMIT %s\n\n"
           "Keys, each with its name in the sweeps of plans, the cases that take it, what it takes and its "
           "default:\n",
           types, limits);
    bench_fields_print(stdout);
    fputs(flags_text, stdout);
    gbench_print_flags();
}

static bool is_google_flag(const char *word) {
    return !strncmp(word, "--benchmark_", 12) || !strncmp(word, "--v=", 4);
}

static int add_file(bench_session *session, const char *path, attn_error *error) {
    bool standard_input = !strcmp(path, "-");
    char *line = NULL;
    size_t room = 0, number = 0;
    int result = -1;
    FILE *file = standard_input ? stdin : fopen(path, "r");
    if (!file) {
        attn_fail(error, "%s: cannot be read: %s", path, strerror(errno));
        goto done;
    }
    errno = 0;
    for (ssize_t length; (length = getline(&line, &room, file)) >= 0;) {
        attn_error inner = {0};
        number++;
        size_t start = strspn(line, " \t"), end = start + strcspn(line + start, " \t\r\n#");
        size_t after = end + strspn(line + end, " \t\r\n");
        if (after < (size_t)length && line[after] != '#') {
            attn_fail(error, "%s:%zu: expected one row without spaces", path, number);
            goto done;
        }
        line[end] = '\0';
        if (end > start && bench_session_add(session, line + start, &inner)) {
            attn_fail(error, "%s:%zu: %s", path, number, inner.message);
            goto done;
        }
    }
    if (ferror(file)) {
        attn_fail(error, "%s: cannot be read: %s", path, strerror(errno));
        goto done;
    }
    result = 0;
done:
    free(line);
    if (file && !standard_input)
        fclose(file);
    return result;
}

static int read_options(options *o, bench_session *session, int argc, char **argv, attn_error *error) {
    char *text = NULL;
    struct poptOption table[] = {
        {"case", '\0', POPT_ARG_STRING, &text, 'c', NULL, NULL},
        {"cases", '\0', POPT_ARG_STRING, &text, 'f', NULL, NULL},
        {"seed", '\0', POPT_ARG_LONGLONG, &o->seed, 0, NULL, NULL},
        {"check-flops", '\0', POPT_ARG_DOUBLE, &o->check_flops, 0, NULL, NULL},
        {"checked-output", '\0', POPT_ARG_LONGLONG, &o->checked_output, 0, NULL, NULL},
        {"turns", '\0', POPT_ARG_NONE, NULL, 't', NULL, NULL},
        {"help", 'h', POPT_ARG_NONE, NULL, 'h', NULL, NULL},
        POPT_TABLEEND};
    poptContext context = poptGetContext("bench", argc, (const char **)argv, table, 0);
    int code, result = -1;
    if (!context)
        return attn_no_memory(error, "options");
    while ((code = poptGetNextOpt(context)) > 0) {
        if (code == 'h') {
            o->help = true;
            continue;
        }
        if (code == 't') {
            o->turns = true;
            continue;
        }
        o->has_cases = true;
        if (!text) { /* popt had no memory for a copy of the word, and says nothing */
            attn_no_memory(error, "options");
            goto done;
        }
        if (code == 'c' ? bench_session_add(session, text, error) : add_file(session, text, error))
            goto done;
        free(text);
        text = NULL;
    }
    if (code < -1) {
        attn_fail(error, "%s: %s (see attnbench bench --help)", poptBadOption(context, 0),
                  poptStrerror(code));
        goto done;
    }
    if (poptPeekArg(context)) {
        attn_fail(error, "%s: unexpected argument (see attnbench bench --help)", poptPeekArg(context));
        goto done;
    }
    if (o->seed < 0)
        attn_fail(error, "--seed %lld: expected 0 or more", o->seed);
    else if (!(o->check_flops > 0))
        attn_fail(error, "--check-flops %g: expected more than 0", o->check_flops);
    else if (o->checked_output < -1)
        attn_fail(error, "--checked-output %lld: expected 0 or more", o->checked_output);
    else
        result = 0;
done:
    free(text);
    poptFreeContext(context);
    return result;
}

/* Our defaults go first, so that the user's flags win; the library reads its environment before both. */
static void add_default(options *o, const char *variable, char *flag) {
    if (!getenv(variable))
        o->flags[o->flag_count++] = flag;
}

/* Google Benchmark's flags apart from ours. */
static int split_flags(options *o, int *argc, char **argv, attn_error *error) {
    static char repetitions[] = "--benchmark_repetitions=3", min_time[] = "--benchmark_min_time=0.05";
    o->flags = attn_alloc((size_t)*argc + 4, sizeof *o->flags, "flags", error);
    if (!o->flags)
        return -1;
    o->flags[o->flag_count++] = argv[0];
    add_default(o, "BENCHMARK_REPETITIONS", repetitions);
    add_default(o, "BENCHMARK_MIN_TIME", min_time);
    int ours = 1;
    for (int i = 1; i < *argc; i++) {
        if (is_google_flag(argv[i]))
            o->flags[o->flag_count++] = argv[i];
        else
            argv[ours++] = argv[i];
    }
    argv[ *argc = ours] = NULL;
    return 0;
}

static const char *output_path(const options *o) {
    static const char flag[] = "--benchmark_out=";
    const char *path = getenv("BENCHMARK_OUT");
    for (int i = 1; i < o->flag_count; i++)
        if (!strncmp(o->flags[i], flag, sizeof flag - 1))
            path = o->flags[i] + sizeof flag - 1;
    return path && *path ? path : NULL;
}

static int describe(const bench_session *session, attn_error *error) {
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)session->settings.seed);
    return gbench_add_context("seed", seed, error) ||
                   gbench_add_context("blas_core", openblas_get_corename(), error) ||
                   gbench_add_context("isa", attn_isa_names[attn_cpu_isa()], error)
               ? -1
               : 0;
}

/* Whether a program reads what is printed: it wants the reason of every counter that is missing. A reader of the console
 * wants the table. */
static bool is_for_programs(const options *o) {
    static const char flag[] = "--benchmark_format=";
    const char *format = getenv("BENCHMARK_FORMAT");
    for (int i = 1; i < o->flag_count; i++)
        if (!strncmp(o->flags[i], flag, sizeof flag - 1))
            format = o->flags[i] + sizeof flag - 1;
    return output_path(o) || (format && strcmp(format, "console"));
}

typedef struct description {
    bool all;
    size_t missing;
    attn_error *error;
} description;

static void add_text(void *to, const char *key, const char *value) {
    static const char missing[] = "unavailable: ";
    description *d = to;
    if (d->all || strncmp(value, missing, sizeof missing - 1))
        gbench_add_context(key, value, d->error);
    else
        d->missing++;
}

static int describe_probe(const bench_probe *probe, bool all, attn_error *error) {
    description d = {.all = all, .error = error};
    char text[80];
    if (probe && probe->describe)
        probe->describe(probe->context, add_text, &d);
    snprintf(text, sizeof text, "%zu (attnbench counters list says why)", d.missing);
    return d.missing ? gbench_add_context("counters unavailable", text, error) : 0;
}

/* The library writes to the temporary name, which becomes the real one when all went well. */
static int run_to_file(bench_session *session, options *o, attn_error *error) {
    const char *path = output_path(o);
    attn_output output = {0};
    char *flag = NULL;
    struct stat status;
    int result = -1;
    if (path) {
        if (attn_output_open(&output, path, error))
            return -1;
        flag = attn_format(error, "--benchmark_out=%s", output.temporary);
        if (!flag)
            goto done;
        o->flags[o->flag_count++] = flag;
    }
    result = bench_session_run(session, o->flag_count, o->flags, error);
    if (path && !result && !fstat(fileno(output.stream), &status) && status.st_size)
        result = attn_output_commit(&output, error);
done:
    if (path)
        attn_output_discard(&output);
    attn_free(flag);
    return result;
}

static int run(bench_session *session, options *o, const char *default_cases, attn_error *error) {
    if (!o->has_cases && !o->turns && add_file(session, default_cases, error))
        return -1;
    if (o->turns ? session->count > 1 : !session->count)
        return attn_fail(error, o->turns ? "--turns: expected one case" : "no case to run");
    session->settings = (bench_settings){.seed = (uint64_t)o->seed, .check_flops = o->check_flops};
    session->hash_output = o->checked_output >= 0;
    session->checked_output = o->checked_output > 0 ? (uint64_t)o->checked_output : 0;
    if (bench_delay_parse(&session->delay, getenv(BENCH_DELAY_VARIABLE), error))
        return -1;
    if (o->turns)
        return bench_turns_run(session, error);
    if (describe(session, error))
        return -1;
    if (describe_probe(session->probe, is_for_programs(o), error))
        return -1;
    return error->message[0] ? -1 : run_to_file(session, o, error);
}

static void print_failures(const bench_session *session) {
    for (size_t i = 0; i < session->count; i++)
        if (session->entries[i].failure.message[0])
            fprintf(stderr, "attnbench bench: %s: %s\n", session->entries[i].row.name,
                    session->entries[i].failure.message);
}

int bench_main(int argc, char **argv, const char *default_cases, const bench_probe *probe) {
    attn_error error = {0};
    options o = {.seed = 1, .check_flops = BENCH_CHECK_FLOPS, .checked_output = -1};
    bench_session session = {.probe = probe};
    openblas_set_num_threads(1);
    int status = 0;
    if (split_flags(&o, &argc, argv, &error) || read_options(&o, &session, argc, argv, &error)) {
        status = 2;
    } else if (o.help) {
        print_help();
    } else {
        status = run(&session, &o, default_cases, &error) ? 2 : bench_session_status(&session);
    }
    print_failures(&session);
    if (error.message[0])
        fprintf(stderr, "attnbench bench: %s\n", error.message);
    bench_session_free(&session);
    attn_free(o.flags);
    return status;
}
