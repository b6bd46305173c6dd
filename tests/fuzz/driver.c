/* Runs a fuzz target without libFuzzer: over each seed (files, or folders of them), everything that cutting a
 * seed short gives, and everything that flipping one of its bits gives. */
#include "tests/fuzz/fuzz.h"

#include "attn/file.h"

#include <dirent.h>
#include <sys/stat.h>

enum { SEED_LIMIT = 1 << 20, MUTATE_LIMIT = 1 << 12 };

static size_t seeds, inputs;

/* In a block of exactly its size, so that the sanitizers see a read beyond it. */
static void run(const char *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    FUZZ_REQUIRE(copy);
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

static void run_seed(const char *path) {
    size_t size;
    attn_error error = {0};
    char *bytes = attn_read_file(path, SEED_LIMIT, &size, &error);
    if (!bytes) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    char *own = malloc(size + 1); /* so that the target sees no live block but its own */
    FUZZ_REQUIRE(own);
    memcpy(own, bytes, size);
    attn_free(bytes);
    run(own, size);
    seeds++;
    size_t mutated = size < MUTATE_LIMIT ? size : MUTATE_LIMIT;
    for (size_t cut = 0; cut < mutated; cut++)
        run(own, cut);
    for (size_t bit = 0; bit < 8 * mutated; bit++) {
        own[bit / 8] ^= (char)(1 << bit % 8);
        run(own, size);
        own[bit / 8] ^= (char)(1 << bit % 8);
    }
    free(own);
}

static void run_path(const char *path) {
    struct stat status;
    if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
        run_seed(path);
        return;
    }
    DIR *list = opendir(path);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        char below[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        run_path(below);
    }
    if (list)
        closedir(list);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        run_path(argv[i]);
    if (!seeds) {
        fprintf(stderr, "%s: no seeds\n", argv[0]);
        return 1;
    }
    printf("%zu inputs from %zu seeds\n", inputs, seeds);
    return 0;
}
