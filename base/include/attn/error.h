/* Errors: everything that can fail returns 0 or -1 and fills a caller-owned attn_error. */
#ifndef ATTN_ERROR_H
#define ATTN_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* What to decide by; the message is for people. */
typedef enum attn_error_code {
    ATTN_ERROR_NONE,
    ATTN_ERROR_INPUT,       /* bad input, and all that has no code of its own */
    ATTN_ERROR_MEMORY,      /* memory was refused */
    ATTN_ERROR_UNSUPPORTED, /* this machine or this build lacks what it takes */
    ATTN_ERROR_STOPPED      /* a stop signal came */
} attn_error_code;

/* A code and a one-line message: what was wrong, where, and what was expected. Start with {0}: no error.
 * The first error wins; later ones are dropped, so clean-up code may fail freely. */
typedef struct attn_error {
    attn_error_code code;
    char message[640];
} attn_error;

/* Records ATTN_ERROR_INPUT and the message (made one line) unless an error is there already. `error` may be
 * NULL. Always returns -1. */
int attn_fail(attn_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with another code. */
int attn_fail_as(attn_error *error, attn_error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ATTN_ERROR_MEMORY, "WHAT: out of memory"; `what` may be NULL. */
int attn_no_memory(attn_error *error, const char *what);

#ifdef __cplusplus
}
#endif
#endif
