#!/usr/bin/env python3
"""An epoch of `attnbench train` next to one of PyTorch's: training.py ATTNBENCH CORPUS [SIZE..] [--rounds N].

SIZE is d32, d64 or d144. Both train the same Conformer by the same recipe on the split "train" of CORPUS, one after the
other on one core; what counts is CPU time, so that other work on the machine matters little. Before that, both must
give the same CTC loss for each utterance of "dev". Ours has features in a file and judges dev after its epoch;
PyTorch's has features in memory and does not. Needs Debian's python3-numpy and python3-torch; minutes.

Exit status 1 when losses differ."""
import argparse
import json
import math
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F

SIZES = {"d32": dict(d_model=32, num_layers=3, conv_kernel_size=3), "d64": dict(d_model=64, num_layers=3, conv_kernel_size=15),
         "d144": dict(d_model=144, num_layers=6, conv_kernel_size=15)}
HEADS, BATCH_FRAMES, JITTER, RATE, WARMUP, LEAST_RATE, CLIP = 4, 2000, 20, 2e-3, 100, 0.05, 5.0


# ---- The Conformer in PyTorch: a batch at a time, padding masked; `w` maps names of tensors to them ----

def linear(w, name, x):
    return F.linear(x, w[name + ".weight"].flatten(1), w.get(name + ".bias"))


def layer_norm(w, name, x):
    return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"])


def feed_forward(w, name, x):
    return linear(w, name + ".w_2", F.silu(linear(w, name + ".w_1", x)))


def positions(frames, d):
    angle = torch.arange(frames - 1, -frames, -1.0)[:, None] * torch.exp(torch.arange(0, d, 2) * (-math.log(10000) / d))
    return torch.stack([torch.sin(angle), torch.cos(angle)], -1).flatten(1)


