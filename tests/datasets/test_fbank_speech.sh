#!/usr/bin/env bash
# Features of real speech against torchaudio's, where both are there: ATTNBENCH_SPEECH names a corpus with a split "test".
set -u
cd "$(dirname "$0")/../.." || exit
attnbench=${ATTNBENCH:-build/attnbench}
if [ ! -d "${ATTNBENCH_SPEECH:-}/test" ]; then
    echo "[  SKIPPED ] features of real speech: ATTNBENCH_SPEECH is not a corpus with a split \"test\""
elif ! /usr/bin/python3 -c 'import torchaudio' 2>/dev/null; then
    echo "[  SKIPPED ] features of real speech: python3-torchaudio is not installed"
else
    /usr/bin/python3 -B tests/golden/check_fbank.py "$attnbench" "$ATTNBENCH_SPEECH" test || exit 1
    echo "[       OK ] features of real speech agree with torchaudio"
fi
