#!/usr/bin/python3
"""check_fbank.py ATTNBENCH CORPUS SPLIT: `attnbench features` on every FLAC file of a split against
torchaudio.compliance.kaldi.fbank: within 1e-3 wherever a bin is within 18 nepers of its frame's peak."""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torchaudio

TOLERANCE, RANGE = 1e-3, 18


def difference(attnbench, path, output):
    subprocess.run([attnbench, "features", "--input", path, "--output", output], check=True, stderr=subprocess.DEVNULL)
    found = np.load(output)
    waveform, rate = torchaudio.load(str(path))
    expected = torchaudio.compliance.kaldi.fbank(
        waveform * 32768, num_mel_bins=80, sample_frequency=rate, dither=0.0, energy_floor=0.0
    ).numpy()
    assert found.shape == expected.shape and found.dtype == np.float32, (path, found.shape, expected.shape)
    assert np.isfinite(found).all(), path
    within = expected >= expected.max(axis=1, keepdims=True) - RANGE
    return np.abs(found - expected)[within].max()


def main(attnbench, corpus, split):
    paths = sorted((pathlib.Path(corpus) / split).glob("*/*/*.flac"))
    assert paths, f"{corpus}/{split}: no FLAC files"
    with tempfile.TemporaryDirectory() as folder:
        worst = max((difference(attnbench, p, f"{folder}/x.npy"), str(p)) for p in paths)
    print(f"{len(paths)} files, largest difference {worst[0]:.2e} ({worst[1]}), {TOLERANCE:g} is allowed")
    return 0 if worst[0] <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
