#include "reports/plots/gnuplot.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const size_t SVG_LIMIT = (size_t)64 << 20;

/* The child's exit status, or the errno of not starting it as a negative number. Its words go to gnuplot.log.
 */
static int run(const char *folder, const char *script) {
    char *arguments[] = {"gnuplot", "-d", (char *)script, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    if (posix_spawn_file_actions_init(&actions))
        return -ENOMEM;
    int code = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (!code)
        code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!code)
        code =
            posix_spawn_file_actions_addopen(&actions, 2, "gnuplot.log", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (!code)
        code = posix_spawn_file_actions_adddup2(&actions, 2, 1);
    if (!code)
        code = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code)
        return -code;
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

gnuplot_result gnuplot_run(const char *folder, const char *name, attn_error *error) {
    char script[128];
    snprintf(script, sizeof script, "%s.gp", name);
    int status = run(folder, script);
    if (status == -ENOENT)
        return GNUPLOT_MISSING;
    char *log_path = attn_format(error, "%s/gnuplot.log", folder);
    char *log = log_path ? attn_read_file(log_path, (size_t)1 << 20, NULL, NULL) : NULL;
    if (status)
        attn_fail(error, "gnuplot %s: %s", script,
                  status < 0    ? strerror(-status)
                  : log && *log ? log + strspn(log, " \t\r\n")
                                : "it failed without a word");
    if (log_path)
        unlink(log_path);
    attn_free(log);
    attn_free(log_path);
    return status ? GNUPLOT_FAILED : GNUPLOT_DRAWN;
}

/* "@" in a replacement stands for the picture's name. */
static const struct {
    const char *from, *to;
} rules[] = {
    {" xmlns=\"http://www.w3.org/2000/svg\"", ""},
    {" xmlns:xlink=\"http://www.w3.org/1999/xlink\"", ""},
    {"xlink:href='#", "href='#@_"},
    {" id=\"gnuplot_canvas\"", ""},
    {" id='", " id='@_"},
    {" color=\"black\"", ""},
    {"\"black\"", "\"currentColor\""},
    {"'black'", "'currentColor'"},
    {" font-family=\"sans-serif\"", ""},
    {" fill=\"#ffffff\"/>", " fill=\"none\"/>"},
};
enum { RULES = sizeof rules / sizeof *rules };

static const char *replace(FILE *out, const char *at, const char *name) {
    for (size_t i = 0; i < RULES; i++) {
        size_t length = strlen(rules[i].from);
        if (strncmp(at, rules[i].from, length))
            continue;
        for (const char *c = rules[i].to; *c; c++)
            if (*c == '@')
                fputs(name, out);
            else
                fputc(*c, out);
        return at + length;
    }
    fputc(*at, out);
    return at + 1;
}

/* Past gnuplot's own title and description: the page says better what it is. */
static const char *after_head(const char *svg) {
    const char *end = strstr(svg, "</desc>");
    return end ? end + strlen("</desc>") : svg;
}

static char *rewrite(const char *svg, const char *name, attn_error *error) {
    char *text = NULL, *copy = NULL;
    size_t size;
    const char *box = strstr(svg, "viewBox=\""), *end = box ? strchr(box + 9, '"') : NULL;
    if (!end) {
        attn_fail(error, "%s.svg: not what gnuplot writes", name);
        return NULL;
    }
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        attn_fail(error, "%s.svg: out of memory", name);
        return NULL;
    }
    fprintf(out, "<svg %.*s\" role=\"img\" aria-label=\"%s\">", (int)(end - box), box, name);
    for (const char *at = after_head(svg); *at;)
        at = replace(out, at, name);
    if (!fclose(out))
        copy = attn_strdup(text, error);
    else
        attn_fail(error, "%s.svg: out of memory", name);
    free(text);
    return copy;
}

char *gnuplot_inline_svg(const char *folder, const char *name, attn_error *error) {
    char *path = attn_format(error, "%s/%s.svg", folder, name);
    char *svg = path ? attn_read_file(path, SVG_LIMIT, NULL, error) : NULL;
    char *text = svg ? rewrite(svg, name, error) : NULL;
    attn_free(svg);
    attn_free(path);
    return text;
}
