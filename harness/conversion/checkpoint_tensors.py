"""The tensors of a checkpoint of ESPnet or WeNet: which are the encoder's, and which an encoder of attnbench has to have."""

import re

import numpy as np
import torch

BUFFERS = ("num_batches_tracked", "pos_enc.pe")
OUTSIDE = ("ctc.", "decoder.", "frontend.", "normalize.", "preencoder.", "postencoder.")  # where names lack "encoder."


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


class Checkpoint:
    """The state dict in parts. Names of the encoder's tensors are without the prefix."""

    def __init__(self, state, path):
        self.path = path
        self.prefix = "encoder." if any(name.startswith("encoder.encoders.") for name in state) else ""
        self.encoder, self.normalize = {}, {}
        self.buffers, self.outside, self.unused = [], [], []
        for name, tensor in state.items():
            self._take(name, tensor)
        if not any(name.startswith("encoders.0.") for name in self.encoder):
            raise Refused(f"{path}: no tensor encoder.encoders.0.*, expected an encoder of ESPnet or WeNet")

    def _take(self, name, tensor):
        mine = name.startswith(self.prefix) and not (self.prefix == "" and name.startswith(OUTSIDE))
        if name.startswith("ctc.ctc_lo."):
            self.encoder[name] = tensor
        elif name in ("normalize.mean", "normalize.std"):
            self.normalize[name.split(".")[1]] = tensor
        elif not mine:
            self.outside.append(name)
        elif name.endswith(BUFFERS) or re.search(r"embed(\.out)?\.\d+\.pe$", name):
            self.buffers.append(name)
        else:
            # An input layer that is an nn.Sequential: Linear, LayerNorm.
            below = re.sub(r"^embed\.([01])\.(weight|bias)$", r"embed.out.\1.\2", name[len(self.prefix):])
            self.encoder[below] = tensor

    def has(self, name):
        return name in self.encoder

    def shape(self, name):
        if name not in self.encoder:
            raise Refused(f"{self.path}: tensor {self.prefix}{name} is missing{hint(name)}")
        return tuple(self.encoder[name].shape)

    def layers(self):
        numbers = {int(name.split(".")[1]) for name in self.encoder if re.match(r"encoders\.\d+\.", name)}
        for layer in range(max(numbers)):
            if layer not in numbers:
                raise Refused(f"{self.path}: no tensor {self.prefix}encoders.{layer}.*, though encoders.{max(numbers)}.* is there")
        return len(numbers)

    def take_normalize(self, means=True, variances=True):
        """ESPnet's normalize.* under WeNet's names, which attnbench applies to features."""
        mean, std = (self.normalize.pop(key, None) for key in ("mean", "std"))
        if (mean is None) != (std is None):
            raise Refused(f"{self.path}: tensor normalize.{'mean' if mean is None else 'std'} is missing")
        if mean is None:
            return
        if (std == 0).any():
            raise Refused(f"{self.path}: tensor normalize.std is 0 at element {int((std == 0).nonzero()[0])}")
        self.encoder["global_cmvn.mean"] = mean.double() if means else torch.zeros_like(mean)
        self.encoder["global_cmvn.istd"] = 1 / std.double() if variances else torch.ones_like(std)

    def drop(self, pattern):
        """Tensors that the framework saves and this model does not use."""
        for name in [name for name in self.encoder if re.match(pattern, name)]:
            del self.encoder[name]
            self.unused.append(name)

    def final(self):
        """Name in the file -> float32 array, all of them finite."""
        arrays = {}
        for name, tensor in sorted(self.encoder.items()):
            full = name if name.startswith("ctc.") else self.prefix + name
            if not tensor.is_floating_point():
                raise Refused(f"{self.path}: tensor {full} is {tensor.dtype}, expected floating point")
            array = arrays[full] = tensor.detach().float().contiguous().numpy().astype("<f4")
            wrong = ~np.isfinite(array) | ((array < 0) if name.endswith("running_var") else False)
            if wrong.any():
                raise Refused(f"{self.path}: tensor {full} is {array[wrong][0]} at element {int(np.flatnonzero(wrong)[0])}")
        return arrays


