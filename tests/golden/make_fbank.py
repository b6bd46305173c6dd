#!/usr/bin/python3
"""Makes fbank/NAME.wav and fbank/NAME.npy next to this script: synthetic signals, 16 kHz mono 16 bit, and what
torchaudio.compliance.kaldi.fbank gives for them ([frames, 80] float32). Needs Debian's python3-torch and
python3-torchaudio. The same every time."""
import pathlib
import wave

import numpy as np
import torch
import torchaudio

RATE = 16000


def signals():
    random = np.random.default_rng(1)
    t = np.arange(2800) / RATE

    def tone(hz, n=None):
        return np.sin(2 * np.pi * hz * t[:n])

    yield "noise", 0.3 * random.standard_normal(t.size)
    yield "tones", 0.5 * tone(440) + 0.2 * tone(2500) + 0.01 * tone(7300)
    yield "chirp", 0.8 * np.sin(2 * np.pi * (50 * t + 0.5 * (7900 - 50) / t[-1] * t**2))
    yield "silence_within", np.where((t > 0.04) & (t < 0.12), 0, 0.2 * random.standard_normal(t.size))
    yield "offset", 0.5 + 0.02 * tone(300) + 0.001 * random.standard_normal(t.size)
    yield "full_scale", np.sign(tone(210))
    yield "quiet", random.integers(-1, 2, t.size) / 32768
    yield "one_frame", 0.1 * random.standard_normal(400)
    yield "one_frame_and_a_bit", 0.1 * random.standard_normal(559)
    yield "two_frames", 0.1 * random.standard_normal(560)


def main():
    folder = pathlib.Path(__file__).parent / "fbank"
    folder.mkdir(exist_ok=True)
    for name, signal in signals():
        pcm = np.clip(np.round(signal * 32768), -32768, 32767).astype("<i2")
        with wave.open(str(folder / f"{name}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(pcm.tobytes())
        waveform = torch.from_numpy(pcm.astype(np.float32))[None]  # int16-scaled
        features = torchaudio.compliance.kaldi.fbank(
            waveform, num_mel_bins=80, sample_frequency=RATE, dither=0.0, energy_floor=0.0
        )
        np.save(folder / f"{name}.npy", features.numpy())


if __name__ == "__main__":
    main()
