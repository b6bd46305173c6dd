"""Checkpoints as the trainers of ESPnet and WeNet save them, and harness/conversion/convert_checkpoint.py on them."""

import contextlib
import io
import json
import pathlib
import subprocess
import sys
import zlib
from unittest import mock

import numpy as np
import torch
import yaml

import encoder
import make_golden

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE.parent.parent / "harness" / "conversion" / "convert_checkpoint.py"
sys.path.insert(0, str(SCRIPT.parent))
import convert_checkpoint  # noqa: E402


def fail(name, text):
    print(f"FAILED: {name}: {text}")
    sys.exit(1)


def ok(text):
    print(f"[       OK ] {text}")


class Model:
    """Random weights, the statistics of features that it was trained with, and its training configuration."""

    def __init__(self, name, keys):
        keys = dict(keys)
        self.name, self.framework = name, name.split("-")[0]
        self.training, self.given = keys.pop("training", None), keys.pop("set", [])
        self.normalised = keys.pop("normalised", True)
        self.cfg = make_golden.complete(name, keys)
        rng = np.random.RandomState(zlib.crc32(name.encode()))
        self.weights = {key: make_golden.random_tensor(rng, key, shape) for key, shape in encoder.tensors(self.cfg).items()}
        self.mean = (3 + rng.standard_normal(self.cfg["input_dim"])).astype(np.float32)
        self.std = (0.5 + rng.random_sample(self.cfg["input_dim"])).astype(np.float32)
        self.x = self.mean + self.std * rng.standard_normal(
            (self.cfg["batch"], self.cfg["frames"], self.cfg["input_dim"])).astype(np.float32)

    def state_dict(self):
        """Names and company as the framework's trainer saves them."""
        cfg, width = self.cfg, self.cfg["input_dim"]
        named = make_golden.renamed(dict(cfg, names="espnet"), self.weights)
        if cfg["merge_method"] == "learned_ave":  # used here, so not the placeholders of renamed()
            named.update({"encoder." + name: tensor for name, tensor in self.weights.items()
                          if "pooling_proj" in name or "weight_proj" in name})
        elif self.framework == "espnet":
            named = {name: tensor for name, tensor in named.items() if "pooling" not in name and "weight_proj" not in name}
        state = {name: torch.from_numpy(tensor) for name, tensor in named.items()}
        if cfg["input_layer"] == "linear" and self.framework == "espnet":
            state = {name.replace("embed.out.", "embed."): tensor for name, tensor in state.items()}
        state["decoder.embed.0.weight"] = torch.ones(7, 16)
        if self.framework == "espnet":
            state["frontend.logmel.melmat"] = torch.ones(257, width)
        if self.normalised and self.framework == "espnet":
            state["normalize.mean"], state["normalize.std"] = torch.from_numpy(self.mean), torch.from_numpy(self.std)
        elif self.normalised:
            state["encoder.global_cmvn.mean"] = torch.from_numpy(self.mean)
            state["encoder.global_cmvn.istd"] = 1 / torch.from_numpy(self.std)
        return state

    def options(self, work):
        """Writes the training configuration; the options of the script."""
        more = [word for pair in self.given for word in ("--set", pair)]
        if self.training:
            (work / "train.yaml").write_text(yaml.safe_dump(self.training))
            more += ["--training-config", work / "train.yaml"]
        return more

    def expected(self, x, logits=False):
        """What PyTorch gives for features as they come: normalised, then through the encoder."""
        if self.normalised:
            x = (x - self.mean) / self.std
        return make_golden.expected(dict(self.cfg, logits=logits), self.weights, x, [x.shape[1]] * len(x), "")


def convert(work, framework, *more):
    """(exit status, stderr), in this process: PyTorch takes its time to start."""
    words = [SCRIPT, work / "final.pt", "--framework", framework, "--out-weights", work / "w.safetensors", "--out-config",
             work / "c.yaml", *more]
    messages = io.StringIO()
    with mock.patch.object(sys, "argv", list(map(str, words))), contextlib.redirect_stderr(messages):
        status = convert_checkpoint.main()
    return status, messages.getvalue()


def run(attnbench, name, *words):
    """stdout of a command of attnbench."""
    done = subprocess.run([attnbench, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        fail(name, f"attnbench {words[0]}: status {done.returncode}: {done.stderr}")
    return done.stdout, done.stderr


def read_safetensors(path):
    """Name -> float32 array; names as the tests' own models have them."""
    data = pathlib.Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        for theirs, ours in (("encoder.", ""), ("linear_q", "q_proj"), ("linear_k", "k_proj"), ("linear_v", "v_proj"),
                             ("linear_out", "out_proj")):
            name = name.replace(theirs, ours)
        tensors[name] = np.frombuffer(data[8 + size + begin:8 + size + end], "<f4").reshape(entry["shape"]).copy()
    return tensors


def difference(name, found, expected):
    if found.shape != expected.shape:
        fail(name, f"shapes {found.shape} {expected.shape}")
    worst = np.abs(found - expected).max() / np.abs(expected).max()
    if not worst <= 1e-4:
        fail(name, f"difference {worst} of the largest output")
    return worst