# Why a tensor is there, is missing or has another shape: the key of the training configuration.
HINTS = (
    (r"lora_", "LoRA adapters: merge them into the weights first"),
    (r"rel_k_embed", "selfattention_layer_type: shaw_rel_selfattn"),
    (r"conditioning_layer", "interctc_use_conditioning"),
    (r"attn\.[qk]_norm|attn\.norm_[qk]", "qk_norm"),
    (r"concat_linear", "concat_after"),
    (r"\.alpha$", "pos_enc_layer_type: scaled_abs_pos"),
    (r"depthwise_conv_fusion", "an E-Branchformer"),
    (r"feed_forward.*(gate|experts|w_3)", "mlp_type"),
    (r"norm_(final|conv)\.weight", "use_cnn_module: false"),
    (r"encoders\.\d+\.(norm_ff_macaron|feed_forward_macaron\.w_\d\.weight)", "macaron_style: false"),
    (r"attn\.linear_q\.bias|attn\.linear_out\.bias", "query_bias: false"),
    (r"attn\.linear_k\.bias", "key_bias: false"),
    (r"attn\.linear_v\.bias", "value_bias: false"),
    (r"feed_forward.*\.bias", "mlp_bias: false"),
    (r"conv_module\.(\w+conv\d?\.weight|norm\.)", "conv_inner_factor"),
    (r"conv_module\.\w+conv\d?\.bias", "conv_bias: false"),
    (r"norm\w*\.bias", "layer_norm_type"),
)


def hint_index(name):
    return next((i for i, (pattern, _) in enumerate(HINTS) if re.search(pattern, name)), len(HINTS))


def hint(name):
    return f" ({HINTS[hint_index(name)][1]})" if hint_index(name) < len(HINTS) else ""


# Biases that a training configuration may switch off.
BIASES = {
    "query_bias": r"attn\.linear_(q|out)\.bias$",
    "key_bias": r"attn\.linear_k\.bias$",
    "value_bias": r"attn\.linear_v\.bias$",
    "mlp_bias": r"\.feed_forward(_macaron)?\.w_[12]\.bias$",
    "conv_bias": r"conv_module\.\w+_conv\d?\.bias$",
}


def fill_biases(checkpoint, conf, encoder_conf):
    """A bias that is off becomes zeros, which gives the same numbers. Returns how many."""
    off = {key: pattern for key, pattern in BIASES.items() if encoder_conf.get(key, True) is False}
    filled = 0
    for name, shape in expected_tensors(conf, checkpoint).items():
        key = next((key for key, pattern in off.items() if re.search(pattern, name)), None)
        if key and checkpoint.has(name):
            raise Refused(f"{checkpoint.path}: tensor {checkpoint.prefix}{name} is there, but {key} is false by the training "
                          "configuration")
        if key:
            checkpoint.encoder[name] = torch.zeros(shape)
            filled += 1
    return filled


