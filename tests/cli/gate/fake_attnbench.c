/* Stands for attnbench in tests of the gate: answers to `bench --case ROW` with times of our choice, in less than a
 * millisecond. PROGRAM.conf, or $FAKE_CONF where the program is copied once more, sets what differs from `settings`. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct setting {
    const char *name;
    char value[64];
} settings[] = {
    {"only", ""},     /* the name of the program that these settings are for, if there are several */
    {"victim", "/"},  /* slow, bytes, peak and behave are for rows with this in them */
    {"slow", "0"},    /* percent */
    {"bytes", "0"},   /* more of the cache */
    {"peak", "0"},    /* more of memory */
    {"behave", ""},   /* misbehave() and misbehave_in_turn() */
    {"drag", "1"},    /* behave=drag: seconds that each answer after the first takes longer */
    {"spread", "1"},  /* of the times, percent */
    {"seed", ""},     /* of the noise, which is the same each time then */
    {"pause", "0"},   /* seconds before each answer */
    {"turns", "0"},   /* 1 or 2: takes turns (bench/turns/turn_lines.h) of that version */
    {"wrapped", "0"}, /* 1: the process that answers is a child of this one */
};

static const char *program;  /* its path, as it was started */
static char conf[4096];      /* the file of settings */
static const char *row = ""; /* the case that is measured */
static bool hit;             /* it has the victim in it */
static double ns;            /* its time */

_Noreturn static void give_up(const char *what, const char *which) {
    fprintf(stderr, "fake_attnbench: %s: %s: %s\n", which, what, strerror(errno));
    exit(99);
}

static char *setting(const char *name) {
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
        if (!strcmp(settings[i].name, name))
            return settings[i].value;
    errno = EINVAL;
    give_up("no such setting", name);
}

static double number(const char *name) {
    return strtod(setting(name), NULL);
}

static bool behaves(const char *how) {
    return hit && !strcmp(setting("behave"), how);
}

static void read_settings(void) {
    const char *elsewhere = getenv("FAKE_CONF");
    char name[32], value[64];
    program = (const char *)getauxval(AT_EXECFN);
    snprintf(conf, sizeof conf, "%s%s", elsewhere ? elsewhere : program, elsewhere ? "" : ".conf");
    FILE *file = fopen(conf, "r");
    while (file && fscanf(file, " %31[a-z]=%63s", name, value) == 2)
        strcpy(setting(name), value);
    if (file && !feof(file))
        give_up("not name=value", conf);
    if (file)
        fclose(file);
    const char *only = setting("only"), *slash = strrchr(program, '/');
    if (*only && strcmp(slash ? slash + 1 : program, only) != 0)
        strcpy(setting("victim"), "no row");
}

static void sleep_for(double seconds) {
    struct timespec left = {(time_t)seconds, (long)(fmod(seconds, 1) * 1e9)};
    while (nanosleep(&left, &left))
        ;
}

/* Counts this call in PROGRAM.calls: how many there are. */
static long call_number(void) {
    char path[4200];
    struct stat size = {0};
    snprintf(path, sizeof path, "%s.calls", program);
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
    if (file < 0 || write(file, "\n", 1) != 1 || fstat(file, &size) || close(file))
        give_up("cannot be written", path);
    return (long)size.st_size;
}

/* Leaves its process number next to the settings, in .mark. */
static void leave_mark(void) {
    size_t stem = strlen(conf) - strlen(".conf");
    char path[4200];
    snprintf(path, sizeof path, "%.*s.mark", (int)stem, conf);
    FILE *file = fopen(path, "w");
    if (!file || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file))
        give_up("cannot be written", path);
}

static void hang(void) {
    leave_mark();
    sleep_for(60);
    exit(0);
}

static void crash(void) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void misbehave(void) {
    if (behaves("missing")) {
        fprintf(stderr, "attnbench bench: row \"%s\": no such thing\n", row);
        exit(2);
    }
    if (behaves("wrong")) {
        puts("{\"context\": {}, \"benchmarks\": [{\"name\": \"x\", \"run_type\": \"iteration\", "
             "\"error_occurred\": true, \"error_message\": \"check failed: off by a mile\"}]}");
        exit(1);
    }
    if (behaves("crash") || (behaves("crash_later") && call_number() >= 9))
        crash();
    if (behaves("babble")) {
        puts("not JSON");
        exit(0);
    }
    if (behaves("latin")) { /* not UTF-8, and long */
        fputs("attnbench bench: caf\351: ", stderr);
        for (int i = 0; i < 300; i++)
            fputc(0316, stderr);
        fputc('\n', stderr);
        exit(1);
    }
    if (behaves("drag") && call_number() > 1)
        sleep_for(number("drag"));
    if (behaves("wait"))
        hang();
}

