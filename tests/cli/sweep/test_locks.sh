#!/usr/bin/env bash
# File systems without locks or without syncs, by a preloaded library: one line that names the file, and nothing begun.
. "$(dirname "$0")/../../support/check.sh"

cat >"$scratch/shim.c" <<'C'
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
static int wished(const char *name) {
    const char *number = getenv(name);
    errno = number ? atoi(number) : 0;
    return errno;
}
int flock(int fd, int how) {
    return wished("FLOCK_ERROR") ? -1 : (int)syscall(SYS_flock, fd, how);
}
int fsync(int fd) {
    struct stat status;
    if (!fstat(fd, &status) && wished(S_ISDIR(status.st_mode) ? "FOLDER_SYNC_ERROR" : "SYNC_ERROR"))
        return -1;
    return (int)syscall(SYS_fsync, fd);
}
C
if ! cc -shared -fPIC -o "$scratch/shim.so" "$scratch/shim.c" 2>/dev/null; then
    echo "[  SKIPPED ] no locks: there is no compiler"
    exit 0
fi
cd "$scratch" || exit
printf 'cases: [attention/mha/decode/L:8/h:1/d:4/impl:scalar]\n' >plan.yaml
wav() { # a second of silence
    printf 'RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x1\0\x1\0\x80\x3e\0\0\0\x7d\0\0\x2\0\x10\0data\0\x7d\0\0'
    head -c 32000 /dev/zero
}
mkdir -p corpus/{train,dev}/1/1
for split in train dev; do
    echo "1-1-0000 A" >corpus/$split/1/1/1-1.trans.txt
    wav >corpus/$split/1/1/1-1-0000.wav
done
cat >study.yaml <<'END'
test: dev
models: [{model_type: conformer, d_model: 8, num_heads: 2, num_layers: 1, conv_kernel_size: 3, num_epochs: 1}]
runs: [{origin: scratch}]
END

ended() { # status, what stderr's only line says, environment, --, command...
    local expected=$1 words=$2 setting=()
    shift 2
    while [ "$1" != -- ]; do
        setting+=("$1")
        shift
    done
    env LD_PRELOAD="$scratch/shim.so" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "${setting[@]}" "$ATTNBENCH" "${@:2}" >out 2>err
    [ $? -eq "$expected" ] && { [ -z "$words" ] || { [ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$words" err; }; }
}
sweep=(sweep --plan plan.yaml --counters off --min-time 0.0001 --repetitions 1)
study=(study --plan study.yaml --data corpus --out study)
ENOLCK=37 ENOSYS=38 EOPNOTSUPP=95 EIO=5 EINVAL=22
for error in $ENOLCK $ENOSYS $EOPNOTSUPP; do
    check "sweep: no locks ($error)" ended 2 "r.json.journal: cannot be locked: " FLOCK_ERROR=$error -- "${sweep[@]}" --out r.json
    check "study: no locks ($error)" ended 2 "study/.lock: cannot be locked: " FLOCK_ERROR=$error -- "${study[@]}"
    check "a shard of it: no locks ($error)" ended 2 "study/.lock: cannot be locked: " FLOCK_ERROR=$error -- "${study[@]}" --shard 1/2
    check "says what to do" grep -q "choose an --out on another" err
done
check "nothing is begun" [ ! -s r.json.journal ]
check "no runs either" [ ! -e study/runs ]
check "sweep: no sync" ended 2 "r.json.journal: cannot be written: Input/output error" SYNC_ERROR=$EIO -- "${sweep[@]}" --out r.json
check "and no results" [ ! -e r.json ]
check "a file system that syncs no folders is taken" ended 0 "" FOLDER_SYNC_ERROR=$EINVAL -- "${sweep[@]}" --out r.json
check "there are results then" [ -s r.json ]
exit $failed
