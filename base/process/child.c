#define _GNU_SOURCE /* sched_getaffinity, pipe2, sched_setaffinity, execvpe, ppoll */
#include "base/process/child.h"

#include "base/process/core_types.h"

#include "base/clock.h"

#include "attn/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 256 << 20 };

static volatile sig_atomic_t stop_signal;
static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { STOP_SIGNALS = sizeof stop_signals / sizeof *stop_signals };

int child_pick_cpu(int asked, attn_error *error) {
    cpu_set_t allowed;
    int last = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return attn_fail(error, "CPUs of this process: %s", strerror(errno));
    if (asked >= 0 && asked < CPU_SETSIZE && CPU_ISSET((size_t)asked, &allowed))
        return asked;
    if (asked < 0)
        core_types_fastest(&allowed, NULL);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, &allowed))
            last = i;
    if (asked < 0)
        return last;
    return attn_fail(error, "--cpu %d: not a CPU that this process may use (the last is %d)", asked, last);
}

static void take_note(int number) {
    if (!stop_signal)
        stop_signal = number;
}

int child_stop_signal(void) {
    return stop_signal;
}

/* They stay blocked but while waiting for a child, so that none is missed between a look at stop_signal and
 * the wait. */
void child_catch_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < STOP_SIGNALS; i++) {
        struct sigaction action = {.sa_handler = take_note}, before;
        if (!sigaction(stop_signals[i], NULL, &before) && before.sa_handler == SIG_IGN)
            continue;
        sigaction(stop_signals[i], &action, NULL);
        sigaddset(&set, stop_signals[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void unblock_signals(sigset_t *mask) {
    sigprocmask(SIG_SETMASK, NULL, mask);
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigdelset(mask, stop_signals[i]);
}

/* Ctrl-C goes to the child too: its end may be seen before the signal that is waiting for us. */
static int stop_came(void) {
    sigset_t open, blocked;
    unblock_signals(&open);
    sigprocmask(SIG_SETMASK, &open, &blocked);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    return stop_signal;
}

typedef struct pipes {
    int in[2], out[2], err[2]; /* in: a socket, as writing to one that is closed raises no signal */
    int start[2];              /* carries errno when the program could not be run */
} pipes;

static void close_one(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipes(pipes *p) {
    for (int i = 0; i < 2; i++) {
        close_one(&p->in[i]);
        close_one(&p->out[i]);
        close_one(&p->err[i]);
        close_one(&p->start[i]);
    }
}

static int open_pipes(pipes *p, bool talk, attn_error *error) {
    *p = (pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if ((!talk || !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->in)) && !pipe2(p->out, O_CLOEXEC) &&
        !pipe2(p->err, O_CLOEXEC) && !pipe2(p->start, O_CLOEXEC))
        return 0;
    attn_fail(error, "pipe: %s", strerror(errno));
    close_pipes(p);
    return -1;
}

/* What a child does: a program, or a function of this one. */
typedef struct task {
    char *const *argv;
    child_work *work;
    void *context;
} task;

static bool pin(int cpu, size_t count) {
    cpu_set_t some, allowed;
    CPU_ZERO(&some);
    if (cpu < 0)
        return true;
    CPU_SET((size_t)cpu, &some);
    if (count > 1 && sched_getaffinity(0, sizeof allowed, &allowed))
        return false;
    for (size_t i = 1; i < CPU_SETSIZE && (size_t)CPU_COUNT(&some) < count; i++) {
        size_t next = ((size_t)cpu + i) % CPU_SETSIZE;
        if (CPU_ISSET(next, &allowed))
            CPU_SET(next, &some);
    }
    return !sched_setaffinity(0, sizeof some, &some);
}

static bool point_errors(child_errors errors, const pipes *p) {
    return errors == CHILD_SHOWN ||
           dup2(errors == CHILD_TO_OUTPUT ? p->out[1] : p->err[1], STDERR_FILENO) >= 0;
}

/* Comes back only when there is no such program. */
static void start(const task *t, const child_place *place, const pipes *p) {
    char *const *environment = place->environment ? place->environment : environ;
    if (t->work) {
        close(p->start[1]); /* the parent waits for its end */
        _exit(t->work(t->context));
    }
    if (strchr(t->argv[0], '/'))
        execve(t->argv[0], t->argv, environment);
    else
        execvpe(t->argv[0], t->argv, environment);
}

/* In the child: only calls that are safe after fork and vfork. It changes no memory but its own variables, errno and,
 * by take_note, stop_signal when a stop signal came to parent and child. */
static _Noreturn void become(const task *t, const child_place *place, const pipes *p, pid_t parent) {
    sigset_t mask;
    int input = p->in[0] >= 0 ? p->in[0] : open("/dev/null", O_RDONLY | O_CLOEXEC);
    int without = input < 0 ? errno : 0;
    unblock_signals(&mask);
    setpgid(0, 0); /* what it starts ends with it */
    if (!prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent && input >= 0 &&
        dup2(input, STDIN_FILENO) >= 0 && dup2(p->out[1], STDOUT_FILENO) >= 0 &&
        point_errors(place->errors, p) && pin(place->cpu, place->cpus) &&
        !sigprocmask(SIG_SETMASK, &mask, NULL) && (!place->folder || !chdir(place->folder)))
        start(t, place, p);
    int why = without ? -without : errno; /* below 0: of /dev/null, and not of the program */
    ssize_t written = write(p->start[1], &why, sizeof why);
    _exit(written == sizeof why ? 127 : 126);
}

typedef struct buffer {
    char *bytes;
    size_t size;
} buffer;

/* 1: more may come, 0: the end, -1: failed. */
static int take(buffer *b, int fd, attn_error *error) {
    size_t room = attn_alloc_size(b->bytes);
    if (b->size + 1 >= room) {
        if (room > OUTPUT_LIMIT)
            return attn_fail(error, "a process printed more than %d MiB", OUTPUT_LIMIT >> 20);
        char *grown = attn_realloc(b->bytes, room ? 2 * room : 1 << 14, 1, "output of a process", error);
        if (!grown)
            return -1;
        b->bytes = grown;
        room = attn_alloc_size(grown);
    }
    ssize_t n = read(fd, b->bytes + b->size, room - 1 - b->size);
    if (n < 0)
        return errno == EINTR ? 1 : attn_fail(error, "output of a process: %s", strerror(errno));
    b->size += (size_t)n;
    b->bytes[b->size] = '\0';
    return n > 0;
}

int child_poll(struct pollfd *polled, size_t count, double end, attn_error *error) {
    sigset_t mask;
    double whole, part = modf(fmax(end - clock_now(), 0), &whole);
    struct timespec left = {(time_t)whole, (long)(1e9 * part)};
    unblock_signals(&mask);
    if (ppoll(polled, count, &left, &mask) < 0 && errno != EINTR)
        return attn_fail(error, "output of a process: %s", strerror(errno));
    if (stop_signal)
        return attn_fail_as(error, ATTN_ERROR_STOPPED, "stopped by signal %d", (int)stop_signal);
    return clock_now() < end;
}

/* Until the child and what it prints have ended, or until the limit: then *late. `ended` becomes readable
 * with the child's end (-1: a kernel without that; then what it prints has to do). */
static int collect(buffer *out, buffer *err, bool *late, double limit, const pipes *p, int ended,
                   attn_error *error) {
    struct pollfd polled[3] = {{p->out[0], POLLIN, 0}, {p->err[0], POLLIN, 0}, {ended, POLLIN, 0}};
    buffer *const to[2] = {out, err};
    double end = clock_now() + limit;
    while (polled[0].fd >= 0 || polled[1].fd >= 0 || polled[2].fd >= 0) {
        int in_time = child_poll(polled, 3, end, error);
        if (in_time < 0)
            return -1;
        *late = !in_time;
        if (*late)
            return 0;
        for (int i = 0; i < 3; i++) {
            if (polled[i].fd < 0 || !polled[i].revents)
                continue;
            int more = i < 2 ? take(to[i], polled[i].fd, error) : 0;
            if (more < 0)
                return -1;
            if (!more)
                polled[i].fd = -1; /* poll passes over it */
            polled[i].revents = 0;
        }
    }
    return 0;
}

static void last_line(char *to, size_t size, char *text) {
    to[0] = '\0';
    for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n"))
        if (line[strspn(line, " \t\r")])
            snprintf(to, size, "%s", line);
}

/* With all that it started. */
static void end_group(pid_t pid) {
    if (kill(-pid, SIGKILL))
        kill(pid, SIGKILL); /* it has no group yet */
}

static void reap(child_result *result, pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    result->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int not_run(const char *program, int why, attn_error *error) {
    if (why < 0)
        return attn_fail(error, "/dev/null: cannot be opened: %s", strerror(-why));
    return attn_fail_as(error, why == ENOENT ? ATTN_ERROR_UNSUPPORTED : ATTN_ERROR_INPUT,
                        "%s: cannot be run: %s", program, strerror(why));
}

static int watch(child_result *result, pid_t pid, pipes *p, const char *program, double limit,
                 attn_error *error) {
    buffer out = {0}, err = {0};
    int why = 0, ended = pidfd_open(pid, 0);
    int failed = read(p->start[0], &why, sizeof why) == sizeof why
                     ? not_run(program, why, error)
                     : collect(&out, &err, &result->late, limit, p, ended, error);
    if (failed || result->late)
        end_group(pid);
    reap(result, pid);
    close_one(&ended);
    if (!failed && stop_came())
        failed = attn_fail_as(error, ATTN_ERROR_STOPPED, "stopped by signal %d", (int)stop_signal);
    last_line(result->message, sizeof result->message, err.bytes);
    attn_free(err.bytes);
    result->output = out.bytes;
    result->size = out.size;
    if (!failed)
        return 0;
    attn_free(out.bytes);
    result->output = NULL;
    return -1;
}

/* fork copies page tables, which takes long where much memory is in use. A child of vfork has this process's memory, and
 * the calling thread waits, until the program begins. */
static pid_t fork_into(const task *t, const child_place *place, pipes *p) {
    pid_t parent = getpid(), pid = t->work ? fork() : vfork();
    if (!pid)
        become(t, place, p, parent);
    close_one(&p->in[0]);
    close_one(&p->out[1]);
    close_one(&p->err[1]);
    close_one(&p->start[1]);
    return pid;
}

static int run(child_result *result, const task *t, const child_place *place, attn_error *error) {
    pipes p;
    const char *name = t->argv ? t->argv[0] : "a process";
    *result = (child_result){.status = -1};
    if (stop_signal)
        return attn_fail_as(error, ATTN_ERROR_STOPPED, "stopped by signal %d", (int)stop_signal);
    if (open_pipes(&p, false, error))
        return -1;
    pid_t pid = fork_into(t, place, &p);
    int failed = pid < 0 ? not_run(name, errno, error)
                         : watch(result, pid, &p, name, place->limit > 0 ? place->limit : CHILD_LIMIT, error);
    close_pipes(&p);
    return failed;
}

int child_run(child_result *result, char *const argv[], const child_place *place, attn_error *error) {
    const task t = {.argv = argv};
    return run(result, &t, place, error);
}

static int start_task(child_talk *talk, const task *t, const child_place *place, attn_error *error) {
    pipes p;
    int why = 0;
    const char *name = t->argv ? t->argv[0] : "a process";
    *talk = (child_talk){.in = -1, .out = -1, .err = -1};
    if (open_pipes(&p, true, error))
        return -1;
    pid_t pid = fork_into(t, place, &p);
    int failed = pid < 0                                            ? not_run(name, errno, error)
                 : read(p.start[0], &why, sizeof why) == sizeof why ? not_run(name, why, error)
                                                                    : 0;
    *talk = (child_talk){.pid = pid, .in = p.in[1], .out = p.out[0], .err = p.err[0]};
    p.in[1] = p.out[0] = p.err[0] = -1;
    close_pipes(&p);
    if (failed) {
        child_result r;
        child_end(talk, &r);
    }
    return failed;
}

int child_start(child_talk *talk, char *const argv[], const child_place *place, attn_error *error) {
    const task t = {.argv = argv};
    return start_task(talk, &t, place, error);
}

int child_start_call(child_talk *talk, child_work *work, void *context, const child_place *place,
                     attn_error *error) {
    const task t = {.work = work, .context = context};
    return start_task(talk, &t, place, error);
}

void child_end(child_talk *talk, child_result *result) {
    buffer err = {0};
    *result = (child_result){.status = -1};
    close_one(&talk->in);
    close_one(&talk->out);
    if (talk->pid > 0) {
        end_group(talk->pid);
        reap(result, talk->pid);
    }
    while (talk->err >= 0 && take(&err, talk->err, NULL) > 0)
        ;
    last_line(result->message, sizeof result->message, err.bytes);
    attn_free(err.bytes);
    close_one(&talk->err);
    talk->pid = 0;
}

int child_call(child_result *result, child_work *work, void *context, const child_place *place,
               attn_error *error) {
    const task t = {.work = work, .context = context};
    return run(result, &t, place, error);
}

int child_json(json_t **reply, child_result *result, char *const argv[], const child_place *place,
               attn_error *error) {
    *reply = NULL;
    if (child_run(result, argv, place, error))
        return -1;
    if (!result->status && result->output)
        *reply = json_loadb(result->output, result->size, 0, NULL);
    attn_free(result->output);
    result->output = NULL;
    return 0;
}
