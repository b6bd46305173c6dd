#include "impl/attention/parts.h"

_Thread_local attn_inner_watch attn_inner_watched;
