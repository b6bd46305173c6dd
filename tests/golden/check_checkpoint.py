#!/usr/bin/python3
"""harness/conversion/convert_checkpoint.py on checkpoints as ESPnet and WeNet save them: the converted model, run by attnbench,
gives what PyTorch gives. check_checkpoint.py ATTNBENCH; prints a line for each thing checked, exits with 1 at the first failure.
"""

import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
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

COMMON = dict(d_model=16, num_heads=4, num_layers=2, frames=41, batch=2, vocab_size=7, input_dim=20)
CASES = {
    "espnet-conformer": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos", input_layer="conv2d", layer_norm_eps=1e-12,
        training=dict(encoder="conformer", frontend_conf=dict(n_mels=20), encoder_conf=dict(
            output_size=16, attention_heads=4, linear_units=32, num_blocks=2, input_layer="conv2d", macaron_style=True,
            rel_pos_type="latest", pos_enc_layer_type="rel_pos", selfattention_layer_type="rel_selfattn",
            activation_type="swish", use_cnn_module=True, cnn_module_kernel=7))),
    "espnet-branchformer": dict(
        COMMON, model_type="branchformer", pos_enc="abs_pos", input_layer="linear", embed_norm=True, csgu_linear=True,
        merge_method="learned_ave", layer_norm_eps=1e-12,
        training=dict(encoder="branchformer", encoder_conf=dict(
            attention_heads=4, attention_layer_type="selfattn", pos_enc_layer_type="abs_pos", merge_method="learned_ave",
            use_linear_after_conv=True, input_layer="linear"))),
    "wenet-conformer": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos_wenet", input_layer="conv2d", conv_norm="layer_norm", causal=True,
        conv_kernel_size=8,
        training=dict(encoder="conformer", input_dim=20, encoder_conf=dict(
            attention_heads=4, pos_enc_layer_type="rel_pos", selfattention_layer_type="rel_selfattn", causal=True,
            cnn_module_norm="layer_norm", cnn_module_kernel=8))),
    "wenet-branchformer": dict(
        COMMON, model_type="branchformer", pos_enc="rel_pos_wenet", input_layer="conv2d", merge_method="fixed_ave",
        cgmlp_weight=0.3,
        training=dict(encoder="branchformer", input_dim=20, encoder_conf=dict(
            attention_heads=4, pos_enc_layer_type="rel_pos", merge_method="fixed_ave", cgmlp_weight=[0.3, 0.3]))),
    "wenet-gqa": dict(  # all told by --set, no training configuration
        COMMON, model_type="conformer", attention_type="gqa", num_kv_heads=2, pos_enc="rel_pos_wenet", input_layer="conv2d",
        set=["pos_enc=rel_pos_wenet", "input_dim=20"]),
}


def fail(name, text):
    print(f"FAILED: {name}: {text}")
    sys.exit(1)


def state_dict(cfg, weights, framework):
    """Names and company as the framework's trainer saves them."""
    renamed = make_golden.renamed(dict(cfg, names="espnet"), weights)
    if cfg["merge_method"] == "learned_ave":  # used here, so not the placeholders of renamed()
        renamed.update({"encoder." + name: tensor for name, tensor in weights.items()
                        if "pooling_proj" in name or "weight_proj" in name})
    state = {name: torch.from_numpy(tensor) for name, tensor in renamed.items()}
    if cfg["input_layer"] == "linear" and framework == "espnet":
        state = {name.replace("embed.out.", "embed."): tensor for name, tensor in state.items()}
    state["decoder.embed.0.weight"] = torch.ones(7, 16)
    if framework == "wenet":
        state["encoder.global_cmvn.mean"] = torch.full((cfg["input_dim"],), 3.0)
        state["encoder.global_cmvn.istd"] = torch.full((cfg["input_dim"],), 0.5)
    else:
        if cfg["merge_method"] != "learned_ave":
            state = {name: tensor for name, tensor in state.items() if "pooling" not in name and "weight_proj" not in name}
        state["frontend.logmel.melmat"] = torch.ones(257, cfg["input_dim"])
        state["normalize.mean"] = torch.full((cfg["input_dim"],), 3.0)
        state["normalize.std"] = torch.full((cfg["input_dim"],), 2.0)
    return state


def convert(work, framework, *more):
    """(exit status, stderr), in this process: PyTorch takes its time to start."""
    words = [SCRIPT, work / "final.pt", "--framework", framework, "--out-weights", work / "w.safetensors", "--out-config",
             work / "c.yaml", *more]
    messages = io.StringIO()
    with mock.patch.object(sys, "argv", list(map(str, words))), contextlib.redirect_stderr(messages):
        status = convert_checkpoint.main()
    return status, messages.getvalue()


