#!/usr/bin/env python3
"""Turns an encoder checkpoint of ESPnet or WeNet (.pt, .pth) into safetensors and a configuration for attnbench.

Needs PyTorch 1.13 or newer and PyYAML, nothing else. docs/checkpoints.md says what is read and what is refused.
"""

import argparse
import json
import os
import re
import struct
import sys

import numpy as np
import torch
import yaml


class Refused(Exception):
    """What was found and what was expected, in one line."""


def load_state(path):
    """Name -> tensor, without prefixes of wrappers."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise Refused(f"{path}: not a PyTorch checkpoint of plain tensors: {str(error).splitlines()[0]}")
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not any(torch.is_tensor(tensor) for tensor in state.values()):
        raise Refused(f"{path}: found {type(state).__name__} without tensors, expected a state dict")
    tensors = {name: tensor for name, tensor in state.items() if torch.is_tensor(tensor)}
    if all(name.startswith("module.") for name in tensors):
        tensors = {name[len("module."):]: tensor for name, tensor in tensors.items()}
    return tensors


def split_state(state, path):
    """(tensors that attnbench loads, normalisation or None, names left out)"""
    prefix = "encoder." if any(name.startswith("encoder.encoders.") for name in state) else ""
    kept, left, norm = {}, [], {}
    for name, tensor in state.items():
        below = name[len(prefix):] if name.startswith(prefix) else ""
        if below.startswith(("embed.", "encoders.", "after_norm.")) and not below.endswith(
                ("num_batches_tracked", "pos_enc.pe")):
            # An input layer that is an nn.Sequential: Linear, LayerNorm.
            below = re.sub(r"^embed\.([01])\.(weight|bias)$", r"embed.out.\1.\2", below)
            kept[prefix + below] = tensor
        elif name.startswith("ctc.ctc_lo."):
            kept[name] = tensor
        elif name in ("encoder.global_cmvn.mean", "encoder.global_cmvn.istd", "normalize.mean", "normalize.std"):
            norm[name.split(".")[-1]] = tensor.float().numpy()
        else:
            left.append(name)
    if not any(name.startswith(prefix + "encoders.0.") for name in kept):
        raise Refused(f"{path}: no tensor encoder.encoders.0.*, expected an encoder of ESPnet or WeNet")
    if "mean" in norm and "istd" in norm:
        return kept, np.stack([norm["mean"], norm["istd"]]), left
    if "mean" in norm and "std" in norm:
        return kept, np.stack([norm["mean"], 1 / norm["std"]]), left
    return kept, None, left


class Encoder:
    """Shapes by names without the prefix."""

    def __init__(self, tensors, path):
        self.path = path
        self.shapes = {re.sub(r"^encoder\.", "", name): tuple(tensor.shape) for name, tensor in tensors.items()}

    def has(self, name):
        return name in self.shapes

    def shape(self, name):
        if name not in self.shapes:
            raise Refused(f"{self.path}: tensor {name} is missing")
        return self.shapes[name]

    def layers(self):
        return 1 + max(int(name.split(".")[1]) for name in self.shapes if name.startswith("encoders."))


def from_tensors(encoder):
    """The keys that shapes decide."""
    conf = {"attention_type": "mha", "num_layers": encoder.layers()}
    branchformer = encoder.has("encoders.0.cgmlp.csgu.conv.weight")
    attention = "encoders.0.attn." if branchformer else "encoders.0.self_attn."
    conf["model_type"] = "branchformer" if branchformer else "conformer"
    conf["d_model"] = d_model = encoder.shape(attention + "linear_q.weight")[0]
    if encoder.has(attention + "pos_bias_u"):
        conf["num_heads"] = encoder.shape(attention + "pos_bias_u")[0]
    if encoder.has("ctc.ctc_lo.weight"):
        conf["vocab_size"] = encoder.shape("ctc.ctc_lo.weight")[0]
    conf["after_norm"] = encoder.has("after_norm.weight")
    if encoder.has("embed.conv.0.weight"):
        conf["input_layer"] = "conv2d"
        if encoder.shape("embed.conv.0.weight") != (d_model, 1, 3, 3) or encoder.has("embed.conv.4.weight"):
            raise Refused(f"{encoder.path}: embed.conv is not two 3x3 convolutions of stride 2 (conv2d)")
    else:
        conf["input_layer"] = "linear"
        conf["input_dim"] = encoder.shape("embed.out.0.weight")[1]
    if branchformer:
        if any("depthwise_conv_fusion" in name for name in encoder.shapes):
            raise Refused(f"{encoder.path}: an E-Branchformer (depthwise_conv_fusion), expected a Branchformer")
        conf["cgmlp_linear_units"] = encoder.shape("encoders.0.cgmlp.channel_proj1.0.weight")[0]
        conf["conv_kernel_size"] = encoder.shape("encoders.0.cgmlp.csgu.conv.weight")[2]
        if encoder.shape("encoders.0.merge_proj.weight")[1] == 2 * d_model:
            conf["merge_method"] = "concat"
    else:
        units = encoder.shape("encoders.0.feed_forward.w_1.weight")[0]
        conf["ff_expansion_factor"] = units // d_model if units % d_model == 0 else units / d_model
        conf["conv_kernel_size"] = encoder.shape("encoders.0.conv_module.depthwise_conv.weight")[2]
        batch_norm = encoder.has("encoders.0.conv_module.norm.running_mean")
        conf["conv_norm"] = "batch_norm" if batch_norm else "layer_norm"
    return conf


# Keys of encoder_conf with the values under which an encoder is one of ours, the framework's default first.
EXPECTED = {
    "conformer": {
        "normalize_before": (True,), "concat_after": (False,), "positionwise_layer_type": ("linear",),
        "activation_type": ("swish",), "use_cnn_module": (True,), "zero_triu": (False,),
        "layer_norm_type": ("layer_norm",), "mlp_type": ("position_wise_feed_forward",)},
    "branchformer": {
        "gate_activation": ("identity",), "use_attn": (True,), "use_cgmlp": (True,), "zero_triu": (False,),
        "layer_norm_type": ("layer_norm",)},
}


def positions(framework, conf):
    kind = conf.get("pos_enc_layer_type", "rel_pos" if framework == "espnet" else "abs_pos")
    if kind == "abs_pos":
        return "abs_pos"
    if kind == "no_pos":
        return "none"
    if kind == "rel_pos" and framework == "wenet":
        return "rel_pos_wenet"
    if kind == "rel_pos" and conf.get("rel_pos_type") == "latest":
        return "rel_pos"
    if kind == "rel_pos" and "rel_pos_type" not in conf:
        raise Refused("rel_pos_type is not given, and its default depends on ESPnet's version: --set pos_enc=rel_pos "
                      "if it was \"latest\"")
    raise Refused(f"pos_enc_layer_type {kind} with rel_pos_type {conf.get('rel_pos_type')}, expected abs_pos or the "
                  "latest rel_pos")


def from_training(path, framework, model_type, given):
    """The keys that only the training configuration knows."""
    with open(path, encoding="utf-8") as stream:
        training = yaml.safe_load(stream)
    encoder = training.get("encoder") if isinstance(training, dict) else None
    conf = training.get("encoder_conf") if encoder else None
    if not isinstance(conf, dict):
        raise Refused(f"{path}: no encoder with its encoder_conf, expected a training configuration")
    if encoder != model_type:
        raise Refused(f"{path}: encoder is {encoder}, but the checkpoint's tensors are those of a {model_type}")
    for key, values in EXPECTED[model_type].items():
        if conf.get(key, values[0]) not in values:
            raise Refused(f"{path}: {key} is {conf[key]}, expected {values[0]}")
    if conf.get("input_layer", "conv2d") not in ("conv2d", "linear"):
        raise Refused(f"{path}: input_layer is {conf['input_layer']}, expected conv2d or linear")
    result = {"num_heads": conf.get("attention_heads", 4), "causal": bool(conf.get("causal", False))}
    if "pos_enc" not in given:
        result["pos_enc"] = positions(framework, conf)
    if framework == "wenet":
        result["layer_norm_eps"] = float(conf.get("norm_eps", 1e-5))
    if isinstance(training.get("input_dim"), int):
        result["input_dim"] = training["input_dim"]
    elif isinstance((training.get("frontend_conf") or {}).get("n_mels"), int):
        result["input_dim"] = training["frontend_conf"]["n_mels"]
    if model_type == "branchformer":
        result["merge_method"] = conf.get("merge_method", "concat")
        weight = conf.get("cgmlp_weight", 0.5)
        weights = set(weight) if isinstance(weight, list) else {weight}
        if result["merge_method"] == "fixed_ave":
            if len(weights) > 1:
                raise Refused(f"{path}: cgmlp_weight differs between layers, expected one for all")
            result["cgmlp_weight"] = float(weights.pop())
    return result


def merge(encoder, shapes, training, given):
    """Tensors and training configuration have to agree; what --set gives counts."""
    conf = {"layer_norm_eps": 1e-12, "causal": False, **training, **shapes}
    for key in shapes.keys() & training.keys():
        if shapes[key] != training[key]:
            raise Refused(f"{encoder.path}: {key} is {shapes[key]} by the tensors, but {training[key]} by the training "
                          "configuration")
    conf.update(given)
    needed = ["num_heads", "pos_enc"] + (["merge_method"] if conf["model_type"] == "branchformer" else [])
    for key in needed:
        if key not in conf:
            raise Refused(f"{encoder.path}: its tensors do not tell {key}: --training-config F.yaml or --set {key}=...")
    if conf["input_layer"] == "conv2d":
        conf.setdefault("input_dim", 80)
        bands = encoder.shape("embed.out.0.weight")[1] // conf["d_model"]
        if ((conf["input_dim"] - 1) // 2 - 1) // 2 != bands:
            raise Refused(f"{encoder.path}: embed.out.0.weight is made for {bands} bands, but input_dim "
                          f"{conf['input_dim']} leaves {((conf['input_dim'] - 1) // 2 - 1) // 2}: --set input_dim=N")
    d_k, remainder = divmod(conf["d_model"], conf["num_heads"])
    attention = "encoders.0.attn." if conf["model_type"] == "branchformer" else "encoders.0.self_attn."
    rows = encoder.shape(attention + "linear_k.weight")[0]
    if remainder == 0 and rows != conf["d_model"] and rows % d_k == 0:
        conf.update(attention_type="gqa", attention_kwargs={"num_kv_heads": rows // d_k})
    relative = conf["pos_enc"].startswith("rel_pos")
    if relative != encoder.has(attention + "pos_bias_u"):
        raise Refused(f"{encoder.path}: pos_enc is {conf['pos_enc']}, but the tensor {attention}pos_bias_u is "
                      + ("missing" if relative else "there"))
    return conf


ORDER = ("model_type attention_type d_model num_heads num_layers attention_kwargs input_layer input_dim vocab_size "
         "pos_enc conv_kernel_size causal after_norm layer_norm_eps ff_expansion_factor conv_norm cgmlp_linear_units "
         "merge_method cgmlp_weight").split()


def config_text(conf):
    lines = []
    for key in ORDER:
        if key == "attention_kwargs" and key in conf:
            lines += ["attention_kwargs:"] + [f"  {name}: {value}" for name, value in conf[key].items()]
        elif key in conf:
            lines.append(f"{key}: {json.dumps(conf[key]).strip(chr(34))}")
    return ("\n".join(lines) + "\n").encode()


def safetensors_bytes(tensors):
    """8 bytes of header length, the header in JSON, the data; everything float32 and little-endian."""
    header, offset, data = {}, 0, []
    for name in sorted(tensors):
        block = tensors[name].detach().float().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + len(block)]}
        offset += len(block)
        data.append(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data)


def write_all(files):
    """All of them, or none."""
    written = []
    try:
        for path, write in files:
            part = f"{path}.part.{os.getpid()}"
            written.append(part)
            with open(part, "wb") as stream:
                write(stream)
        for path, _ in files:
            os.replace(f"{path}.part.{os.getpid()}", path)
    except OSError as error:
        for part in written:
            if os.path.exists(part):
                os.unlink(part)
        raise Refused(f"{error.filename or path}: {error.strerror}")


def parse_given(words):
    """--set KEY=VALUE, with values as YAML reads them."""
    given = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in ORDER:
            raise Refused(f"--set {word}: expected KEY=VALUE with a key of attnbench's configuration")
        given[key] = float(value) if key == "layer_norm_eps" else yaml.safe_load(value)
    return given


def say_rest(left, norm, options):
    counts = {}
    for name in left:
        counts[name.split(".")[0]] = counts.get(name.split(".")[0], 0) + 1
    if left:
        print("left out: " + ", ".join(f"{top}.* ({count})" for top, count in sorted(counts.items())), file=sys.stderr)
    if norm is not None and not options.out_cmvn:
        print("the model expects normalised features, (x - mean) * scale; --out-cmvn F.npy writes both", file=sys.stderr)


def run(options):
    given = parse_given(options.set)
    kept, norm, left = split_state(load_state(options.checkpoint), options.checkpoint)
    encoder = Encoder(kept, options.checkpoint)
    shapes = from_tensors(encoder)
    training = {}
    if options.training_config:
        training = from_training(options.training_config, options.framework, shapes["model_type"], given)
    elif options.framework == "wenet":
        training = {"layer_norm_eps": 1e-5}
    conf = merge(encoder, shapes, training, given)
    files = [(options.out_weights, lambda stream: stream.write(safetensors_bytes(kept))),
             (options.out_config, lambda stream: stream.write(config_text(conf)))]
    if options.out_cmvn:
        if norm is None:
            raise Refused(f"{options.checkpoint}: no global_cmvn.* or normalize.* for --out-cmvn")
        files.append((options.out_cmvn, lambda stream: np.save(stream, norm.astype("<f4"))))
    write_all(files)
    say_rest(left, norm, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="a state dict saved by torch.save")
    parser.add_argument("--framework", required=True, choices=("espnet", "wenet"),
                        help="who made it: its defaults, and what it means by rel_pos")
    parser.add_argument("--training-config", metavar="F.yaml", help="ESPnet's config.yaml, WeNet's train.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="a key of attnbench's configuration; needed where nothing else tells it")
    parser.add_argument("--out-weights", required=True, metavar="W.safetensors")
    parser.add_argument("--out-config", required=True, metavar="C.yaml")
    parser.add_argument("--out-cmvn", metavar="F.npy", help="normalisation of features: mean and scale, [2, input_dim]")
    try:
        run(parser.parse_args())
    except (Refused, OSError, yaml.YAMLError) as error:
        print(f"convert_checkpoint.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