def linear(name, rows, columns):
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def attention_tensors(name, conf):
    d, heads = conf["d_model"], conf["num_heads"]
    kv = d // heads * conf.get("attention_kwargs", {}).get("num_kv_heads", heads)
    tensors = {**linear(f"{name}.linear_q", d, d), **linear(f"{name}.linear_k", kv, d),
               **linear(f"{name}.linear_v", kv, d), **linear(f"{name}.linear_out", d, d)}
    if conf["pos_enc"].startswith("rel_pos"):
        tensors.update({f"{name}.linear_pos.weight": (d, d), f"{name}.pos_bias_u": (heads, d // heads),
                        f"{name}.pos_bias_v": (heads, d // heads)})
    return tensors


def conformer_tensors(conf):
    d, kernel = conf["d_model"], conf["conv_kernel_size"]
    units = round(conf["ff_expansion_factor"] * d)
    tensors = {**attention_tensors("self_attn", conf),
               "conv_module.pointwise_conv1.weight": (2 * d, d, 1), "conv_module.pointwise_conv1.bias": (2 * d,),
               "conv_module.depthwise_conv.weight": (d, 1, kernel), "conv_module.depthwise_conv.bias": (d,),
               "conv_module.pointwise_conv2.weight": (d, d, 1), "conv_module.pointwise_conv2.bias": (d,)}
    macaron = conf.get("macaron_style", True)
    for name in ("norm_mha", "norm_conv", "conv_module.norm", "norm_ff", "norm_final") + (("norm_ff_macaron",) if macaron else ()):
        tensors.update(norm(name, d))
    if conf["conv_norm"] == "batch_norm":
        tensors.update({"conv_module.norm.running_mean": (d,), "conv_module.norm.running_var": (d,)})
    for name in ("feed_forward", "feed_forward_macaron")[:1 + macaron]:
        tensors.update({**linear(f"{name}.w_1", units, d), **linear(f"{name}.w_2", d, units)})
    return tensors


def branchformer_tensors(conf, gate_linear):
    d, units, kernel = conf["d_model"], conf["cgmlp_linear_units"], conf["conv_kernel_size"]
    method, weight = conf["merge_method"], conf.get("cgmlp_weight", 0.5)
    tensors = norm("norm_final", d)
    if method != "fixed_ave" or weight < 1:
        tensors.update({**norm("norm_mha", d), **attention_tensors("attn", conf)})
    if method != "fixed_ave" or weight > 0:
        tensors.update({**norm("norm_mlp", d), **linear("cgmlp.channel_proj1.0", units, d), **norm("cgmlp.csgu.norm", units // 2),
                        "cgmlp.csgu.conv.weight": (units // 2, 1, kernel), "cgmlp.csgu.conv.bias": (units // 2,),
                        **linear("cgmlp.channel_proj2", d, units // 2)})
        if gate_linear:
            tensors.update(linear("cgmlp.csgu.linear", units // 2, units // 2))
    if method == "learned_ave":
        for name in ("pooling_proj1", "pooling_proj2", "weight_proj1", "weight_proj2"):
            tensors.update(linear(name, 1, d))
    tensors.update(linear("merge_proj", d, 2 * d if method == "concat" else d))
    return tensors


def expected_tensors(conf, checkpoint):
    """Name -> shape of everything that a model of this configuration has."""
    d, tensors = conf["d_model"], {}
    if conf["input_layer"] == "conv2d":
        bands = ((conf["input_dim"] - 1) // 2 - 1) // 2
        tensors.update({"embed.conv.0.weight": (d, 1, 3, 3), "embed.conv.0.bias": (d,), "embed.conv.2.weight": (d, d, 3, 3),
                        "embed.conv.2.bias": (d,), **linear("embed.out.0", d, d * bands)})
    else:
        tensors.update(linear("embed.out.0", d, conf["input_dim"]))
        if checkpoint.has("embed.out.1.weight"):
            tensors.update(norm("embed.out.1", d))
    for layer in range(conf["num_layers"]):
        block = (conformer_tensors(conf) if conf["model_type"] == "conformer" else
                 branchformer_tensors(conf, checkpoint.has(f"encoders.{layer}.cgmlp.csgu.linear.weight")))
        tensors.update({f"encoders.{layer}.{name}": shape for name, shape in block.items()})
    if conf["after_norm"]:
        tensors.update(norm("after_norm", d))
    if "vocab_size" in conf:
        tensors.update(linear("ctc.ctc_lo", conf["vocab_size"], d))
    if any(checkpoint.has(f"global_cmvn.{name}") for name in ("mean", "istd")):
        tensors.update({"global_cmvn.mean": (conf["input_dim"],), "global_cmvn.istd": (conf["input_dim"],)})
    return tensors


def check_tensors(checkpoint, conf):
    """Refuses, by its name and the key behind it, a tensor that is missing, extra or of another shape."""
    wanted, faults = expected_tensors(conf, checkpoint), []
    for name in checkpoint.encoder.keys() - wanted.keys():
        faults.append((name, "is none that attnbench knows"))
    for name, shape in wanted.items():
        if not checkpoint.has(name):
            faults.append((name, "is missing"))
        elif checkpoint.shape(name) != shape:
            faults.append((name, f"has shape {list(checkpoint.shape(name))}, expected {list(shape)}"))
    for name, what in sorted(faults, key=lambda fault: (hint_index(fault[0]), fault[1] == "is missing", fault[0]))[:1]:
        raise Refused(f"{checkpoint.path}: tensor {checkpoint.prefix}{name} {what}{hint(name)}")
