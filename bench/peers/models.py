"""What a case is made of, for any peer: its input, its caches, and the forms to try."""

import attention
import encoder


def is_encoder(c):
    return "layers" in c.fields


def input_rows(c):
    """x [B q, d], or of part:core the queries [B q, h width]; of encoders [1, T, input_dim]."""
    x = c.tensors["x"]
    return x if is_encoder(c) else x.reshape(c["B"] * c["q"], -1)


def caches(c):
    """As attention.py wants them: latents have an axis of heads, too."""
    return {name: t[:, None] if name.endswith("latent") else t for name, t in c.tensors.items()
            if name.startswith("cache." if not is_encoder(c) else "layers.")}


def forms(c, has_attention):
    """(name, function of operations and input) of all ways that are worth trying."""
    found = encoder.forms(c) if is_encoder(c) else [
        (name, lambda o, x, way=way: way(o, c, c.tensors, x)) for name, way in attention.forms(c)]
    return [form for form in found if has_attention or form[0] != "operator"]
