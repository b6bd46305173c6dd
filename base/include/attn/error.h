/* Errors: everything that can fail returns 0 or -1 and fills a caller-owned attn_error. */
#ifndef ATTN_ERROR_H
#define ATTN_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* A one-line message: what was wrong, where, and what was expected. Start with {0}: no error.
 * The first error wins; later ones are dropped, so clean-up code may fail freely. */
typedef struct attn_error {
    char message[640];
} attn_error;

/* Records the message (made one line) unless one is there already. `error` may be NULL. Always returns -1. */
int attn_fail(attn_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif
#endif
