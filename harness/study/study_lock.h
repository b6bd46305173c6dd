/* Who works in the folder of a study: one study, or shards of one split. Private to study_*.c. */
#ifndef HARNESS_STUDY_LOCK_H
#define HARNESS_STUDY_LOCK_H

#include "attn/error.h"
#include "base/shard.h"

typedef struct study_lock {
    int folder, own; /* open files; -1: none */
} study_lock;

/* Two of them would spoil each other's files. After a failure nothing is held. */
int study_lock_take(study_lock *lock, const char *out, const shard *own, attn_error *error);
void study_lock_drop(study_lock *lock);

#endif
