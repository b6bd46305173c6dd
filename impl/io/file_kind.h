/* What a file that is no safetensors file is, by its first bytes. */
#ifndef IMPL_IO_FILE_KIND_H
#define IMPL_IO_FILE_KIND_H

#include <stddef.h>

/* "a pointer of Git LFS ...", with what to do about it; NULL when the bytes are nothing that is known. */
const char *file_kind(const unsigned char *bytes, size_t size);

#endif
