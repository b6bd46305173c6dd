"""What the converter refuses, by the key or the tensor that says so, and what it warns of."""

import copy

import numpy as np
import torch

from checkpoints import Model, convert, fail, ok, run

LAYER = "encoder.encoders.0."


def removed(*endings):
    return lambda state: {name: tensor for name, tensor in state.items() if not name.endswith(endings)}


def without(part):
    return lambda state: {name: tensor for name, tensor in state.items() if part not in name}


def added(name, *shape):
    return lambda state: {**state, name: torch.ones(*shape)}


def changed(name, value, at=0):
    def change(state):
        state = dict(state)
        state[name] = state[name].clone()
        state[name].view(-1)[at] = value
        return state
    return change


def replaced(name, tensor):
    return lambda state: {**state, name: tensor}


def renamed(old, new):
    return lambda state: {name.replace(old, new): tensor for name, tensor in state.items()}


def wide_convolution(state):
    """conv_inner_factor 4: the module works on twice the channels."""
    state = dict(state)
    for name, shape in (("pointwise_conv1.weight", (64, 16, 1)), ("pointwise_conv1.bias", (64,)), ("norm.weight", (32,)),
                        ("depthwise_conv.weight", (32, 1, 8)), ("depthwise_conv.bias", (32,)), ("norm.bias", (32,)),
                        ("pointwise_conv2.weight", (16, 32, 1))):
        for layer in (0, 1):
            state[f"encoder.encoders.{layer}.conv_module.{name}"] = torch.ones(shape)
    return state


# Tensors of the WeNet Conformer, changed; without a training configuration, so that nothing else says it.
TENSORS = (
    ("a layer that conditions on the output", added("encoder.conditioning_layer.weight", 16, 7),
     ["encoder.conditioning_layer.weight", "interctc_use_conditioning"]),
    ("a tensor of the encoder that is unknown", added("encoder.mystery.weight", 3), ["encoder.mystery.weight", "none that"]),
    ("a tensor of a layer that is unknown", added(LAYER + "mystery", 3), [LAYER + "mystery", "none that"]),
    ("LoRA", added(LAYER + "self_attn.linear_q.lora_A", 4, 16), ["linear_q.lora_A", "LoRA"]),
    ("Shaw's positions", added(LAYER + "self_attn.rel_k_embed.weight", 73, 4), ["rel_k_embed", "shaw_rel_selfattn"]),
    ("norms of queries and keys", added(LAYER + "self_attn.q_norm.weight", 4), ["q_norm", "qk_norm"]),
    ("a scale of positions", added("encoder.embed.pos_enc.alpha", 1), ["pos_enc.alpha", "scaled_abs_pos"]),
    ("experts", added(LAYER + "feed_forward.experts.0.w_1.weight", 4, 4), ["experts", "mlp_type"]),
    ("half of a macaron", without("norm_ff_macaron"), ["norm_ff_macaron", "is missing", "macaron_style: false"]),
    ("a layer without macaron", without("encoders.1.feed_forward_macaron"), ["encoders.1.feed_forward_macaron", "is missing"]),
    ("no query biases", removed("linear_q.bias", "linear_out.bias"), ["linear_", "query_bias: false"]),
    ("no key biases", removed("linear_k.bias"), ["linear_k.bias", "key_bias: false"]),
    ("no value biases", removed("linear_v.bias"), ["linear_v.bias", "value_bias: false"]),
    ("no biases of the feed-forward", removed("w_1.bias", "w_2.bias"), ["w_1.bias", "mlp_bias: false"]),
    ("no biases of the convolution", removed("pointwise_conv1.bias", "pointwise_conv2.bias", "depthwise_conv.bias"), ["conv.bias", "conv_bias: false"]),
    ("no biases of norms", removed("norm_mha.bias"), ["norm_mha.bias", "layer_norm_type"]),
    ("no convolution", lambda state: without("norm_final")(without("conv_module")(state)),
     ["norm_final.weight", "use_cnn_module: false"]),
    ("a wide convolution", wide_convolution, ["depthwise_conv.weight", "[32, 1, 8]", "conv_inner_factor"]),
    ("heads of another size", replaced(LAYER + "self_attn.linear_q.weight", torch.ones(32, 16)), ["linear_q.weight", "head_dim"]),
    ("a layer missing between others", renamed("encoders.1.", "encoders.2."), ["encoders.1.*", "encoders.2.*"]),
    ("a tensor missing", removed("encoders.1.norm_ff.weight"), ["encoders.1.norm_ff.weight is missing"]),
    ("a tensor of another shape", replaced("encoder.encoders.1.norm_ff.weight", torch.ones(17)),
     ["encoders.1.norm_ff.weight", "[17]", "[16]"]),
    ("NaN", changed(LAYER + "feed_forward.w_1.weight", float("nan"), 5), ["feed_forward.w_1.weight is nan at element 5"]),
    ("infinity", changed("ctc.ctc_lo.bias", float("inf")), ["ctc.ctc_lo.bias is inf"]),
    ("too large for float32", replaced("encoder.after_norm.bias", torch.full((16,), 1e300, dtype=torch.float64)),
     ["encoder.after_norm.bias is inf"]),
    ("integers", replaced("encoder.after_norm.bias", torch.ones(16, dtype=torch.int64)), ["after_norm.bias", "int64"]),
    ("half of the normalisation", removed("global_cmvn.istd"), ["encoder.global_cmvn.istd is missing"]),
    ("normalisation of another width", replaced("encoder.global_cmvn.mean", torch.ones(23)), ["global_cmvn.mean", "23"]),
    ("normalisation with NaN", changed("encoder.global_cmvn.istd", float("nan")), ["global_cmvn.istd is nan"]),
)
ESPNET_TENSORS = (
    ("half of ESPnet's normalisation", removed("normalize.std"), ["normalize.std is missing"]),
    ("a deviation of 0", changed("normalize.std", 0.0, 4), ["normalize.std is 0 at element 4"]),
    ("a negative variance", changed(LAYER + "conv_module.norm.running_var", -1.0), ["running_var is -1.0"]),
)
# Keys of the WeNet Conformer's training configuration with its own tensors.
KEYS = {"query_bias": "x", "conv_inner_factor": 4, "selfattention_layer_type": "shaw_rel_selfattn", "mlp_type": "moe", "head_dim": 8,
        "conv_norm_eps": 1e-3, "layer_norm_type": "rms_norm", "cnn_module_norm": "rms_norm", "input_layer": "conv2d6",
        "normalize_before": False, "use_cnn_module": False, "activation_type": "relu", "mystery_key": 1}