/* By how many percent the row is slower: by its setting, or by ATTNBENCH_DELAY=REGEX=PERCENT%. */
static double slower(void) {
    double percent = hit ? number("slow") : 0;
    const char *delay = getenv("ATTNBENCH_DELAY"), *value = delay ? strrchr(delay, '=') : NULL;
    if (!value)
        return percent;
    char pattern[512];
    regex_t regex;
    snprintf(pattern, sizeof pattern, "%.*s", (int)(value - delay), delay);
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
        give_up("no regular expression", pattern);
    if (!regexec(&regex, row, 0, NULL, 0))
        percent = strtod(value + 1, NULL);
    regfree(&regex);
    return percent;
}

static void seed_noise(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (*setting("seed"))
        srandom((unsigned)number("seed") + (unsigned)strlen(row));
    else
        srandom((unsigned)now.tv_nsec ^ (unsigned)getpid() << 12);
}

/* The row's time, or what it does in place of having one. */
static void take(const char *which) {
    row = which;
    hit = strstr(row, setting("victim")) != NULL;
    sleep_for(number("pause"));
    misbehave();
    seed_noise();
    double noise = 2 * ((double)random() / RAND_MAX) - 1;
    ns = behaves("nan") ? (double)NAN : 10000 * (1 + slower() / 100) * (1 + noise * number("spread") / 100);
}

static void print_results(void) {
    char text[32];
    snprintf(text, sizeof text, isnan(ns) ? "NaN" : "%.3f", ns);
    double bytes = hit ? number("bytes") : 0, peak = hit ? number("peak") : 0;
    printf("{\"context\": {}, \"benchmarks\": [");
    for (int i = 0; i < 3; i++)
        printf(
            "%s{\"name\": \"%s\", \"run_name\": \"%s\", \"run_type\": \"iteration\", \"family_index\": 0, "
            "\"per_family_instance_index\": 0, \"threads\": 1, \"repetitions\": 3, \"repetition_index\": %d, "
            "\"iterations\": 9, \"real_time\": %s, \"cpu_time\": %s, \"time_unit\": \"ns\", \"flops\": 1, "
            "\"bytes\": 1, "
            "\"kv_bytes_formula\": 64, \"kv_bytes_live\": %.0f, \"peak_bytes\": %.0f}",
            i ? "," : "", row, row, i, text, text, 64 + bytes, 4096 + peak);
    puts("]}");
}

static void misbehave_in_turn(void) {
    if (behaves("turn_dies"))
        crash();
    if (behaves("turn_hangs"))
        hang();
    if (behaves("turn_stops")) {
        leave_mark();
        raise(SIGSTOP);
    }
    if (behaves("turn_babbles"))
        puts("hello");
}

/* The orders of a gate: `go COUNT [TIMES]`, `case ROW`, `move`, `quit`. */
static void take_turns(void) {
    static char line[4096], next[4096];
    if (*row)
        puts("ready 1");
    while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4) != 0) {
        long count = 0, times = 1;
        if (sscanf(line, "case %*s %4095s", next) == 1) {
            take(next);
            puts("ready 2");
        } else if (!strncmp(line, "move", 4)) {
            puts("moved 4096");
        } else if (sscanf(line, "go %ld %ld", &count, &times) >= 1) {
            misbehave_in_turn();
            for (long i = 0; i < times && !behaves("turn_babbles"); i++)
                printf("done %.0f %.0f\n", ns * (double)count, ns * (double)count);
        }
    }
    exit(0);
}

/* FAKE_INFO holds what attnbench printed, so that it says the same each time. */
static void print_info(void) {
    const char *path = getenv("FAKE_INFO");
    static char text[65536];
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        give_up("cannot be read", path ? path : "FAKE_INFO");
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *turns = strstr(text, "\"turns\": 2");
    if (turns)
        turns[strlen("\"turns\": ")] = *setting("turns");
    puts(text);
    exit(0);
}

/* A script around a program: its child goes on. */
static void wrap(void) {
    int status = 0;
    pid_t child = fork();
    if (child <= 0)
        return;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv) {
    bool in_turns = false;
    const char *first = "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    read_settings();
    if (argc > 1 && !strcmp(argv[1], "info"))
        print_info();
    if (number("wrapped") > 0)
        wrap();
    for (int i = 1; i < argc; i++) {
        in_turns |= !strcmp(argv[i], "--turns");
        if (!strcmp(argv[i], "--case") && argv[i + 1])
            first = argv[i + 1];
    }
    if (*first)
        take(first);
    if (in_turns)
        take_turns();
    print_results();
    return 0;
}
