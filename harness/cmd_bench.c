/* attnbench bench: the measuring process. */
#include "harness/command.h"
#include "harness/home.h"

#include "attn/alloc.h"
#include "bench/bench.h"

int cmd_bench(int argc, char **argv) {
    attn_error error = {0};
    char *cases = home_path("bench/cases.txt", &error);
    if (!cases)
        return command_fail(argv[0], &error);
    int status = bench_main(argc, argv, cases, NULL);
    attn_free(cases);
    return status;
}
