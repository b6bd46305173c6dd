"""Checkpoints of mla and mla_simple in PyTorch: what the module of latent_attention.py gives is what `attnbench forward` gives,
whole and as a stream.

    check_export.py ATTNBENCH
"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "../../harness/conversion")
sys.path.insert(0, SCRIPTS)
import export_checkpoint  # noqa: E402
from latent_attention import LatentAttention, load  # noqa: E402

CASES = ("mla-lengths", "mla-2layers-rel_pos", "mla-rel_pos_wenet", "mla-names-espnet", "mla_simple-lengths",
         "mla_simple-rel_pos", "mla_simple-2layers")


def export(*arguments):
    """Exit status and stderr of the script, without a Python of its own, which takes a second to load PyTorch."""
    said, sys.argv = io.StringIO(), ["export_checkpoint.py", *arguments]
    with contextlib.redirect_stderr(said):
        return export_checkpoint.main(), said.getvalue()


def export_case(folder, out):
    status, said = export("--config", f"{folder}/config.yaml", "--weights", f"{folder}/weights.safetensors", "--out", out)
    assert status == 0, said


def forward(attnbench, folder, x, lengths, scratch, *options):
    np.save(f"{scratch}/x.npy", x)
    valid = ["--lengths", ",".join(map(str, lengths))] if lengths else []
    subprocess.run([attnbench, "forward", "--config", f"{folder}/config.yaml", "--weights", f"{folder}/weights.safetensors",
                    "--input", f"{scratch}/x.npy", "--output", f"{scratch}/y.npy", *valid, *options], check=True)
    return torch.from_numpy(np.load(f"{scratch}/y.npy"))


def layers_of(state, config):
    return [LatentAttention.of(state, config, layer) for layer in range(config["num_layers"])]


def run(layers, x, lengths, caches):
    """As a bare attention model: one layer alone, or several with their inputs added."""
    for layer, attention in enumerate(layers):
        y, caches[layer] = attention(x, lengths, caches[layer])
        x = y if len(layers) == 1 else x + y
    return x


def compare(name, got, wanted, lengths):
    for b, length in enumerate(lengths or [got.shape[1]] * len(got)):
        torch.testing.assert_close(got[b, :length], wanted[b, :length], rtol=1e-4, atol=2e-5, msg=lambda text: f"{name}: {text}")


def check(attnbench, name, scratch):
    folder = os.path.join(HERE, "attention", name)
    export_case(folder, f"{scratch}/model.pt")
    state, config = load(f"{scratch}/model.pt")
    layers = layers_of(state, config)
    x = np.load(f"{folder}/input.npy")
    lengths = ([int(n) for n in open(f"{folder}/lengths").read().replace(",", " ").split()]
               if os.path.exists(f"{folder}/lengths") else None)
    with torch.no_grad():
        compare(name, run(layers, torch.from_numpy(x), lengths, [None] * len(layers)),
                forward(attnbench, folder, x, lengths, scratch), lengths)
        caches = [None] * len(layers)
        chunks = [run(layers, chunk, None, caches) for chunk in torch.from_numpy(x).split(3, 1)]
        compare(name + " in chunks", torch.cat(chunks, 1), forward(attnbench, folder, x, None, scratch, "--chunk", "3"), None)
    print(f"[       OK ] {name} in PyTorch, whole and in chunks")


def check_encoder(scratch):
    """The attention of an encoder loads by its layer, and takes gradients."""
    export_case(os.path.join(HERE, "encoder", "conformer-mla"), f"{scratch}/model.pt")
    state, config = load(f"{scratch}/model.pt")
    attention = LatentAttention.of(state, config, 0)
    attention(torch.ones(1, 5, attention.q_proj.in_features))[0].sum().backward()
    assert all(parameter.grad is not None for parameter in attention.parameters())
    print("[       OK ] the attention of a Conformer in PyTorch")


def check_refusals(scratch):
    folder = os.path.join(HERE, "attention", "mla")
    for path, said in ((f"{folder}/config.yaml", "not a safetensors file"), ("no-such-file", "No such file")):
        status, stderr = export("--config", f"{folder}/config.yaml", "--weights", path, "--out", f"{scratch}/bad.pt")
        assert status == 2 and said in stderr and stderr.count("\n") == 1, stderr
        assert not os.path.exists(f"{scratch}/bad.pt")
    print("[       OK ] what is no checkpoint is refused")


def main():
    attnbench = os.path.abspath(sys.argv[1])
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        for name in CASES:
            check(attnbench, name, scratch)
        check_encoder(scratch)
        check_refusals(scratch)


if __name__ == "__main__":
    main()
