"""The bare attention stack and the two encoders, written from the papers, in double precision, one utterance at a time.

An utterance never sees padding here: it is computed alone, from its own frames. What the library computes for a padded
batch has to agree. `w` maps checkpoint names to double tensors, `cfg` has the YAML keys.
"""

import math

import torch
import torch.nn.functional as F

from attention import attention, attention_tensors, linear, sinusoid, visible


def layer_norm(w, name, x, cfg):
    return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"], cfg["layer_norm_eps"])


def below(w, prefix):
    return {name[len(prefix):]: tensor for name, tensor in w.items() if name.startswith(prefix)}


def output_length(cfg, frames):
    if cfg["input_layer"] == "conv2d":
        return max(0, ((frames - 1) // 2 - 1) // 2)
    return frames


def input_layer(w, cfg, x):
    if cfg["input_layer"] == "linear":
        x = linear(w, "embed.out.0", x)
        if "embed.out.1.weight" in w:
            x = layer_norm(w, "embed.out.1", x, cfg)
    elif cfg["input_layer"] == "conv2d":
        y = x[None, None]  # [1, 1, T, input_dim]
        for conv in ("embed.conv.0", "embed.conv.2"):
            y = F.relu(F.conv2d(y, w[conv + ".weight"], w[conv + ".bias"], stride=2))
        channels = y[0].transpose(0, 1)  # [T', d_model, bands]
        x = linear(w, "embed.out.0", channels.reshape(len(channels), -1))
    if cfg["model_type"] != "attention" and cfg["pos_enc"] != "none":
        x = x * math.sqrt(cfg["d_model"])
    if cfg["pos_enc"] == "abs_pos":
        x = x + sinusoid(torch.arange(len(x)), cfg["d_model"])
    return x


def feed_forward(w, name, x):
    return linear(w, name + ".w_2", F.silu(linear(w, name + ".w_1", x)))


def depthwise(w, name, x, padding):
    """x [T, channels], weight [channels, 1, kernel]; zeros on both sides."""
    return F.conv1d(x.T[None], w[name + ".weight"], w[name + ".bias"], padding=padding, groups=x.shape[1])[0].T


def pointwise(w, name, x):
    return x @ w[name + ".weight"][:, :, 0].T + w[name + ".bias"]


def left_pad(x, frames):
    return torch.cat([x.new_zeros(frames, x.shape[1]), x])


def convolution_module(w, cfg, x):
    """Gulati et al. 2020, figure 2. `w` is below conv_module."""
    kernel, causal = cfg["conv_kernel_size"], cfg["causal"]
    if causal:
        x = left_pad(x, kernel - 1)
    x = F.glu(pointwise(w, "pointwise_conv1", x), dim=-1)
    x = depthwise(w, "depthwise_conv", x, 0 if causal else (kernel - 1) // 2)
    if cfg["conv_norm"] == "layer_norm":
        x = layer_norm(w, "norm", x, cfg)
    else:
        scale = w["norm.weight"] / torch.sqrt(w["norm.running_var"] + 1e-5)
        x = (x - w["norm.running_mean"]) * scale + w["norm.bias"]
    return pointwise(w, "pointwise_conv2", F.silu(x))


def conformer_block(w, cfg, x, seen):
    def norm(name, y):
        return layer_norm(w, name, y, cfg)

    if cfg["macaron_style"]:
        x = x + 0.5 * feed_forward(w, "feed_forward_macaron", norm("norm_ff_macaron", x))
    x = x + attention(below(w, "self_attn."), cfg, norm("norm_mha", x), seen)
    x = x + convolution_module(below(w, "conv_module."), cfg, norm("norm_conv", x))
    x = x + (0.5 if cfg["macaron_style"] else 1) * feed_forward(w, "feed_forward", norm("norm_ff", x))
    return norm("norm_final", x)


def cgmlp(w, cfg, x):
    """Peng et al. 2022, section 3.3 and eq. 6-8. `w` is below cgmlp."""
    kernel, causal = cfg["conv_kernel_size"], cfg["causal"]
    keep, gate = F.gelu(linear(w, "channel_proj1.0", x)).chunk(2, dim=-1)
    if causal:
        gate = left_pad(gate, kernel - 1)
    gate = layer_norm(w, "csgu.norm", gate, cfg)
    gate = depthwise(w, "csgu.conv", gate, 0 if causal else (kernel - 1) // 2)
    if "csgu.linear.weight" in w:
        gate = linear(w, "csgu.linear", gate)
    return linear(w, "channel_proj2", keep * gate)


def attention_pooling_weight(w, branch, x, cfg):
    score = torch.softmax(linear(w, f"pooling_proj{branch}", x)[:, 0] / math.sqrt(cfg["d_model"]), 0)
    return linear(w, f"weight_proj{branch}", score @ x)


def merge(w, cfg, x1, x2):
    """Peng et al. 2022, section 3.4."""
    if cfg["merge_method"] == "concat":
        return linear(w, "merge_proj", torch.cat([x1, x2], -1))
    if cfg["merge_method"] == "fixed_ave":
        share = cfg["cgmlp_weight"]
        return linear(w, "merge_proj", (1 - share) * x1 + share * x2)
    weights = torch.softmax(
        torch.cat([attention_pooling_weight(w, 1, x1, cfg), attention_pooling_weight(w, 2, x2, cfg)]), 0)
    return linear(w, "merge_proj", weights[0] * x1 + weights[1] * x2)


def branchformer_block(w, cfg, x, seen):
    x1 = attention(below(w, "attn."), cfg, layer_norm(w, "norm_mha", x, cfg), seen)
    x2 = cgmlp(below(w, "cgmlp."), cfg, layer_norm(w, "norm_mlp", x, cfg))
    return layer_norm(w, "norm_final", x + merge(w, cfg, x1, x2), cfg)


def attention_block(w, cfg, x, seen):
    y = attention(below(w, "self_attn."), cfg, x, seen)
    return x + y if cfg["num_layers"] > 1 else y


def forward(w, cfg, x, chunk=0, left_chunks=-1, logits=False):
    """[T', d_model] of one utterance x [T, input_dim]."""
    block = {"attention": attention_block, "conformer": conformer_block, "branchformer": branchformer_block}
    if output_length(cfg, len(x)) == 0:
        return x.new_zeros(0, cfg["vocab_size"] if logits else cfg["d_model"])
    y = input_layer(w, cfg, x)
    seen = visible(len(y), len(y), chunk, left_chunks)
    for n in range(cfg["num_layers"]):
        y = block[cfg["model_type"]](below(w, f"encoders.{n}."), cfg, y, seen)
    if cfg["model_type"] != "attention" and cfg["after_norm"]:
        y = layer_norm(w, "after_norm", y, cfg)
    return linear(w, "ctc.ctc_lo", y) if logits else y


def tensors(cfg):
    """Name -> shape of a whole checkpoint."""
    d, kernel, shapes = cfg["d_model"], cfg["conv_kernel_size"], {}

    def add(name, *shape):
        shapes[name + ".weight"] = shape
        shapes[name + ".bias"] = shape[:1]

    if cfg["input_layer"] == "conv2d":
        bands = ((cfg["input_dim"] - 1) // 2 - 1) // 2
        add("embed.conv.0", d, 1, 3, 3)
        add("embed.conv.2", d, d, 3, 3)
        add("embed.out.0", d, d * bands)
    elif cfg["input_layer"] == "linear":
        add("embed.out.0", d, cfg["input_dim"])
        if cfg["embed_norm"]:
            add("embed.out.1", d)
    attn = "attn." if cfg["model_type"] == "branchformer" else "self_attn."
    for n in range(cfg["num_layers"]):
        p = f"encoders.{n}."
        for name, shape in attention_tensors(cfg).items():
            shapes[p + attn + name] = shape
        if cfg["model_type"] == "conformer":
            units = cfg["ff_expansion_factor"] * d
            for norm in ("norm_ff_macaron", "norm_mha", "norm_conv", "norm_ff", "norm_final", "conv_module.norm"):
                if cfg["macaron_style"] or norm != "norm_ff_macaron":
                    add(p + norm, d)
            if cfg["conv_norm"] == "batch_norm":
                shapes[p + "conv_module.norm.running_mean"] = shapes[p + "conv_module.norm.running_var"] = (d,)
            for ff in ("feed_forward_macaron", "feed_forward")[not cfg["macaron_style"]:]:
                add(f"{p}{ff}.w_1", units, d)
                add(f"{p}{ff}.w_2", d, units)
            add(p + "conv_module.pointwise_conv1", 2 * d, d, 1)
            add(p + "conv_module.depthwise_conv", d, 1, kernel)
            add(p + "conv_module.pointwise_conv2", d, d, 1)
        if cfg["model_type"] == "branchformer":
            half = cfg["cgmlp_linear_units"] // 2
            for norm in ("norm_mha", "norm_mlp", "norm_final"):
                add(p + norm, d)
            add(p + "cgmlp.channel_proj1.0", 2 * half, d)
            add(p + "cgmlp.csgu.norm", half)
            add(p + "cgmlp.csgu.conv", half, 1, kernel)
            add(p + "cgmlp.channel_proj2", d, half)
            if cfg["csgu_linear"]:
                add(p + "cgmlp.csgu.linear", half, half)
            if cfg["merge_method"] == "learned_ave":
                for branch in "12":
                    add(f"{p}pooling_proj{branch}", 1, d)
                    add(f"{p}weight_proj{branch}", 1, d)
            add(p + "merge_proj", d, 2 * d if cfg["merge_method"] == "concat" else d)
    if cfg["model_type"] != "attention" and cfg["after_norm"]:
        add("after_norm", d)
    if cfg["vocab_size"]:
        add("ctc.ctc_lo", cfg["vocab_size"], d)
    return shapes