ESPNET_KEYS = {"interctc_use_conditioning": True, "ctc_trim": True, "qk_norm": True, "zero_triu": True, "concat_after": True,
               "selfattention_layer_type": "lf_selfattn", "rel_pos_type": "legacy", "pos_enc_layer_type": "scaled_abs_pos"}
# Keys whose value is another one than that of the tensors; what the message calls them.
SIZES = {"macaron_style": (False, "macaron_style"), "num_blocks": (3, "num_layers"), "output_size": (32, "d_model"), "cnn_module_kernel": (9, "conv_kernel_size"),
         "linear_units": (48, "ff_expansion_factor"), "attention_heads": (8, "num_heads")}


def refused(work, name, framework, words, *more):
    for path in ("w.safetensors", "c.yaml"):
        (work / path).unlink(missing_ok=True)
    status, text = convert(work, framework, *more)
    if status != 2 or text.count("\n") != 1 or not all(word in text for word in words):
        fail(name, f"status {status}, expected 2 and {words}: {text}")
    if any(".part" in path.name or path.name in ("w.safetensors", "c.yaml") for path in work.iterdir()):
        fail(name, "files were left behind")
    ok(f"refused: {name}")


def check_tensors(wenet, espnet, work):
    for model, cases in ((wenet, TENSORS), (espnet, ESPNET_TENSORS)):
        positions = "rel_pos" if model is espnet else "rel_pos_wenet"
        for name, change, words in cases:
            torch.save(change(model.state_dict()), work / "final.pt")
            refused(work, name, model.framework, ["final.pt", *words], "--set", f"pos_enc={positions}", "--set", "input_dim=20")


def with_conf(model, **keys):
    other = copy.copy(model)
    other.training = dict(model.training, encoder_conf=dict(model.training["encoder_conf"], **keys))
    return other


def check_keys(wenet, espnet, work):
    for model, keys in ((wenet, KEYS), (espnet, ESPNET_KEYS)):
        torch.save(model.state_dict(), work / "final.pt")
        for key, value in keys.items():
            word = str(value).lower() if isinstance(value, bool) else str(value)
            words = [key, "--ignore"] if key == "mystery_key" else [key if key != "rel_pos_type" else "legacy", word]
            refused(work, f"{key}: {word}", model.framework, words, *with_conf(model, **{key: value}).options(work))
    torch.save(wenet.state_dict(), work / "final.pt")
    for key in ("query_bias", "key_bias", "value_bias", "conv_bias", "mlp_bias"):
        refused(work, f"{key}: false with biases", "wenet", [key, "bias is there"], *with_conf(wenet, **{key: False}).options(work))
    for key, (value, ours) in SIZES.items():
        refused(work, f"{key} that disagrees", "wenet", [ours, "by the tensors"], *with_conf(wenet, **{key: value}).options(work))
    status, text = convert(work, "wenet", *with_conf(wenet, mystery_key=1).options(work), "--ignore", "mystery_key")
    if status:
        fail("--ignore", text)
    ok("--ignore lets an unknown key pass")


def forward_notes(attnbench, work):
    np.save(work / "x.npy", np.ones((1, 41, 20), np.float32))
    _, said = run(attnbench, "notes", "forward", "--config", work / "c.yaml", "--weights", work / "w.safetensors", "--input",
                  work / "x.npy", "--output", work / "y.npy")
    return said


