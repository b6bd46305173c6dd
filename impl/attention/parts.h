/* Where the parts of an attention call begin. Private: users of the library have no markers. */
#ifndef IMPL_ATTENTION_PARTS_H
#define IMPL_ATTENTION_PARTS_H

typedef enum attn_inner {
#define PART(name, text) ATTN_INNER_##name,
#include "impl/attention/parts.inc"
#undef PART
    ATTN_INNER_PARTS
} attn_inner;

/* Called when a part of a call begins (the one before ends there). */
typedef void attn_inner_hook(void *context, attn_inner part);

/* Who is called from calls of this thread; its helpers in attn_share are not watched. hook NULL: nobody. */
typedef struct attn_inner_watch {
    attn_inner_hook *hook;
    void *context;
} attn_inner_watch;
extern _Thread_local attn_inner_watch attn_inner_watched;

#ifdef ATTN_NO_PARTS
#define attn_mark_inner(part) ((void)0)
#else
static inline void attn_mark_inner(attn_inner part) {
    if (attn_inner_watched.hook)
        attn_inner_watched.hook(attn_inner_watched.context, part);
}
#endif

#endif
