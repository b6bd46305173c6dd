#!/usr/bin/env python3
"""Turns an encoder checkpoint of ESPnet or WeNet (.pt, .pth) into safetensors and a configuration for attnbench.

Needs PyTorch 1.13 or newer with NumPy, and PyYAML. docs/checkpoints.md says what is read and what is refused.
"""

import argparse
import json
import os
import struct
import sys

sys.dont_write_bytecode = True  # nothing is left in the script's folder

import yaml  # noqa: E402

from checkpoint_tensors import Checkpoint, Refused, check_tensors, fill_biases, load_state  # noqa: E402
from checkpoint_training import foreign_features, from_training, normalisation  # noqa: E402


def attention_of(model_type):
    return "encoders.0.attn." if model_type == "branchformer" else "encoders.0.self_attn."


def from_attention(checkpoint, model_type, d_model):
    name = attention_of(model_type)
    rows = checkpoint.shape(name + "linear_q.weight")[0]
    heads, d_k = checkpoint.shape(name + "pos_bias_u") if checkpoint.has(name + "pos_bias_u") else (0, 0)
    if rows != d_model or heads * d_k not in (0, d_model):
        raise Refused(f"{checkpoint.path}: tensor {checkpoint.prefix}{name}linear_q.weight has {rows} rows, expected d_model "
                      f"{d_model} (head_dim is not output_size / attention_heads)")
    return {"num_heads": heads} if heads else {}


def from_conformer(checkpoint, d_model):
    units = checkpoint.shape("encoders.0.feed_forward.w_1.weight")[0]
    macaron = any(".feed_forward_macaron." in name or ".norm_ff_macaron." in name for name in checkpoint.encoder)
    return {"macaron_style": macaron,
            "ff_expansion_factor": units // d_model if units % d_model == 0 else units / d_model,
            "conv_kernel_size": checkpoint.shape("encoders.0.conv_module.depthwise_conv.weight")[2],
            "conv_norm": "batch_norm" if checkpoint.has("encoders.0.conv_module.norm.running_mean") else "layer_norm"}


def from_branchformer(checkpoint, d_model):
    if any("depthwise_conv_fusion" in name for name in checkpoint.encoder):
        raise Refused(f"{checkpoint.path}: an E-Branchformer (depthwise_conv_fusion), expected a Branchformer")
    conf = {"cgmlp_linear_units": checkpoint.shape("encoders.0.cgmlp.channel_proj1.0.weight")[0],
            "conv_kernel_size": checkpoint.shape("encoders.0.cgmlp.csgu.conv.weight")[2]}
    if checkpoint.shape("encoders.0.merge_proj.weight")[1] == 2 * d_model:
        conf["merge_method"] = "concat"
    return conf


def from_input(checkpoint, d_model):
    if not checkpoint.has("embed.conv.0.weight"):
        return {"input_layer": "linear", "input_dim": checkpoint.shape("embed.out.0.weight")[1]}
    if checkpoint.shape("embed.conv.0.weight") != (d_model, 1, 3, 3) or checkpoint.has("embed.conv.4.weight"):
        raise Refused(f"{checkpoint.path}: embed.conv is not two 3x3 convolutions of stride 2 (conv2d)")
    return {"input_layer": "conv2d"}


def from_tensors(checkpoint):
    """The keys that shapes decide."""
    branchformer = any(".cgmlp." in name for name in checkpoint.encoder)
    model_type = "branchformer" if branchformer else "conformer"
    d_model = checkpoint.shape("encoders.0.norm_final.weight")[0]
    conf = {"model_type": model_type, "attention_type": "mha", "d_model": d_model, "num_layers": checkpoint.layers(),
            "after_norm": checkpoint.has("after_norm.weight"), **from_attention(checkpoint, model_type, d_model),
            **from_input(checkpoint, d_model),
            **(from_branchformer if branchformer else from_conformer)(checkpoint, d_model)}
    if checkpoint.has("ctc.ctc_lo.weight"):
        conf["vocab_size"] = checkpoint.shape("ctc.ctc_lo.weight")[0]
    return conf


