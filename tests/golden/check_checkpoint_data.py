"""A converted checkpoint with normalisation on speech: forward, profile-kv --data and analyze --data give PyTorch's numbers."""

import json
import wave

import numpy as np
import torch

import make_golden
from checkpoints import Model, convert, difference, fail, ok, read_safetensors, run

SPLIT, CHAPTER, IDS = "test", "7/70", ("7-70-0000", "7-70-0001")


def make_corpus(folder):
    """Two utterances of noise whose loudness and colour change."""
    chapter = folder / SPLIT / CHAPTER
    chapter.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(IDS):
        rng = np.random.RandomState(number)
        samples = rng.standard_normal(9000 + 3000 * number)
        samples = np.convolve(samples, [1, 0.9 - 0.5 * number, 0.3], "same") * (0.05 + np.abs(np.sin(np.arange(len(samples)) / 900)))
        with wave.open(str(chapter / f"{name}.wav"), "wb") as stream:
            stream.setparams((1, 2, 16000, 0, "NONE", ""))
            stream.writeframes((6000 * samples / np.abs(samples).max()).astype("<i2").tobytes())
    (chapter / "7-70.trans.txt").write_text("".join(f"{name} WORDS\n" for name in IDS))
    return chapter


def check_forward(attnbench, model, work, name, features):
    run(attnbench, model.name, "features", "--input", name, "--output", features)
    x = np.load(features)
    run(attnbench, model.name, "forward", "--config", work / "c.yaml", "--weights", work / "w.safetensors", "--input", features,
        "--output", work / "y.npy")
    y = model.expected(x[None])[0]
    difference(model.name, np.load(work / "y.npy"), y)
    return x, y


def rms(y):
    return float(np.sqrt(np.mean(y.astype(np.float64) ** 2)))


def check_profile(attnbench, model, work, outputs):
    text, _ = run(attnbench, model.name, "profile-kv", "--config", work / "c.yaml", "--weights", work / "w.safetensors", "--data",
                  work / "corpus", "--split", SPLIT, "--format", "json")
    for row, y in zip(json.loads(text)["utterances"], outputs, strict=True):
        expected = rms(y)
        if not abs(row["output_rms"] - expected) <= 1e-4 * expected:
            fail(model.name, f"profile-kv: output_rms {row['output_rms']} of {row['id']}, PyTorch's is {expected}")
    ok(f"{model.name}: profile-kv --data gives PyTorch's outputs")


def expected_error(attnbench, model, work, inputs, outputs, latent):
    """Converts the model to a small latent: the error of that at the output, by PyTorch."""
    run(attnbench, model.name, "convert", "--config", work / "c.yaml", "--weights", work / "w.safetensors", "--to", "mla_simple",
        "--latent-dim", latent, "--method", "activation", "--data", work / "corpus", "--split", SPLIT, "--out-config",
        work / "m.yaml", "--out-weights", work / "m.safetensors")
    weights = read_safetensors(work / "m.safetensors")
    istd = weights.pop("global_cmvn.istd")
    if not np.allclose(weights.pop("global_cmvn.mean"), model.mean) or not np.allclose(istd, 1 / model.std):
        fail(model.name, "convert changed global_cmvn.*")
    if "feature_norm: global_mvn" not in (work / "m.yaml").read_text():
        fail(model.name, "convert dropped feature_norm")
    cfg = dict(model.cfg, attention_type="mla_simple", latent_dim=latent)
    off = size = 0.0
    for x, y in zip(inputs, outputs, strict=True):
        normalised = ((x - model.mean) / model.std)[None]
        other = make_golden.expected(cfg, weights, normalised, [len(x)], "")[0].astype(np.float64)
        off, size = off + ((other - y) ** 2).sum(), size + (y.astype(np.float64) ** 2).sum()
    return float(np.sqrt(off / size))


def check_analyze(attnbench, model, work, inputs, outputs):
    expected = expected_error(attnbench, model, work, inputs, outputs, 5)
    text, _ = run(attnbench, model.name, "analyze", "--mha", work / "c.yaml", "--mha-weights", work / "w.safetensors", "--mla",
                  work / "m.yaml", "--mla-weights", work / "m.safetensors", "--data", work / "corpus", "--split", SPLIT, "--runs",
                  "0", "--format", "json")
    found = json.loads(text)[-1]["relative_error"]
    if not 0.01 < expected < 1 or not abs(found - expected) <= 1e-3 * expected:
        fail(model.name, f"analyze: relative error {found}, PyTorch's is {expected}")
    ok(f"{model.name}: analyze --data gives PyTorch's error, {100 * found:.2f}%")


def speech_model(name, keys):
    keys = dict(keys, input_dim=80)
    training = dict(keys["training"])
    training["input_dim" if name.startswith("wenet") else "frontend_conf"] = 80 if name.startswith("wenet") else dict(n_mels=80)
    return Model(name + "-speech", dict(keys, training=training))


def set_statistics(model, x):
    """As they are of speech: features without them are far away."""
    model.mean, model.std = x.mean(0).astype(np.float32), x.std(0).astype(np.float32)


def check(attnbench, name, keys, work):
    model = speech_model(name, keys)
    chapter = make_corpus(work / "corpus")
    run(attnbench, name, "features", "--input", chapter / f"{IDS[0]}.wav", "--output", work / "f0.npy")
    set_statistics(model, np.load(work / "f0.npy"))
    torch.save(model.state_dict(), work / "final.pt")
    status, text = convert(work, model.framework, *model.options(work))
    if status:
        fail(name, text)
    pairs = [check_forward(attnbench, model, work, chapter / f"{utterance}.wav", work / "f.npy") for utterance in IDS]
    ok(f"{model.name}: forward on raw features gives PyTorch's outputs")
    inputs, outputs = zip(*pairs)
    check_profile(attnbench, model, work, outputs)
    check_analyze(attnbench, model, work, inputs, outputs)
