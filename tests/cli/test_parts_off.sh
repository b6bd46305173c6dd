#!/usr/bin/env bash
# The markers of parts, of encoders and of attention, compile to nothing when they are off: the code is that of sources
# without them.
# Runs once: it compiles what it looks at. Starts early.
. "$(dirname "$0")/../support/check.sh"
: "${BUILD:=build}" "${CC:=gcc}"

includes=(-I. -Iimpl/include -Ibase/include "-I$BUILD/include")
read -ra compiler <<<"$CC"
read -ra packages <<<"$(pkg-config --cflags openblas 2>/dev/null)"
code() { # object, source, flags...: its machine code alone
    local object=$1 source=$2
    shift 2
    "${compiler[@]}" -std=c17 -O2 -D_DEFAULT_SOURCE -pthread "${includes[@]}" "${packages[@]}" "$@" -x c -c -o "$scratch/$object.o" "$source" &&
        objcopy -O binary --only-section=.text "$scratch/$object.o" "$scratch/$object.code" && [ -s "$scratch/$object.code" ]
}

sources=$(grep -lE '(attn_mark_part|attn_mark_inner|[^_]mark)\(.*ATTN_(PART|INNER)_' impl/*/*.c impl/*/*/*.c)
check "markers of attention, feed-forward, convolution and subsampling" eval \
    'for part in ATTENTION FEED_FORWARD CONVOLUTION SUBSAMPLING; do grep -qE "mark.*ATTN_PART_$part" $sources || exit 1; done'
check "and of the parts inside of attention" eval \
    'for part in $(sed -n "s/^PART(\([A-Z_]*\),.*/\1/p" impl/attention/parts.inc); do grep -q "attn_mark_inner(ATTN_INNER_$part);" $sources || exit 1; done'
for source in $sources; do
    of=$(basename "$source" .c)
    sed -E 's/^( *)(attn_mark_part|attn_mark_inner|mark)\(([a-z]+, )?ATTN_(PART|INNER)_[A-Z_]+\);/\1;/' "$source" >"$scratch/$of.c"
    check "$of: off is the code without markers" eval '! cmp -s "$source" "$scratch/$of.c" &&
        code "$of.off" "$source" -DATTN_NO_PARTS && code "$of.bare" "$scratch/$of.c" -DATTN_NO_PARTS &&
        cmp "$scratch/$of.off.code" "$scratch/$of.bare.code"'
    check "$of: on is not" eval 'code "$of.on" "$source" && ! cmp -s "$scratch/$of.on.code" "$scratch/$of.off.code"'
done
exit $failed
