/* attnbench for the cases of tests/bad: BAD_INPUT --cases CASES OUT runs each case in a process forked from this one,
 * which has begun already: under ASan a program takes longer to begin than most cases take. Any other arguments are
 * attnbench's, as it starts itself again.
 *
 * CASES is text ended by zero bytes: for each case its folder, the number of environment words and these (NAME=value),
 * the number of arguments and these. What a case prints goes to OUT/NAME.stdout and OUT/NAME.stderr, NAME being its
 * folder's; a line "NAME STATUS" goes to standard output, where a signal N is 128 + N as in a shell. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* attnbench's, by the linker's --wrap. */
int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);

enum { CASE_SECONDS = 60, MOST_WORDS = 64 };

typedef struct {
    char *folder;
    int environment_count, argument_count;
    char *environment[MOST_WORDS], *arguments[MOST_WORDS];
} bad_case;

static char *text, *text_end; /* of CASES: global, so that its bytes are no leak in a case */

static int fail(const char *what) {
    perror(what);
    return 1;
}

static int read_cases(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) || !(text = malloc((size_t)status.st_size + 1)))
        return fail(path);
    ssize_t size = read(fd, text, (size_t)status.st_size);
    close(fd);
    if (size != status.st_size)
        return fail(path);
    text_end = text + size;
    *text_end = '\0';
    return 0;
}

static char *next_word(char **at) {
    char *word = *at;
    *at += strlen(word) + 1;
    return word;
}

static int next_words(char **at, char **words) {
    int count = atoi(next_word(at));
    if (count < 0 || count >= MOST_WORDS) {
        fprintf(stderr, "%d words are too many for a case\n", count);
        exit(1);
    }
    for (int i = 0; i < count; i++)
        words[i] = next_word(at);
    words[count] = NULL;
    return count;
}

static void redirect(int fd, const char *path, int flags) {
    int file = open(path, flags, 0666);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(fail(path));
    close(file);
}

static char *output_path(const char *out, const char *name, const char *stream) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", out, name, stream);
    return path;
}

/* Ends as the program does, with exit, at which ASan looks for leaks. */
static void run_here(bad_case *c, const char *out, const char *name) {
    redirect(STDOUT_FILENO, output_path(out, name, "stdout"), O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, output_path(out, name, "stderr"), O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    if (chdir(c->folder))
        _exit(fail(c->folder));
    setenv("PWD", c->folder, 1);
    for (int i = 0; i < c->environment_count; i++)
        putenv(c->environment[i]);
    alarm(CASE_SECONDS);
    exit(__real_main(c->argument_count, c->arguments));
}

static int run_case(bad_case *c, const char *out) {
    const char *slash = strrchr(c->folder, '/'), *name = slash ? slash + 1 : c->folder;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid)
        run_here(c, out, name);
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return fail(name);
    printf("%s %d\n", name, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}

int __wrap_main(int argc, char **argv) {
    if (argc != 4 || strcmp(argv[1], "--cases"))
        return __real_main(argc, argv);
    if (read_cases(argv[2]))
        return 1;
    static bad_case c;
    for (char *at = text; at < text_end;) {
        c.folder = next_word(&at);
        c.environment_count = next_words(&at, c.environment);
        c.argument_count = next_words(&at, c.arguments);
        if (run_case(&c, argv[3]))
            return 1;
    }
    return 0;
}
