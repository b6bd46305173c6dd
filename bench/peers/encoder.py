"""Whole encoders by the operations of a peer: Gulati et al. 2020 and Peng et al. 2022. Everything that follows from
weights alone, or from what is cached alone, is worked out before a run."""

import math

import numpy

import attention
import turns

EPSILON = 1e-5
SWISH, GELU = "swish", "gelu"


def linear(o, w, name, x, factor=1.0):
    """Weights of pointwise convolutions have an axis of their own at the end."""
    weight = w[f"{name}.weight"]
    return o.linear(x, factor * weight.reshape(weight.shape[:2]), factor * w[f"{name}.bias"])


def layer_norm(o, w, name, x):
    return o.layer_norm(x, w[f"{name}.weight"], w[f"{name}.bias"], EPSILON)


def below(w, prefix):
    return {name[len(prefix):]: t for name, t in w.items() if name.startswith(prefix)}


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def plain_linear(w, name, x):
    weight = w[f"{name}.weight"]
    return x @ weight.reshape(weight.shape[:2]).T + w[f"{name}.bias"]


def plain_glu(w, x):
    """Of the convolution module, for frames that are cached: each is worked out once."""
    a, b = numpy.split(plain_linear(w, "pointwise_conv1", x), 2, -1)
    return a * sigmoid(b)


def plain_norm(w, name, x):
    x = (x - x.mean(-1, keepdims=True)) / numpy.sqrt(x.var(-1, keepdims=True) + EPSILON)
    return x * w[f"{name}.weight"] + w[f"{name}.bias"]


def depthwise(o, c, n, x, cached, weight, bias):
    """Rows x [frames, channels]. Of a stream `cached` has the frames before them, and goes on with the newest."""
    frames, channels = c["q"], len(weight)
    kernel, streams = c["k"], c["mode"] != "prefill"
    if streams:
        x = o.concat([o.given(f"layers.{n}.left", cached), x], 0)
        o.keep("left", o.slice(x, 0, frames, frames + kernel - 1), kernel - 1, channels)
    x = o.reshape(o.transpose(x, 1, 0), 1, channels, frames + (kernel - 1 if streams else 0))
    padding = 0 if streams else (kernel - 1) // 2
    return o.transpose(o.reshape(o.convolve(x, weight, bias, padding), channels, frames), 1, 0)


def convolution_module(o, c, w, x, n):
    values = o.activate_gate(linear(o, w, "pointwise_conv1", x), c["d"])
    weight, bias = w["depthwise_conv.weight"], w["depthwise_conv.bias"]
    normed = "norm.running_mean" in w
    if normed:  # folded into the convolution before it
        scale = w["norm.weight"] / numpy.sqrt(w["norm.running_var"] + 1e-5)
        weight, bias = weight * scale[:, None, None], (bias - w["norm.running_mean"]) * scale + w["norm.bias"]
    cached = plain_glu(w, c.tensors[f"layers.{n}.conv"][0]) if c["mode"] != "prefill" else None
    y = depthwise(o, c, n, values, cached, weight, bias)
    if not normed:
        y = layer_norm(o, w, "norm", y)
    return linear(o, w, "pointwise_conv2", o.activate(y, SWISH))


def feed_forward(o, w, name, x, factor):
    return linear(o, w, f"{name}.w_2", o.activate(linear(o, w, f"{name}.w_1", x), SWISH), factor)


def conformer_block(o, c, w, x, n, attend):
    x = o.add(x, feed_forward(o, w, "feed_forward_macaron", layer_norm(o, w, "norm_ff_macaron", x), 0.5))
    x = o.add(x, attend(o, c, below(w, "self_attn."), layer_norm(o, w, "norm_mha", x)))
    x = o.add(x, convolution_module(o, c, below(w, "conv_module."), layer_norm(o, w, "norm_conv", x), n))
    x = o.add(x, feed_forward(o, w, "feed_forward", layer_norm(o, w, "norm_ff", x), 0.5))
    return layer_norm(o, w, "norm_final", x)


def cgmlp(o, c, w, x, n):
    wide = o.activate(linear(o, w, "channel_proj1.0", x), GELU)
    half = w["csgu.norm.weight"].shape[0]
    kept, gate = o.slice(wide, 1, 0, half), layer_norm(o, w, "csgu.norm", o.slice(wide, 1, half, 2 * half))
    cached = plain_norm(w, "csgu.norm", c.tensors[f"layers.{n}.conv"][0]) if c["mode"] != "prefill" else None
    gate = depthwise(o, c, n, gate, cached, w["csgu.conv.weight"], w["csgu.conv.bias"])
    return linear(o, w, "channel_proj2", o.multiply(kept, gate))


def branchformer_block(o, c, w, x, n, attend):
    x1 = attend(o, c, below(w, "attn."), layer_norm(o, w, "norm_mha", x))
    x2 = cgmlp(o, c, below(w, "cgmlp."), layer_norm(o, w, "norm_mlp", x), n)
    return layer_norm(o, w, "norm_final", o.add(x, linear(o, w, "merge_proj", o.concat([x1, x2], 1))))


def input_layer(o, c, w, x):
    """Rows [frames, d] from x [1, T, input_dim]."""
    scale = 1.0 if c["pos"] == "none" else math.sqrt(c["d"])
    _, frames, width = c.tensors["x"].shape
    if c["input"] == "conv2d":
        x = o.reshape(x, 1, 1, frames, width)
        for name in ("embed.conv.0", "embed.conv.2"):
            x = o.relu(o.convolve2d(x, w[f"{name}.weight"], w[f"{name}.bias"]))
        x = o.reshape(o.transpose(x, 0, 2, 1, 3), c["q"], w["embed.out.0.weight"].shape[1])
        x = linear(o, w, "embed.out.0", x, scale)
    elif c["input"] == "linear":
        x = linear(o, w, "embed.out.0", o.reshape(x, frames, width), scale)
    else:
        x = o.scale(o.reshape(x, frames, width), scale)
    if c["pos"] == "abs_pos":
        x = o.add(x, o.constant(attention.sinusoids(c["first"] + numpy.arange(c["q"]), c["d"])))
    return x


def encoder(o, c, x, attend):
    w, block = c.tensors, conformer_block if c["subject"].startswith("conformer") else branchformer_block
    x = input_layer(o, c, w, x)
    for n in range(c["layers"]):
        o.prefix = f"layers.{n}."
        x = block(o, c, below(w, f"encoders.{n}."), x, n, attend)
    return layer_norm(o, w, "after_norm", x) if "after_norm.weight" in w else x


def forms(c):
    if c.get("merge", "concat") != "concat":
        raise turns.Unsupported(f"merge: {c['merge']} is not written for peers, concat is")
    return [(name, lambda o, x, way=way: encoder(o, c, x, way)) for name, way in attention.forms(c)]
