"""MLA and MLA-Simple attention for PyTorch, with the tensors' names that attnbench's checkpoints have.

    state, config = load("model.pt")                   # what export_checkpoint.py wrote
    attention = LatentAttention.of(state, config, layer=0)
    y, cache = attention(x)                             # [B, T, d_model]; the cache is [B, T, latent_dim]
    y, cache = attention(next_frames, cache=cache)      # a stream: keys are the cache and the new frames

Only latents are cached, as the document has it: "cache = {'latent': [B, T, latent_dim]}". Equations: DeepSeek-V2 (2024), 9 to
11; relative positions: Dai et al. (2019), section 3.3.
"""

import math

import torch
from torch import nn

SHORT_NAMES = {"linear_q": "q_proj", "linear_k": "k_proj", "linear_v": "v_proj", "linear_out": "out_proj"}


def load(path):
    """(state dict, configuration) of a file that export_checkpoint.py wrote."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    return saved["state_dict"], saved["config"]


def layer_state(state, layer):
    """The tensors of one layer's attention, by their names below it."""
    found = {}
    for name, tensor in state.items():
        for prefix in ("encoder.", ""):
            for owner in (f"encoders.{layer}.self_attn.", f"encoders.{layer}.attn."):
                if name.startswith(prefix + owner):
                    found[name[len(prefix + owner):]] = tensor
    if not found and layer == 0:  # a model that is one attention layer
        found = dict(state)
    return {SHORT_NAMES.get(name.split(".")[0], name.split(".")[0]) + name[len(name.split(".")[0]):]: tensor
            for name, tensor in found.items()}


def sinusoids(positions, width):
    """[..., width] of positions: Vaswani et al. (2017), section 3.5. In float64, then as the default type."""
    channel = torch.arange(width, dtype=torch.float64)
    angle = positions[..., None].double() / 10000.0 ** ((channel - channel % 2) / width)
    return torch.where(channel % 2 == 0, angle.sin(), angle.cos()).to(torch.get_default_dtype())


class LatentAttention(nn.Module):
    """K and V of all heads are made from one latent a frame, the only thing that is cached.

    per_head False, mla_simple: K = latent k_expand, split into heads.
    per_head True, mla: K of head i = (latent k_expand_A.i) k_expand_B.i; V likewise.
    """

    def __init__(self, d_model, num_heads, latent_dim, per_head, pos_enc="none"):
        super().__init__()
        self.num_heads, self.d_k, self.per_head, self.pos_enc = num_heads, d_model // num_heads, per_head, pos_enc
        self.q_proj, self.out_proj = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.kv_compress = nn.Linear(d_model, latent_dim)
        for kind in ("k", "v"):
            if per_head:
                setattr(self, f"{kind}_expand_A", self._each_head(latent_dim))
                setattr(self, f"{kind}_expand_B", self._each_head(self.d_k))
            else:
                setattr(self, f"{kind}_expand", nn.Linear(latent_dim, d_model))
        if pos_enc.startswith("rel_pos"):
            self.linear_pos = nn.Linear(d_model, d_model, bias=False)
            self.pos_bias_u = nn.Parameter(torch.zeros(num_heads, self.d_k))
            self.pos_bias_v = nn.Parameter(torch.zeros(num_heads, self.d_k))

    def _each_head(self, width):
        return nn.ModuleList(nn.Linear(width, self.d_k) for _ in range(self.num_heads))

    @classmethod
    def of(cls, state, config, layer):
        """The attention of a layer, with its weights; sizes are those of the tensors."""
        tensors = layer_state(state, layer)
        if "kv_compress.weight" not in tensors:
            raise ValueError(f"layer {layer}: no tensor kv_compress.weight, expected mla or mla_simple")
        latent_dim, d_model = tensors["kv_compress.weight"].shape
        made = cls(d_model, config["num_heads"], latent_dim, "k_expand_A.0.weight" in tensors, config["pos_enc"])
        made.load_state_dict(tensors)  # strict: a missing or an extra tensor is an error
        return made

    def _heads(self, x):
        return x.unflatten(-1, (self.num_heads, self.d_k)).transpose(1, 2)  # [B, h, T, d_k]

    def _expand(self, kind, latent):
        if not self.per_head:
            return self._heads(getattr(self, f"{kind}_expand")(latent))
        first, second = getattr(self, f"{kind}_expand_A"), getattr(self, f"{kind}_expand_B")
        return torch.stack([b(a(latent)) for a, b in zip(first, second)], 1)

    def _position_scores(self, q, keys):
        """[B, h, T, L]: R of the distance i - j under rel_pos, of the key's own position under rel_pos_wenet."""
        frames, d_model = q.shape[2], self.num_heads * self.d_k
        i, j = torch.arange(keys - frames, keys)[:, None], torch.arange(keys)[None, :]
        if self.pos_enc == "rel_pos_wenet":
            r = self.linear_pos(sinusoids(torch.arange(keys), d_model).to(q)).view(keys, self.num_heads, self.d_k)
            return torch.einsum("bhid,jhd->bhij", q + self.pos_bias_v[:, None], r)
        distances = torch.arange(-(keys - 1), keys)  # each once: from a query to the last key and to the first
        r = self.linear_pos(sinusoids(distances, d_model).to(q)).view(-1, self.num_heads, self.d_k)
        every = torch.einsum("bhid,rhd->bhir", q + self.pos_bias_v[:, None], r)
        return every.gather(3, (i - j + keys - 1).expand(*every.shape[:2], -1, -1))

    def forward(self, x, lengths=None, cache=None):
        """y [B, T, d_model] and the latents of all frames so far, for the next call. lengths [B]: frames of the cache and
        x together that are no padding (None: all)."""
        latent = self.kv_compress(x)
        latent = latent if cache is None else torch.cat([cache, latent], 1)
        q, k, v = self._heads(self.q_proj(x)), self._expand("k", latent), self._expand("v", latent)
        if self.pos_enc.startswith("rel_pos"):
            scores = (q + self.pos_bias_u[:, None]) @ k.transpose(2, 3) + self._position_scores(q, k.shape[2])
        else:
            scores = q @ k.transpose(2, 3)
        scores = scores / math.sqrt(self.d_k)
        if lengths is not None:
            hidden = torch.arange(k.shape[2])[None, :] >= torch.as_tensor(lengths)[:, None]
            scores = scores.masked_fill(hidden[:, None, None], -math.inf)
        context = torch.nan_to_num(scores.softmax(-1)) @ v if lengths is not None else scores.softmax(-1) @ v
        return self.out_proj(context.transpose(1, 2).flatten(2)), latent
