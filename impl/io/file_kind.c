#define _GNU_SOURCE /* memmem */
#include "impl/io/file_kind.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { LOOKED_AT = 4096 };

#define CONVERTER "harness/conversion/convert_checkpoint.py makes safetensors of it"

static const struct {
    const char *start;
    size_t length;
    const char *kind;
} kinds[] = {
    {"version https://git-lfs", 23, "a pointer of Git LFS and not the file itself (git lfs pull gets that)"},
    {"\x80\x02", 2, "a pickle, as PyTorch saves checkpoints: " CONVERTER},
    {"\x80\x04", 2, "a pickle, as PyTorch saves checkpoints: " CONVERTER},
    {"\x93NUMPY", 6, "a NumPy array (.npy)"},
    {"\x89HDF", 4, "an HDF5 file, as Keras and NeMo save them"},
    {"GGUF", 4, "a GGUF file"},
    {"\x1f\x8b", 2, "compressed by gzip: unpack it first"},
    {"BZh", 3, "compressed by bzip2: unpack it first"},
    {"\xfd"
     "7zXZ",
     5, "compressed by xz: unpack it first"},
    {"\x28\xb5\x2f\xfd", 4, "compressed by zstd: unpack it first"},
    {"RIFF", 4, "audio (WAV)"},
    {"fLaC", 4, "audio (FLAC)"},
};

static bool contains(const unsigned char *bytes, size_t size, const char *text) {
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

/* Archives of PyTorch and NumPy are zip files, which begin with the name of their first member. */
static const char *zip_kind(const unsigned char *bytes, size_t size) {
    if (contains(bytes, size, ".npy"))
        return "an archive of NumPy arrays (.npz)";
    if (contains(bytes, size, "/data.pkl") || contains(bytes, size, "/constants.pkl") ||
        contains(bytes, size, "/version"))
        return "a PyTorch checkpoint (.pt, .pth): " CONVERTER;
    return "a zip archive";
}

static const char *text_kind(const unsigned char *bytes, size_t size) {
    static const char *const pages[] = {"<!doctype html", "<html", "<head", "<?xml"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (size >= strlen(pages[i]) && !strncasecmp((const char *)bytes, pages[i], strlen(pages[i])))
            return "a web page (HTML or XML), which a server sent instead of the file";
    if (size && *bytes == '{')
        return contains(bytes, size, "\"weight_map\"") || contains(bytes, size, "\"total_size\"")
                   ? "an index of a checkpoint in several files (index.json): merge those into one file"
                   : "a JSON text";
    for (size_t i = 0; i < size; i++)
        if (!isprint(bytes[i]) && !isspace(bytes[i]))
            return NULL;
    return size ? "a text" : NULL;
}

const char *file_kind(const unsigned char *bytes, size_t size) {
    size = size < LOOKED_AT ? size : LOOKED_AT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (size >= kinds[i].length && !memcmp(bytes, kinds[i].start, kinds[i].length))
            return kinds[i].kind;
    if (size >= 4 && !memcmp(bytes, "PK\3\4", 4))
        return zip_kind(bytes, size);
    while (size && isspace(*bytes)) {
        bytes++;
        size--;
    }
    return text_kind(bytes, size);
}
