"""Attention by the operations of a peer: each form is a way to write the same numbers.

`o` has the operations (onnx_operations.py, torch_operations.py). Queries are laid out as [B, groups, rows, width]: the
rows of a group are all heads and frames that read the same keys, so that each key is read once for them.
"""

import math

import numpy


def group_rows(o, x, batch, frames, groups, sharing, width):
    """[B frames, groups sharing width] as [B, groups, sharing frames, width]."""
    if frames > 1:
        x = o.transpose(o.reshape(x, batch, frames, groups, sharing, width), 0, 2, 3, 1, 4)
    return o.reshape(x, batch, groups, sharing * frames, width)


def frame_rows(o, x, batch, frames, groups, sharing, width):
    """What group_rows does, undone."""
    if frames > 1:
        x = o.transpose(o.reshape(x, batch, groups, sharing, frames, width), 0, 3, 1, 2, 4)
    return o.reshape(x, batch * frames, groups * sharing * width)


def attend(o, x, pieces, scale, bias=None):
    """Softmax attention over pieces of the keys, (keys, values, how many), one after the other."""
    scores = [o.matmul(x, keys, turned=True, scale=scale) for keys, _, _ in pieces]
    scores = scores[0] if len(scores) == 1 else o.concat(scores, 3)
    weights = o.softmax(scores if bias is None else o.add(scores, bias))
    out, begin = None, 0
    for _, values, count in pieces:
        part = weights if len(pieces) == 1 else o.slice(weights, 3, begin, begin + count)
        product = o.matmul(part, values)
        out = product if out is None else o.add(out, product)
        begin += count
    return out


def held_and_new(o, form, name, new, batch, heads, held, frames, width):
    """The keys to attend to, in pieces: those held and those of this call apart, or put together first."""
    o.keep(name, new, batch, heads, frames, width)
    if not held:
        return [(new, frames)]
    if form == "split":
        return [(o.cache(name), held), (new, frames)]
    return [(o.append(name, new, held), held + frames)]


def sinusoids(position, d):
    """[.., d] of Vaswani et al. 2017, section 3.5."""
    channel = numpy.arange(d)
    angle = numpy.asarray(position, float)[:, None] / 10000.0 ** ((channel - channel % 2) / d)
    return numpy.where(channel % 2 == 0, numpy.sin(angle), numpy.cos(angle))


