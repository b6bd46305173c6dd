#!/usr/bin/python3
"""Makes tests/golden/train/: gradients of the CTC loss in training mode, by PyTorch's autograd in double precision.

Run by `make golden` with Debian's python3-torch. The encoders are those of encoder.py, one utterance at a time; only
BatchNorm's statistics are taken over all valid frames of the batch. Every type, encoder, merge method, norm, input
layer, causal or not. Weights and features are drawn from their names (see README.md), so only gradients are stored.
"""

import itertools
import json
import math
import pathlib
import shutil

import numpy as np
import torch
import torch.nn.functional as F

import encoder
from attention import visible
from encoder import below, layer_norm, left_pad, linear, pointwise
from make_golden import safetensors_bytes

HERE = pathlib.Path(__file__).resolve().parent / "train"
TYPES = ("mha", "gqa", "mla_simple", "mla", "linear")
INPUTS = ("none", "conv2d", "linear")
POSITIONS = ("rel_pos", "rel_pos_wenet", "abs_pos", "none")
TARGETS = [[1, 2, 2], [3], [4, 1, 1, 1], []]  # the third needs 6 frames and has fewer


def draw(name, shape):
    """Uniform in [-1, 1): splitmix64 (Steele et al. 2014), seeded by the name's FNV-1a hash."""
    seed = 0xcbf29ce484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001b3 % 2 ** 64
    count = int(np.prod(shape, dtype=np.int64))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.uint64(0x9e3779b97f4a7c15) * np.arange(1, count + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float32) * np.float32(2.0 ** -23) - np.float32(1)).reshape(shape)


def draw_tensor(name, shape):
    u = draw(name, shape)
    if name.endswith("running_var"):
        return np.float32(0.5) + u * u
    if name.endswith(".weight") and len(shape) == 1:
        return np.float32(1) + np.float32(0.3) * u
    if len(shape) > 1:
        return u * np.float32(2.0 / math.sqrt(np.prod(shape[1:])))
    return u * np.float32(0.5)


def split(x, lengths):
    return list(torch.split(x, lengths))


def batch_norm(w, name, rows, cfg):
    """Over all rows of all utterances."""
    lengths, x = [len(r) for r in rows], torch.cat(rows)
    mean, var = x.mean(0), x.var(0, unbiased=False)
    if cfg.get("fixed_statistics"):
        mean, var = w[name + ".running_mean"], w[name + ".running_var"]
    y = (x - mean) / torch.sqrt(var + 1e-5) * w[name + ".weight"] + w[name + ".bias"]
    return split(y, lengths)


