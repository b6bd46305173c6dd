#!/usr/bin/env bash
# PyTorch checkpoints of ESPnet and WeNet, converted and run; our checkpoints in PyTorch.
set -u
cd "$(dirname "$0")/../.." || exit
attnbench=${ATTNBENCH:-${BUILD:-build}/attnbench}

if ! /usr/bin/python3 -c 'import torch, yaml' 2>/dev/null; then
    echo "[  SKIPPED ] converted checkpoints: python3-torch or python3-yaml is not installed"
else
    /usr/bin/python3 -B tests/golden/check_checkpoint.py "$attnbench" || exit 1
    /usr/bin/python3 -B harness/conversion/convert_checkpoint.py --help | grep -q -- --training-config || exit 1
    echo "[       OK ] --help"
    /usr/bin/python3 -B tests/golden/check_export.py "$attnbench" || exit 1
fi