def check_note(attnbench, model, name, training, state, words, keys, later, work):
    other = copy.copy(model)
    other.training = dict(model.training, **training)
    torch.save(state, work / "final.pt")
    status, text = convert(work, model.framework, *other.options(work))
    conf = (work / "c.yaml").read_text()
    if status or not all(word in text for word in words):
        fail(name, f"status {status}, expected {words}: {text}")
    if not all(key in conf for key in keys):
        fail(name, f"expected {keys}: {conf}")
    said = forward_notes(attnbench, work)
    if (later not in said) or (not later and said):
        fail(name, f"forward says '{said}', expected '{later}'")
    ok(f"noted: {name}")


def check_notes(attnbench, wenet, espnet, work):
    bare = {name: tensor for name, tensor in espnet.state_dict().items() if not name.startswith("normalize.")}
    lost = {name: tensor for name, tensor in wenet.state_dict().items() if "global_cmvn" not in name}
    check_note(attnbench, espnet, "utterance_mvn", dict(normalize="utterance_mvn", normalize_conf={}), bare,
               ["normalize is utterance_mvn"], ["feature_norm: utterance_mvn"], "feature_norm: utterance_mvn", work)
    silent = copy.copy(espnet)
    silent.training = {key: value for key, value in espnet.training.items() if key != "normalize"}
    check_note(attnbench, silent, "normalisation by ESPnet's default", {}, bare, ["ESPnet's default is utterance_mvn"],
               ["feature_norm: utterance_mvn"], "feature_norm: utterance_mvn", work)
    check_note(attnbench, espnet, "normalisation that ESPnet's checkpoint lost", {}, bare, ["WARNING", "normalize.*"],
               ["feature_norm: global_mvn"], "the checkpoint has no global_cmvn.mean", work)
    check_note(attnbench, wenet, "normalisation that WeNet's checkpoint lost", {}, lost, ["WARNING", "encoder.global_cmvn.*"],
               ["feature_norm: global_mvn"], "the checkpoint has no global_cmvn.mean", work)
    check_note(attnbench, espnet, "a preencoder", dict(preencoder="linear", preencoder_conf=dict(output_size=20)), {**espnet.state_dict(),
               "preencoder.linear_out.weight": torch.ones(20, 80)}, ["preencoder (linear)", "normalize.* (2)", "preencoder.* (1)"],
               ["features: other"], "", work)
    check_note(attnbench, espnet, "a postencoder", {}, {**espnet.state_dict(), "postencoder.weight": torch.ones(3)},
               ["postencoder.* is left out"], ["feature_norm: global_mvn"], "", work)
    chunked = with_conf(wenet, static_chunk_size=16)
    check_note(attnbench, chunked, "a static chunk", {}, wenet.state_dict(), ["--chunk 16"], ["feature_norm: global_mvn"], "", work)


def check_means_only(work, espnet):
    """ESPnet's norm_vars: false divides by nothing."""
    from checkpoints import read_safetensors
    other = copy.copy(espnet)
    other.training = dict(espnet.training, normalize_conf=dict(norm_vars=False))
    torch.save(espnet.state_dict(), work / "final.pt")
    status, text = convert(work, "espnet", *other.options(work))
    tensors = read_safetensors(work / "w.safetensors")
    if status or not (tensors["global_cmvn.istd"] == 1).all() or not (tensors["global_cmvn.mean"] == espnet.mean).all():
        fail("norm_vars", f"status {status}: {text}")
    ok("norm_vars: false: means only")


def check_others(work, wenet, espnet):
    torch.save(wenet.state_dict(), work / "final.pt")
    refused(work, "positions that nothing says", "wenet", ["pos_enc", "--set"])
    refused(work, "another input_dim", "wenet", ["embed.out.0.weight", "input_dim"], "--set", "pos_enc=rel_pos_wenet", "--set",
            "input_dim=80")
    refused(work, "a missing folder", "wenet", ["no/w"], "--set", "pos_enc=rel_pos_wenet", "--set", "input_dim=20",
            "--out-weights", work / "no/w")
    torch.save(espnet.state_dict(), work / "final.pt")
    other = copy.copy(espnet)
    for kind in ("utterance_mvn", "mystery_mvn"):
        other.training = dict(espnet.training, normalize=kind)
        refused(work, f"normalize: {kind} with tensors", "espnet", ["normalize", kind], *other.options(work))
    (work / "final.pt").write_text("not a checkpoint")
    refused(work, "a text", "wenet", ["final.pt", "PyTorch"])
    torch.save({"optimizer": 3}, work / "final.pt")
    refused(work, "no tensors", "wenet", ["final.pt", "state dict"])
    torch.save({"decoder.weight": torch.ones(3)}, work / "final.pt")
    refused(work, "no encoder", "wenet", ["encoder.encoders.0"])


def check(attnbench, cases, work):
    wenet, espnet = (Model(name, cases[name]) for name in ("wenet-conformer", "espnet-conformer"))
    check_tensors(wenet, espnet, work)
    check_keys(wenet, espnet, work)
    check_notes(attnbench, wenet, espnet, work)
    check_means_only(work, espnet)
    check_others(work, wenet, espnet)
