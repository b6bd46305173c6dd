#include "bench/peers/installed.h"

#include "base/process/child.h"
#include "base/text/utf8.h"

#include "attn/alloc.h"

#include <stdio.h>
#include <string.h>

static const double PATIENCE = 120; /* seconds: a first import of PyTorch from a slow disk */

int bench_peer_installed(char text[BENCH_PEER_TEXT], const bench_peer *peer, attn_error *error) {
    attn_error why = {0};
    child_result r;
    char *script = bench_peer_script(peer, error), *python = attn_strdup(bench_peer_python(), error);
    static char version[] = "--version";
    char *const words[] = {python, script, version, NULL};
    const child_place place = {.cpu = -1, .limit = PATIENCE};
    int result = script && python ? child_run(&r, words, &place, &why) : -1;
    attn_free(script);
    attn_free(python);
    if (result && why.code != ATTN_ERROR_UNSUPPORTED) /* there is a python3 */
        return error->message[0] ? -1 : attn_fail_as(error, why.code, "%s", why.message);
    if (result) {
        snprintf(text, BENCH_PEER_TEXT, "%.*s", BENCH_PEER_TEXT - 1, why.message);
        return 0;
    }
    bool there = !r.status && r.output && *r.output;
    snprintf(text, BENCH_PEER_TEXT, "%.*s", BENCH_PEER_TEXT - 1,
             there        ? r.output
             : *r.message ? r.message
                          : "it did not answer");
    text[strcspn(text, "\n")] = '\0';
    utf8_mend(text);
    attn_free(r.output);
    return there;
}