def attention(w, name, x, valid, pe):
    batch, frames, d = x.shape

    def heads(y):
        return y.view(len(y), -1, HEADS, d // HEADS).transpose(1, 2)

    q, k, v = (heads(linear(w, name + part, x)) for part in (".q_proj", ".k_proj", ".v_proj"))
    p = linear(w, name + ".linear_pos", pe).view(-1, HEADS, d // HEADS).permute(1, 2, 0)
    by_place = F.pad((q + w[name + ".pos_bias_v"][:, None]) @ p, (1, 0))
    by_place = by_place.view(batch, HEADS, 2 * frames, frames)[:, :, 1:].reshape(batch, HEADS, frames, -1)[..., :frames]
    scores = ((q + w[name + ".pos_bias_u"][:, None]) @ k.transpose(2, 3) + by_place) / math.sqrt(d // HEADS)
    scores = scores.masked_fill(~valid[:, None, None], -math.inf).softmax(-1)
    return linear(w, name + ".out_proj", (scores @ v).transpose(1, 2).reshape(x.shape))


def convolution(w, name, x, valid, training):
    y = F.glu(linear(w, name + ".pointwise_conv1", x), -1) * valid[..., None]
    kernel = w[name + ".depthwise_conv.weight"]
    y = F.conv1d(y.transpose(1, 2), kernel, w[name + ".depthwise_conv.bias"], padding=kernel.shape[2] // 2, groups=len(kernel))
    y = y.transpose(1, 2)
    norm = F.batch_norm(y[valid], *(w[name + ".norm." + n] for n in ("running_mean", "running_var", "weight", "bias")), training)
    z = torch.zeros_like(y)
    z[valid] = norm
    return linear(w, name + ".pointwise_conv2", F.silu(z))


def conformer(w, size, x, lengths, training):
    """x: normalised features [B, T, 80]; logits and their lengths."""
    for name in ("embed.conv.0", "embed.conv.2"):
        x = x if x.dim() == 4 else x[:, None]
        x = F.relu(F.conv2d(x, w[name + ".weight"], w[name + ".bias"], 2))
        lengths = (lengths - 1) // 2
    x = linear(w, "embed.out.0", x.transpose(1, 2).flatten(2)) * math.sqrt(size["d_model"])
    valid, pe = torch.arange(x.shape[1])[None] < lengths[:, None], positions(x.shape[1], size["d_model"])
    for i in range(size["num_layers"]):
        block = f"encoders.{i}."
        x = x + 0.5 * feed_forward(w, block + "feed_forward_macaron", layer_norm(w, block + "norm_ff_macaron", x))
        x = x + attention(w, block + "self_attn", layer_norm(w, block + "norm_mha", x), valid, pe)
        x = x + convolution(w, block + "conv_module", layer_norm(w, block + "norm_conv", x), valid, training)
        x = x + 0.5 * feed_forward(w, block + "feed_forward", layer_norm(w, block + "norm_ff", x))
        x = layer_norm(w, block + "norm_final", x)
    return linear(w, "ctc.ctc_lo", layer_norm(w, "after_norm", x)), lengths


def losses(w, size, batch, training, augment=None):
    lengths = torch.tensor([len(x) for x, _ in batch])
    x = torch.zeros(len(batch), int(lengths.max()), 80)
    for row, (features, _) in zip(x, batch):
        row[:len(features)] = (features - w["global_cmvn.mean"]) * w["global_cmvn.istd"]
        if augment:
            mask(row, len(features), augment)
    y, frames = conformer(w, size, x, lengths, training)
    labels = torch.tensor([label for _, labels in batch for label in labels])
    counts = torch.tensor([len(labels) for _, labels in batch])
    return F.ctc_loss(y.log_softmax(-1).transpose(0, 1), labels, frames, counts, reduction="none", zero_infinity=True)


# ---- Its training ----

def mask(x, frames, rng):
    for _ in range(2):
        width, most = rng.randrange(11), min(15, frames // 5)
        first = rng.randrange(80 - width + 1)
        x[:, first:first + width] = 0
        width = rng.randrange(most + 1)
        first = rng.randrange(frames - width + 1)
        x[first:first + width] = 0


def batches(utterances, rng):
    cut, held = [], []
    for u in sorted(utterances, key=lambda u: len(u[0]) + rng.randrange(JITTER)):
        if held and (len(held) + 1) * max(len(v[0]) for v in (*held, u)) > BATCH_FRAMES:
            cut.append(held)
            held = []
        held.append(u)
    cut.append(held)
    rng.shuffle(cut)
    return cut


def epoch(w, size, utterances):
    """Seconds of CPU time."""
    rng, step = random.Random(1), 0
    learned = [t for name, t in w.items() if "running" not in name and "cmvn" not in name]
    for tensor in learned:
        tensor.requires_grad_()
    groups = [dict(params=[t for t in learned if t.dim() > 1], weight_decay=0.01),
              dict(params=[t for t in learned if t.dim() < 2], weight_decay=0)]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-9)
    began = time.process_time()
    for batch in batches(utterances, rng):
        step += 1
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, step / WARMUP)
        loss = losses(w, size, batch, True, rng).sum() / len(batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, CLIP)
        optimiser.step()
    return time.process_time() - began


# ---- What attnbench leaves ----

def read_safetensors(path):
    data = path.read_bytes()
    head = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
    body = data[8 + int.from_bytes(data[:8], "little"):]
    head.pop("__metadata__", None)
    return {name: torch.from_numpy(np.frombuffer(body[slice(*t["data_offsets"])], np.float32).reshape(t["shape"]).copy())
            for name, t in head.items()}


def read_features(path, count):
    """--feature-cache's file: 64 bytes of head, features of one utterance after the other, frames of each, samples."""
    data = path.read_bytes()
    frames = np.frombuffer(data[-8 * (count + 1):-8], np.uint64).astype(int)
    rows = np.frombuffer(data[64:-8 * (count + 1)], np.float32).reshape(-1, 80)
    return [torch.from_numpy(part.copy()) for part in np.split(rows, np.cumsum(frames)[:-1])]


def read_split(corpus, split, cache, units):
    lines = sorted(line.split(maxsplit=1) for file in (corpus / split).glob("*/*/*.trans.txt") for line in file.open())
    features = read_features(next(cache.glob(split + "-*.features")), len(lines))
    return [(x, [units["\u2581" if c == " " else c] for c in text.strip()]) for x, (_, text) in zip(features, lines)]


class Ours:
    def __init__(self, program, corpus, work, name):
        self.program, self.corpus, self.cache, self.run = program, corpus, work / "features", work / name
        self.config = work / (name + ".yaml")
        keys = dict(model_type="conformer", attention_type="mha", num_heads=HEADS, input_layer="conv2d", dropout=0, learning_rate=RATE,
                    **SIZES[name])
        self.config.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()))

    def cpu(self, command, *words):
        """Output and seconds of CPU time."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([self.program, command, "--data", self.corpus, *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def train(self, epochs, threads=1):
        """Seconds of CPU time, and of the epoch by the clock."""
        subprocess.run(["rm", "-rf", self.run], check=True)
        spent = self.cpu("train", "--config", self.config, "--split", "train", "--dev-split", "dev", "--out", self.run, "--epochs", epochs,
                         "--threads", threads, "--feature-cache", self.cache)[1]
        log = self.run / "log.jsonl"
        return spent, json.loads(log.read_text())["seconds"] if epochs else 0

    def evaluate(self):
        text = self.cpu("evaluate", "--config", self.run / "model.yaml", "--weights", self.run / "model.safetensors", "--units",
                        self.run / "units.txt", "--split", "dev", "--format", "json")[0]
        return sorted((u["id"], u["loss"]) for u in json.loads(text)["utterances"])

    def units(self):
        return {token: int(number) for token, number in (line.split() for line in (self.run / "units.txt").open())}


def check(ours, w, size, utterances):
    """The largest relative difference of an utterance's loss."""
    with torch.no_grad():
        theirs = [losses(w, size, [u], False).item() for u in utterances]
    return max(abs(a - b) / abs(b) for (_, a), b in zip(ours.evaluate(), theirs))


def measure(ours, name, rounds):
    ours.train(0)
    units, size = ours.units(), SIZES[name]
    train, dev = (read_split(ours.corpus, split, ours.cache, units) for split in ("train", "dev"))
    start = read_safetensors(ours.run / "model.safetensors")
    worst = check(ours, start, size, dev)
    print(f"{name}: {len(dev)} utterances of dev: losses differ from PyTorch's by at most {worst:.1e} of themselves", flush=True)
    if not worst <= 1e-4:
        return 1
    for _ in range(rounds):
        two, wall2 = ours.train(1, 2) if len(CPUS) > 1 else (math.nan, math.nan)
        os.sched_setaffinity(0, {min(CPUS)})
        base = ours.train(0)[0]
        one, wall = ours.train(1)
        theirs = epoch({n: t.clone() for n, t in start.items()}, size, train)
        os.sched_setaffinity(0, CPUS)
        print(f"{name}: an epoch: ours {one - base:.1f} s of CPU time, PyTorch {theirs:.1f}: {(one - base) / theirs:.2f}; "
              f"by the clock {wall:.1f} s, with two threads {wall2:.1f} ({two - base:.1f} s of CPU time); "
              f"load {os.getloadavg()[0]:.1f}", flush=True)
    return 0


CPUS = os.sched_getaffinity(0)
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("attnbench")
parser.add_argument("corpus", type=pathlib.Path)
parser.add_argument("sizes", nargs="*", default=[], metavar="SIZE")
parser.add_argument("--rounds", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as folder:
    sys.exit(max(measure(Ours(options.attnbench, options.corpus, pathlib.Path(folder), n), n, options.rounds)
                 for n in options.sizes or SIZES))