def merge(checkpoint, shapes, training, given):
    """Tensors and training configuration have to agree; what --set gives counts."""
    path = checkpoint.path
    conf = {"layer_norm_eps": 1e-12, "causal": False, **training, **shapes}
    for key in shapes:
        if key in training and shapes[key] != training[key]:
            raise Refused(f"{path}: {key} is {shapes[key]} by the tensors, but {training[key]} by the training configuration")
    conf.update(given)
    for key in ["num_heads", "pos_enc"] + (["merge_method"] if conf["model_type"] == "branchformer" else []):
        if key not in conf:
            raise Refused(f"{path}: its tensors do not show {key}: --training-config F.yaml or --set {key}=...")
    if conf["input_layer"] == "conv2d":
        if "input_dim" not in conf:
            conf["input_dim"] = checkpoint.shape("global_cmvn.mean")[0] if checkpoint.has("global_cmvn.mean") else 80
        bands = checkpoint.shape("embed.out.0.weight")[1] // conf["d_model"]
        left = ((conf["input_dim"] - 1) // 2 - 1) // 2
        if left != bands:
            raise Refused(f"{path}: embed.out.0.weight is made for {bands} bands, but input_dim {conf['input_dim']} leaves "
                          f"{left}: --set input_dim=N")
    attention = attention_of(conf["model_type"])
    if conf["d_model"] % conf["num_heads"]:
        raise Refused(f"{path}: num_heads {conf['num_heads']} does not divide d_model {conf['d_model']}")
    d_k, rows = conf["d_model"] // conf["num_heads"], checkpoint.shape(attention + "linear_k.weight")[0]
    if rows != conf["d_model"] and rows % d_k == 0:
        conf.update(attention_type="gqa", attention_kwargs={"num_kv_heads": rows // d_k})
    relative = conf["pos_enc"].startswith("rel_pos")
    if relative != checkpoint.has(attention + "pos_bias_u"):
        raise Refused(f"{path}: pos_enc is {conf['pos_enc']}, but the tensor {attention}pos_bias_u is "
                      + ("missing" if relative else "there"))
    return conf


def drop_unused(checkpoint, conf, final_norm):
    """What WeNet and ESPnet save whether the model uses it or not."""
    if not final_norm:
        checkpoint.drop(r"after_norm\.")
        conf["after_norm"] = False
    if conf["model_type"] == "branchformer" and conf["merge_method"] != "learned_ave":
        checkpoint.drop(r"encoders\.\d+\.(pooling|weight)_proj[12]\.")
    if conf.get("merge_method") == "fixed_ave" and conf.get("cgmlp_weight", 0.5) in (0, 1):
        checkpoint.drop(r"encoders\.\d+\.(cgmlp|norm_mlp)\." if conf["cgmlp_weight"] == 0 else r"encoders\.\d+\.(attn|norm_mha)\.")


def settle_features(checkpoint, conf, training, framework):
    """What stands between Kaldi's features and the encoder's input: normalisation goes along, the rest is a note. Returns notes."""
    foreign = foreign_features(training, framework, checkpoint.outside)
    said, means, variances = normalisation(training, framework)
    notes = []
    if foreign:
        conf["features"] = "other"
        notes.append(f"the encoder reads {foreign}: give them with --input; those that --data makes are others")
    if foreign and "preencoder" in foreign and checkpoint.normalize:
        checkpoint.outside += ["normalize." + name for name in checkpoint.normalize]
        checkpoint.normalize.clear()  # its output is not what they normalise
        return notes
    if checkpoint.normalize and said not in (None, "global_mvn"):
        raise Refused(f"{checkpoint.path}: tensors normalize.* are there, but normalize is {said} by the training configuration")
    checkpoint.take_normalize(means, variances)
    if checkpoint.has("global_cmvn.mean"):
        conf["feature_norm"] = "global_mvn"
    elif said is None and framework == "espnet" and training:
        conf["feature_norm"] = "utterance_mvn"
        notes.append("normalize is not in the training configuration, and ESPnet's default is utterance_mvn, which attnbench "
                     "does not apply: give it features that are normalised")
    elif said == "utterance_mvn":
        conf["feature_norm"] = said
        notes.append("normalize is utterance_mvn, which attnbench does not apply: give it features that are normalised")
    elif said == "global_mvn":
        conf["feature_norm"] = said
        notes.append("WARNING: the model was trained on normalised features, but the checkpoint has no "
                     f"{'normalize' if framework == 'espnet' else 'encoder.global_cmvn'}.* tensors: give attnbench features "
                     "that are normalised")
    return notes


def other_notes(checkpoint, training):
    notes = []
    chunk = (training.get("encoder_conf") or {}).get("static_chunk_size", 0)
    if chunk:
        notes.append(f"static_chunk_size is {chunk}: the model was trained for --chunk {chunk}")
    if any(name.startswith("postencoder.") for name in checkpoint.outside):
        notes.append("postencoder.* is left out: what it does between the encoder and the output layer, --logits does not")
    return notes


ORDER = ("model_type attention_type d_model num_heads num_layers attention_kwargs input_layer input_dim features feature_norm "
         "vocab_size pos_enc conv_kernel_size causal after_norm layer_norm_eps ff_expansion_factor macaron_style conv_norm cgmlp_linear_units "
         "merge_method cgmlp_weight").split()


def config_text(conf):
    lines = []
    for key in ORDER:
        if key == "attention_kwargs" and key in conf:
            lines += ["attention_kwargs:"] + [f"  {name}: {value}" for name, value in conf[key].items()]
        elif key in conf:
            lines.append(f"{key}: {json.dumps(conf[key]).strip(chr(34))}")
    return ("\n".join(lines) + "\n").encode()


def safetensors_bytes(arrays):
    """8 bytes of header length, the header in JSON, the data; everything float32 and little-endian."""
    header, offset, data = {}, 0, []
    for name, array in arrays.items():
        block = array.tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + len(block)]}
        offset += len(block)
        data.append(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data)


def write_all(files):
    """All of them, or none."""
    written = []
    try:
        for path, content in files:
            part = f"{path}.part.{os.getpid()}"
            written.append(part)
            with open(part, "wb") as stream:
                stream.write(content)
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


def counted(names, depth):
    """"decoder.* (3), specaug.* (1)", by the first parts of the names."""
    counts = {}
    for name in names:
        top = ".".join(name.split(".")[:depth])
        counts[top] = counts.get(top, 0) + 1
    return ", ".join(f"{top}.* ({count})" for top, count in sorted(counts.items()))


def say_rest(checkpoint, notes):
    if checkpoint.outside:
        print(f"left out, not the encoder's: {counted(checkpoint.outside, 1)}", file=sys.stderr)
    if checkpoint.unused:
        print(f"left out, not used by this model: {len(checkpoint.unused)} tensors such as {checkpoint.unused[0]}", file=sys.stderr)
    if checkpoint.buffers:
        print(f"ignored: {len(checkpoint.buffers)} buffers that inference does not need, such as {checkpoint.buffers[0]}",
              file=sys.stderr)
    for note in notes:
        print(note if note.startswith("WARNING") else f"note: {note}", file=sys.stderr)


def run(options):
    given = parse_given(options.set)
    checkpoint = Checkpoint(load_state(options.checkpoint), options.checkpoint)
    keys, training = {"layer_norm_eps": 1e-5} if options.framework == "wenet" else {}, {}
    if options.training_config:
        keys, training = from_training(options.training_config, options.framework, checkpoint, given, set(options.ignore))
    shapes = from_tensors(checkpoint)
    conf = merge(checkpoint, shapes, keys, given)
    drop_unused(checkpoint, conf, (training.get("encoder_conf") or {}).get("final_norm", True))
    notes = settle_features(checkpoint, conf, training, options.framework) + other_notes(checkpoint, training)
    conf.update(given)
    filled = fill_biases(checkpoint, conf, training.get("encoder_conf") or {})
    if filled:
        notes.append(f"{filled} biases that the model does not have are written as zeros: the same numbers, a few more parameters")
    check_tensors(checkpoint, conf)
    write_all([(options.out_weights, safetensors_bytes(checkpoint.final())), (options.out_config, config_text(conf))])
    say_rest(checkpoint, notes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="a state dict saved by torch.save")
    parser.add_argument("--framework", required=True, choices=("espnet", "wenet"),
                        help="who made it: its defaults, and what it means by rel_pos")
    parser.add_argument("--training-config", metavar="F.yaml", help="ESPnet's config.yaml, WeNet's train.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="a key of attnbench's configuration; needed where nothing else says it")
    parser.add_argument("--ignore", action="append", default=[], metavar="KEY",
                        help="a key of the training configuration's encoder_conf that changes nothing in a trained encoder")
    parser.add_argument("--out-weights", required=True, metavar="W.safetensors")
    parser.add_argument("--out-config", required=True, metavar="C.yaml")
    try:
        run(parser.parse_args())
    except (Refused, OSError, yaml.YAMLError) as error:
        print(f"convert_checkpoint.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