def convolution_module(w, cfg, rows):
    kernel, causal, convolved = cfg["conv_kernel_size"], cfg["causal"], []
    for x in rows:
        x = left_pad(x, kernel - 1) if causal else x
        x = F.glu(pointwise(w, "pointwise_conv1", x), dim=-1)
        convolved.append(encoder.depthwise(w, "depthwise_conv", x, 0 if causal else (kernel - 1) // 2))
    if cfg["conv_norm"] == "batch_norm":
        convolved = batch_norm(w, "norm", convolved, cfg)
    else:
        convolved = [layer_norm(w, "norm", x, cfg) for x in convolved]
    return [pointwise(w, "pointwise_conv2", F.silu(x)) for x in convolved]


def conformer_block(w, cfg, rows):
    def attend(x):
        seen = visible(len(x), len(x), 0, -1)
        return encoder.attention(below(w, "self_attn."), cfg, layer_norm(w, "norm_mha", x, cfg), seen)

    def feed(name, norm, x):
        return x + 0.5 * encoder.feed_forward(w, name, layer_norm(w, norm, x, cfg))

    rows = [feed("feed_forward_macaron", "norm_ff_macaron", x) for x in rows]
    rows = [x + attend(x) for x in rows]
    added = convolution_module(below(w, "conv_module."), cfg, [layer_norm(w, "norm_conv", x, cfg) for x in rows])
    rows = [feed("feed_forward", "norm_ff", x + y) for x, y in zip(rows, added)]
    return [layer_norm(w, "norm_final", x, cfg) for x in rows]


def branchformer_block(w, cfg, rows):
    return [encoder.branchformer_block(w, cfg, x, visible(len(x), len(x), 0, -1)) for x in rows]


def logits(w, cfg, utterances):
    rows = [encoder.input_layer(w, cfg, x) for x in utterances]
    block = conformer_block if cfg["model_type"] == "conformer" else branchformer_block
    for n in range(cfg["num_layers"]):
        rows = block(below(w, f"encoders.{n}."), cfg, rows)
    if cfg["after_norm"]:
        rows = [layer_norm(w, "after_norm", x, cfg) for x in rows]
    return [linear(w, "ctc.ctc_lo", x) for x in rows]


def ctc(scores, labels):
    """Of one utterance; 0 where no alignment exists."""
    target = torch.tensor([labels], dtype=torch.long)
    return F.ctc_loss(scores.log_softmax(-1)[:, None], target, torch.tensor([len(scores)]),
                      torch.tensor([len(labels)]), reduction="sum", zero_infinity=True)


def loss_of(w, cfg, utterances, targets):
    return sum(ctc(y, t) for y, t in zip(logits(w, cfg, utterances), targets)) / len(targets)


def trained(name):
    return not name.endswith(("running_mean", "running_var"))


def weights_of(cfg, dtype=torch.float64):
    w = {name: torch.from_numpy(draw_tensor(name, shape)).to(dtype) for name, shape in encoder.tensors(cfg).items()}
    for name in w:
        w[name].requires_grad_(trained(name))
    return w


def features_of(cfg, lengths, name="features"):
    x = draw(name, (len(lengths), max(lengths), cfg["input_dim"])).astype(np.float64) * 8
    return [torch.from_numpy(x[u, :n]) for u, n in enumerate(lengths)]


YAML_KEYS = ("model_type", "attention_type", "d_model", "num_heads", "num_layers", "input_layer", "input_dim", "pos_enc",
             "vocab_size", "conv_kernel_size", "ff_expansion_factor", "conv_norm", "causal", "after_norm",
             "layer_norm_eps", "merge_method", "cgmlp_linear_units", "cgmlp_weight")


def yaml_of(cfg):
    """One line."""
    values = {key: cfg[key] for key in YAML_KEYS}
    kwargs = {key: cfg[key] for key in ("num_kv_heads", "latent_dim") if cfg[key]}
    values["attention_kwargs"] = kwargs or None
    return json.dumps(values)


def config(**keys):
    base = dict(d_model=8, num_heads=4, num_layers=1, num_kv_heads=None, latent_dim=None, vocab_size=5,
                ff_expansion_factor=2, conv_norm="batch_norm", causal=False, after_norm=True, layer_norm_eps=1e-5,
                merge_method="concat", cgmlp_linear_units=12, cgmlp_weight=0.3, embed_norm=False, csgu_linear=False)
    cfg = dict(base, **keys)
    cfg["conv_kernel_size"] = 4 if cfg["causal"] else 3
    cfg["input_dim"] = dict(none=cfg["d_model"], linear=6, conv2d=11)[cfg["input_layer"]]
    if cfg["attention_type"] == "gqa":
        cfg["num_kv_heads"] = 2
    if cfg["attention_type"].startswith("mla"):
        cfg["latent_dim"] = 5
    return cfg


def cases():
    """The product of everything; positions take turns."""
    choices = dict(conformer=("batch_norm", "layer_norm"), branchformer=("concat", "learned_ave", "fixed_ave"))
    for model, own in choices.items():
        key = "conv_norm" if model == "conformer" else "merge_method"
        for turn, (kind, choice, causal, layer) in enumerate(itertools.product(TYPES, own, (False, True), INPUTS)):
            pos_enc = ("abs_pos", "none")[turn % 2] if kind == "linear" else POSITIONS[turn % 4]
            cfg = config(model_type=model, attention_type=kind, causal=causal, input_layer=layer, pos_enc=pos_enc,
                         after_norm=turn % 5 != 3, embed_norm=layer == "linear" and turn % 2 == 0,
                         csgu_linear=model == "branchformer" and turn % 4 == 1, **{key: choice})
            name = f"{model}-{kind}-{choice}{'-causal' if causal else ''}-{layer}"
            yield name, cfg


def make(name, cfg):
    lengths = [31, 22, 19, 10] if cfg["input_layer"] == "conv2d" else [7, 5, 4, 2]
    w = weights_of(cfg)
    loss = loss_of(w, cfg, features_of(cfg, lengths), TARGETS)
    loss.backward()
    gradients = {n: t.grad.numpy().astype(np.float32) for n, t in w.items() if trained(n)}
    (HERE / f"{name}.safetensors").write_bytes(safetensors_bytes(gradients))
    return dict(name=name, config=yaml_of(cfg), lengths=lengths, targets=TARGETS, loss=loss.item())


STEPS = dict(count=50, peak=3e-3, warmup=10, floor=0.05, clip=5.0, weight_decay=1e-2, eps=1e-9, betas=[0.9, 0.98])
STEP_BATCHES = 4


def learning_rate(step):
    if step < STEPS["warmup"]:
        return STEPS["peak"] * step / STEPS["warmup"]
    along = (step - STEPS["warmup"]) / (STEPS["count"] - STEPS["warmup"])
    return STEPS["peak"] * (1 - (1 - STEPS["floor"]) * along)


def make_steps(name, cfg):
    """The loss before each step of AdamW, over batches in turn."""
    lengths = [31, 22, 19, 10] if cfg["input_layer"] == "conv2d" else [7, 5, 4, 2]
    w = weights_of(cfg)
    groups = [dict(params=[t for n, t in w.items() if trained(n) and (t.dim() > 1) == matrix],
                   weight_decay=STEPS["weight_decay"] if matrix else 0.0) for matrix in (True, False)]
    optimizer = torch.optim.AdamW(groups, lr=1.0, betas=STEPS["betas"], eps=STEPS["eps"])
    batches = [features_of(cfg, lengths, f"features {i}") for i in range(STEP_BATCHES)]
    losses, norms = [], []
    for step in range(1, STEPS["count"] + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.zero_grad()
        loss = loss_of(w, cfg, batches[step % STEP_BATCHES], TARGETS)
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_([t for n, t in w.items() if trained(n)], STEPS["clip"])))
        optimizer.step()
        losses.append(loss.item())
    return dict(name=name, config=yaml_of(cfg), lengths=lengths, targets=TARGETS, losses=losses, norms=norms)


def step_cases():
    yield "conformer", config(model_type="conformer", attention_type="mha", input_layer="conv2d", pos_enc="rel_pos",
                              num_layers=2)
    yield "conformer-mla", config(model_type="conformer", attention_type="mla", input_layer="linear",
                                  pos_enc="rel_pos_wenet", conv_norm="layer_norm", causal=True, num_layers=2)
    yield "branchformer", config(model_type="branchformer", attention_type="gqa", input_layer="none",
                                 pos_enc="rel_pos", merge_method="learned_ave", num_layers=2)
    yield "branchformer-linear", config(model_type="branchformer", attention_type="linear", input_layer="conv2d",
                                        pos_enc="abs_pos", num_layers=2)


def ctc_cases():
    """Frames, tokens, labels; logits are drawn from the case's number."""
    yield 1, 2, [1]
    yield 1, 3, []
    yield 3, 3, [1, 2]
    yield 3, 3, [1, 1]
    yield 2, 3, [1, 1]
    yield 4, 5, [4, 1, 4]
    yield 12, 6, [5, 5, 1, 2, 2]
    yield 40, 17, [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]
    yield 200, 9, [1 + i * i % 8 for i in range(60)]


def make_ctc(number, frames, vocab, labels):
    scores = torch.from_numpy(draw(f"ctc {number}", (frames, vocab)) * np.float32(4)).double().requires_grad_(True)
    loss = ctc(scores, labels)
    loss.backward()
    gradient = [float(np.float32(g)) for g in scores.grad.flatten()]
    return dict(frames=frames, vocab=vocab, labels=labels, loss=loss.item(), gradient=gradient)


def write_lines(name, rows):
    lines = ",\n".join(json.dumps(row) for row in rows)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


def main():
    torch.set_num_threads(1)
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    made = [make(name, cfg) for name, cfg in cases()]
    write_lines("cases.json", made)
    write_lines("ctc.json", [make_ctc(i, *case) for i, case in enumerate(ctc_cases())])
    steps = [make_steps(name, cfg) for name, cfg in step_cases()]
    (HERE / "steps.json").write_text(json.dumps(dict(STEPS, batches=STEP_BATCHES, runs=steps)) + "\n")
    print(f"{len(made)} cases of gradients, {len(steps)} of steps")


if __name__ == "__main__":
    main()