def check_case(attnbench, name, keys, work):
    keys = dict(keys)
    training, given = keys.pop("training", None), keys.pop("set", [])
    framework = name.split("-")[0]
    cfg = make_golden.complete(name, keys)
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    weights = {key: make_golden.random_tensor(rng, key, shape) for key, shape in encoder.tensors(cfg).items()}
    x = rng.standard_normal((cfg["batch"], cfg["frames"], cfg["input_dim"])).astype(np.float32)
    torch.save(state_dict(cfg, weights, framework), work / "final.pt")
    more = [word for pair in given for word in ("--set", pair)]
    if training:
        (work / "train.yaml").write_text(yaml.safe_dump(training))
        more += ["--training-config", work / "train.yaml"]
        if cfg["input_layer"] == "conv2d" and "input_dim" not in training and "frontend_conf" not in training:
            more += ["--set", f"input_dim={cfg['input_dim']}"]
    status, text = convert(work, framework, *more, "--out-cmvn", work / "cmvn.npy")
    if status or "decoder.* (1)" not in text:
        fail(name, f"status {status}: {text}")
    cmvn = np.load(work / "cmvn.npy")
    if cmvn.shape != (2, cfg["input_dim"]) or not (cmvn[0] == 3).all() or not (cmvn[1] == 0.5).all():
        fail(name, f"normalisation {cmvn}")
    np.save(work / "x.npy", x)
    done = subprocess.run([attnbench, "forward", "--config", work / "c.yaml", "--weights", work / "w.safetensors", "--input",
                           work / "x.npy", "--output", work / "y.npy", "--logits"], capture_output=True, text=True)
    if done.returncode:
        fail(name, f"forward: {done.stderr}")
    expected = make_golden.expected(dict(cfg, logits=True), weights, x, [cfg["frames"]] * cfg["batch"], "")
    y = np.load(work / "y.npy")
    worst = np.abs(y - expected).max() / np.abs(expected).max()
    if y.shape != expected.shape or not worst <= 1e-4:
        fail(name, f"shapes {y.shape} {expected.shape}, difference {worst}")
    print(f"[       OK ] {name}: converted and run, difference {worst:.1e} of the largest output")


def check_refused(work, name, framework, words, *more):
    for path in ("w.safetensors", "c.yaml"):
        (work / path).unlink(missing_ok=True)
    status, text = convert(work, framework, *more)
    if status != 2 or text.count("\n") != 1 or not all(word in text for word in words):
        fail(name, f"status {status}, expected 2 and {words}: {text}")
    if any(".part" in path.name or path.name in ("w.safetensors", "c.yaml") for path in work.iterdir()):
        fail(name, "files were left behind")
    print(f"[       OK ] refused: {name}")


def check_refusals(work):
    """On what the last case left: a wenet conformer."""
    (work / "legacy.yaml").write_text("encoder: conformer\nencoder_conf: {attention_heads: 4, rel_pos_type: legacy}\n")
    (work / "relu.yaml").write_text("encoder: conformer\nencoder_conf: {activation_type: relu}\n")
    (work / "heads.yaml").write_text("encoder: conformer\nencoder_conf: {attention_heads: 8, pos_enc_layer_type: rel_pos}\n")
    check_refused(work, "positions that nothing tells", "wenet", ["pos_enc", "--set"])
    check_refused(work, "another input_dim", "wenet", ["embed.out.0.weight", "input_dim"], "--set", "pos_enc=rel_pos_wenet")
    check_refused(work, "legacy positions", "espnet", ["legacy"], "--training-config", work / "legacy.yaml")
    check_refused(work, "another activation", "wenet", ["relu", "swish"], "--training-config", work / "relu.yaml")
    check_refused(work, "heads that disagree", "wenet", ["num_heads", "8", "4"], "--training-config", work / "heads.yaml")
    check_refused(work, "a missing folder", "wenet", ["no/w"], "--set", "pos_enc=rel_pos_wenet", "--set", "input_dim=20",
                  "--out-weights", work / "no/w")
    (work / "final.pt").write_text("not a checkpoint")
    check_refused(work, "a text", "wenet", ["final.pt", "PyTorch"])
    torch.save({"optimizer": 3}, work / "final.pt")
    check_refused(work, "no tensors", "wenet", ["final.pt", "state dict"])
    torch.save({"decoder.weight": torch.ones(3)}, work / "final.pt")
    check_refused(work, "no encoder", "wenet", ["encoder.encoders.0"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, keys in CASES.items():
            check_case(sys.argv[1], name, keys, pathlib.Path(folder))
        check_refusals(pathlib.Path(folder))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