def distance_scores(o, c, w, q, scale):
    """The position terms [B, h, frames, L] of Dai et al. 2019 from queries [B, h, frames, d_k]: a product with the
    encodings of all distances, then a shift of each row."""
    d, h, frames, keys, batch = c["d"], c["h"], c["q"], c["L"], c["B"]
    distance = numpy.arange(keys - 1, -frames, -1) if c["pos"] == "rel_pos" else numpy.arange(keys)
    encoding = sinusoids(distance, d) @ w["linear_pos.weight"].T
    encoding = encoding.reshape(len(distance), h, d // h).transpose(1, 2, 0)[None]
    scores = o.scale(o.matmul(o.add(q, o.constant(w["pos_bias_v"][None, :, None])), o.constant(encoding)), scale)
    if c["pos"] != "rel_pos" or frames == 1:
        return scores
    scores = o.concat([o.constant(numpy.zeros((batch, h, frames, 1))), scores], 3)
    scores = o.slice(o.reshape(scores, batch, h, keys + frames, frames), 2, 1, keys + frames)
    return o.slice(o.reshape(scores, batch, h, frames, keys + frames - 1), 3, 0, keys)


def folded(w, which, h, d_k):
    """Weights [h, d_k, d_c] and biases [h, d_k] of keys or values from the latent, both stages as one."""
    if f"{which}_expand.weight" in w:
        return w[f"{which}_expand.weight"].reshape(h, d_k, -1), w[f"{which}_expand.bias"].reshape(h, d_k)
    weight, bias = [], []
    for i in range(h):
        b = w[f"{which}_expand_B.{i}.weight"].astype(float)
        weight.append(b @ w[f"{which}_expand_A.{i}.weight"])
        bias.append(b @ w[f"{which}_expand_A.{i}.bias"] + w[f"{which}_expand_B.{i}.bias"])
    return numpy.stack(weight), numpy.stack(bias)


def queries_of(o, c, w, x, scale):
    """Queries as rows [B frames, d], and the scores of positions or None."""
    batch, frames, h = c["B"], c["q"], c["h"]
    d_k, q, bias = c["d"] // h, o.linear(x, w["q_proj.weight"], w["q_proj.bias"]), None
    if c.get("pos", "none").startswith("rel_pos"):
        bias = distance_scores(o, c, w, group_rows(o, q, batch, frames, h, 1, d_k), scale)
        q = o.add(q, o.constant(w["pos_bias_u"].reshape(1, h * d_k)))
    return q, bias


def grouped(o, c, w, x, form):
    """mha and gqa."""
    batch, frames, h, groups = c["B"], c["q"], c["h"], c.get("hkv", c["h"])
    d_k, held = c["d"] // h, c["L"] - frames
    scale = 1 / math.sqrt(d_k)
    q, bias = queries_of(o, c, w, x, scale)
    pieces = []
    for name in ("k", "v"):
        new = group_rows(o, o.linear(x, w[f"{name}_proj.weight"], w[f"{name}_proj.bias"]), batch, frames, groups, 1, d_k)
        pieces.append(held_and_new(o, form, name, new, batch, groups, held, frames, d_k))
    if form == "operator":
        return o.linear(o.attention(q, pieces[0][0][0], pieces[1][0][0], c), w["out_proj.weight"], w["out_proj.bias"])
    if bias is not None:
        bias = o.reshape(bias, batch, groups, h // groups * frames, c["L"])
    context = attend(o, group_rows(o, q, batch, frames, groups, h // groups, d_k),
                     [(k, v, count) for (k, count), (v, _) in zip(*pieces)], scale, bias)
    return o.linear(frame_rows(o, context, batch, frames, groups, h // groups, d_k), w["out_proj.weight"],
                    w["out_proj.bias"])


def absorbed(o, c, w, x, form):
    """mla and mla_simple over the latent itself: DeepSeek-V2, section 2.1.2."""
    batch, frames, h, d_c, held = c["B"], c["q"], c["h"], c["dc"], c["L"] - c["q"]
    d_k = c["d"] // h
    scale = 1 / math.sqrt(d_k)
    (keys, _), (values, value_bias) = folded(w, "k", h, d_k), folded(w, "v", h, d_k)
    q, bias = queries_of(o, c, w, x, scale)
    latent = o.reshape(o.linear(x, w["kv_compress.weight"], w["kv_compress.bias"]), batch, 1, frames, d_c)
    pieces = held_and_new(o, form, "latent", latent, batch, 1, held, frames, d_c)
    q = o.matmul(group_rows(o, q, batch, frames, h, 1, d_k), o.constant(keys[None]))
    if bias is not None:
        bias = o.reshape(bias, batch, 1, h * frames, c["L"])
    context = attend(o, o.reshape(q, batch, 1, h * frames, d_c), [(k, k, count) for k, count in pieces], scale, bias)
    context = o.matmul(o.reshape(context, batch, h, frames, d_c), o.constant(values.transpose(0, 2, 1)[None]))
    context = o.add(context, o.constant(value_bias[None, :, None]))
    return o.linear(frame_rows(o, context, batch, frames, h, 1, d_k), w["out_proj.weight"], w["out_proj.bias"])


def expanded(o, c, w, x):
    """mla and mla_simple with keys and values rebuilt from the latents."""
    batch, frames, h, d_c, keys = c["B"], c["q"], c["h"], c["dc"], c["L"]
    d_k = c["d"] // h
    scale = 1 / math.sqrt(d_k)
    q, bias = queries_of(o, c, w, x, scale)
    latent = o.reshape(o.linear(x, w["kv_compress.weight"], w["kv_compress.bias"]), batch, 1, frames, d_c)
    (latent, _), = held_and_new(o, "joined", "latent", latent, batch, 1, keys - frames, frames, d_c)
    latent, both = o.reshape(latent, batch * keys, d_c), []
    for which in "kv":
        weight, offset = folded(w, which, h, d_k)
        rows = o.linear(latent, weight.reshape(h * d_k, d_c), offset.reshape(-1))
        both.append(group_rows(o, rows, batch, keys, h, 1, d_k))
    context = attend(o, group_rows(o, q, batch, frames, h, 1, d_k), [(*both, keys)], scale, bias)
    return o.linear(frame_rows(o, context, batch, frames, h, 1, d_k), w["out_proj.weight"], w["out_proj.bias"])


def linear_attention(o, c, w, x):
    """Katharopoulos et al. 2020: the state takes in the frames of the call, then queries read it."""
    batch, frames, h = c["B"], c["q"], c["h"]
    d_k = c["d"] // h
    q, k, v = (group_rows(o, o.linear(x, w[f"{n}_proj.weight"], w[f"{n}_proj.bias"]), batch, frames, h, 1, d_k)
               for n in "qkv")
    q, k = o.elu_plus_one(q), o.elu_plus_one(k)
    state, norm = o.matmul(o.transpose(k, 0, 1, 3, 2), v), o.sum(k, 2)
    if c["L"] > frames:
        state, norm = o.add(o.cache("state"), state), o.add(o.cache("norm"), norm)
    o.keep("state", state, batch, h, d_k, d_k)
    o.keep("norm", norm, batch, h, d_k)
    below = o.matmul(q, o.reshape(norm, batch, h, d_k, 1))
    context = o.divide(o.matmul(q, state), o.add(below, o.constant(numpy.float32(1e-6))))
    return o.linear(frame_rows(o, context, batch, frames, h, 1, d_k), w["out_proj.weight"], w["out_proj.bias"])


def core(o, c, x, form):
    """part:core, from queries (of latents, folded ones) and a filled cache to contexts, [B q, h width]."""
    latent = "dc" in c.fields
    groups = 1 if latent else c.get("hkv", c["h"])
    width, frames, batch, sharing = c["out"][-1], c["q"], c["B"], c["h"] // groups
    keys = o.cache("latent" if latent else "k")
    values = keys if latent else o.cache("v")
    if form == "operator":
        return o.attention(x, keys, values, c)
    context = attend(o, group_rows(o, x, batch, frames, groups, sharing, width), [(keys, values, c["L"])],
                     1 / math.sqrt(c["d"] // c["h"]))
    return frame_rows(o, context, batch, frames, groups, sharing, width)


def forms(c):
    """(name, function of operations, case, weights and input) of all ways that are worth trying."""
    kind, one_piece, grouped_keys = c["type"], c["L"] == c["q"], c["type"] in ("mha", "gqa")
    operator = ["operator"] if kind == "mha" and c.get("pos", "none") == "none" else []
    if c.get("part") == "core":
        return [(form, lambda o, c, w, x, form=form: core(o, c, x, form)) for form in ["products"] + operator]
    if kind == "linear":
        return [("state", linear_attention)]
    ways = ["joined"] if one_piece else ["split", "joined"]
    if grouped_keys:
        return [(form, lambda o, c, w, x, form=form: grouped(o, c, w, x, form)) for form in ways + operator]
    found = []
    if c["path"] != "expand":
        found += [(f"absorb {way}", lambda o, c, w, x, way=way: absorbed(o, c, w, x, way)) for way in ways]
    if c["path"] != "absorb":
        found.append(("expand", expanded))
    return found
