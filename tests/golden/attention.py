"""The five attention types, written straight from their equations (docs and papers), in double precision.

Nothing here is fast or shared with the library under test. One utterance at a time, the whole score matrix at once;
streaming is a mask. `w` maps tensor names below the layer ("q_proj.weight") to double tensors.
"""

import math

import torch

from cache_types import rounded


def linear(w, name, x):
    y = x @ w[name + ".weight"].T
    return y + w[name + ".bias"] if name + ".bias" in w else y


def visible(frames, length, chunk, left_chunks):
    """[frames, frames] of bool: may query i attend to key j?  A chunk sees the whole cache and all of itself."""
    i = torch.arange(frames)[:, None]
    j = torch.arange(frames)[None, :]
    seen = j < length
    if chunk:
        seen = seen & (j // chunk <= i // chunk)
        if left_chunks >= 0:
            seen = seen & (j // chunk >= i // chunk - left_chunks)
    return seen.expand(frames, frames)


def sinusoid(position, d_model):
    """Vaswani et al. 2017, section 3.5. `position`: tensor of any shape; returns [..., d_model]."""
    channel = torch.arange(d_model)
    angle = position[..., None].double() / 10000.0 ** ((channel - channel % 2).double() / d_model)
    return torch.where(channel % 2 == 0, torch.sin(angle), torch.cos(angle))


def keys_and_values(w, cfg, x):
    """K and V as every query head sees them: [h, L, d_k] each."""
    h, d_k = cfg["num_heads"], cfg["d_model"] // cfg["num_heads"]
    kind, length, kv_dtype = cfg["attention_type"], len(x), cfg.get("kv_dtype", "f32")

    def heads(y, count):
        return y.reshape(length, count, d_k).transpose(0, 1)

    if kind in ("mha", "linear"):
        return (rounded(heads(linear(w, "k_proj", x), h), kv_dtype),
                rounded(heads(linear(w, "v_proj", x), h), kv_dtype))
    if kind == "gqa":
        # Ainslie et al. 2023: neighbouring query heads form a group that shares one key/value head.
        h_kv = cfg["num_kv_heads"]
        k = rounded(heads(linear(w, "k_proj", x), h_kv), kv_dtype)
        v = rounded(heads(linear(w, "v_proj", x), h_kv), kv_dtype)
        group = [i // (h // h_kv) for i in range(h)]
        return k[group], v[group]
    latent = rounded(linear(w, "kv_compress", x), kv_dtype)
    if kind == "mla_simple":
        return heads(linear(w, "k_expand", latent), h), heads(linear(w, "v_expand", latent), h)
    assert kind == "mla"
    k = [linear(w, f"k_expand_B.{i}", linear(w, f"k_expand_A.{i}", latent)) for i in range(h)]
    v = [linear(w, f"v_expand_B.{i}", linear(w, f"v_expand_A.{i}", latent)) for i in range(h)]
    return torch.stack(k), torch.stack(v)


def scores(w, cfg, q, k):
    """[h, T, T] before softmax; q and k are [h, T, d_k]."""
    h, d_model = cfg["num_heads"], cfg["d_model"]
    frames, d_k = q.shape[1], d_model // h
    if cfg["pos_enc"] not in ("rel_pos", "rel_pos_wenet"):
        return q @ k.transpose(1, 2) / math.sqrt(d_k)
    i = torch.arange(frames)[:, None]
    j = torch.arange(frames)[None, :].expand(frames, frames)
    # Dai et al. 2019, section 3.3: R of the distance i-j. WeNet: R of the key's own position.
    position = i - j if cfg["pos_enc"] == "rel_pos" else j
    r = linear(w, "linear_pos", sinusoid(position, d_model)).reshape(frames, frames, h, d_k)
    content = torch.einsum("hid,hjd->hij", q + w["pos_bias_u"][:, None, :], k)
    where = torch.einsum("hid,ijhd->hij", q + w["pos_bias_v"][:, None, :], r)
    return (content + where) / math.sqrt(d_k)


def attention(w, cfg, x, seen):
    """[T, d_model] from x [T, d_model] and seen [T, T]."""
    h, d_model = cfg["num_heads"], cfg["d_model"]
    q = linear(w, "q_proj", x).reshape(len(x), h, d_model // h).transpose(0, 1)
    k, v = keys_and_values(w, cfg, x)
    if cfg["attention_type"] == "linear":
        # Katharopoulos et al. 2020, eq. 4: the quadratic form of what the state S, z computes.
        phi_q = torch.where(q > 0, q + 1, torch.exp(q))
        phi_k = torch.where(k > 0, k + 1, torch.exp(k))
        a = (phi_q @ phi_k.transpose(1, 2)) * seen
        context = a @ v / (a.sum(-1, keepdim=True) + 1e-6)
    else:
        s = scores(w, cfg, q, k).masked_fill(~seen, -math.inf)
        a = torch.nan_to_num(torch.softmax(s, -1), nan=0.0)  # a query that sees no key: zero context
        context = a @ v
    return linear(w, "out_proj", context.transpose(0, 1).reshape(len(x), d_model))


def attention_tensors(cfg):
    """Name -> shape of one layer's tensors."""
    d, h = cfg["d_model"], cfg["num_heads"]
    d_k, kind, shapes = d // h, cfg["attention_type"], {}

    def add(name, outputs, inputs, bias=True):
        shapes[name + ".weight"] = (outputs, inputs)
        if bias:
            shapes[name + ".bias"] = (outputs,)

    add("q_proj", d, d)
    if kind in ("mha", "linear", "gqa"):
        width = cfg["num_kv_heads"] * d_k if kind == "gqa" else d
        add("k_proj", width, d)
        add("v_proj", width, d)
    else:
        d_c = cfg["latent_dim"]
        add("kv_compress", d_c, d)
        if kind == "mla_simple":
            add("k_expand", d, d_c)
            add("v_expand", d, d_c)
        else:
            for i in range(h):
                add(f"k_expand_A.{i}", d_k, d_c)
                add(f"v_expand_A.{i}", d_k, d_c)
                add(f"k_expand_B.{i}", d_k, d_k)
                add(f"v_expand_B.{i}", d_k, d_k)
    add("out_proj", d, d)
    if cfg["pos_enc"] in ("rel_pos", "rel_pos_wenet"):
        add("linear_pos", d, d, bias=False)
        shapes["pos_bias_u"] = shapes["pos_bias_v"] = (h, d_k)
    return shapes
