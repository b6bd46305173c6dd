#!/usr/bin/python3
"""make_speech.py ATTNBENCH: makes speech/ next to this script: two utterances, models with normalisation converted from checkpoints
as ESPnet and WeNet save them, and what PyTorch gives for them on features of torchaudio. ATTNBENCH only squeezes the models whose
error `analyze` has to find; the error itself is PyTorch's."""

import json
import pathlib
import shutil
import sys
import tempfile
import wave

import numpy as np
import torch
import torchaudio

import check_checkpoint
import check_checkpoint_data as data
from checkpoints import convert

LATENT = 5


def features(path):
    with wave.open(str(path)) as stream:
        rate, pcm = stream.getframerate(), np.frombuffer(stream.readframes(stream.getnframes()), "<i2")
    waveform = torch.from_numpy(pcm.astype(np.float32))[None]  # int16-scaled
    return torchaudio.compliance.kaldi.fbank(
        waveform, num_mel_bins=80, sample_frequency=rate, dither=0.0, energy_floor=0.0).numpy()


def make(attnbench, name, chapter, folder):
    model = data.speech_model(name, check_checkpoint.CASES[name])
    inputs = [features(chapter / f"{utterance}.wav") for utterance in data.IDS]
    data.set_statistics(model, inputs[0])
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        torch.save(model.state_dict(), work / "final.pt")
        status, text = convert(work, model.framework, *model.options(work))
        assert not status, text
        shutil.copytree(chapter.parents[2], work / "corpus")
        outputs = [model.expected(x[None])[0] for x in inputs]
        error = data.expected_error(attnbench, model, work, inputs, outputs, LATENT)
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("c.yaml", "w.safetensors", "m.yaml", "m.safetensors"):
            shutil.copy(work / file, folder / file)
    for utterance, y in zip(data.IDS, outputs):
        np.save(folder / f"{utterance}.npy", y.astype(np.float32))
    (folder / "expected.json").write_text(json.dumps(dict(output_rms=[data.rms(y) for y in outputs], relative_error=error), indent=1) + "\n")


def main():
    speech = pathlib.Path(__file__).parent / "speech"
    chapter = data.make_corpus(speech / "corpus")
    for name in ("espnet-conformer", "wenet-conformer"):
        make(sys.argv[1], name, chapter, speech / name.split("-")[0])


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
