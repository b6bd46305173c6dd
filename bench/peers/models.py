"""What a case is made of, for any peer: its input, its caches, and the forms to try."""

import attention


def input_rows(c):
    """x [B q, d], or of part:core the queries [B q, h width]."""
    x = c.tensors["x"]
    return x.reshape(c["B"] * c["q"], -1)


def caches(c):
    """As attention.py wants them: latents have an axis of heads, too."""
    found = c.below("cache.")
    return {name: t[:, None] if name.endswith("latent") else t for name, t in found.items()}


def forms(c, has_attention):
    """(name, function of operations and input) of all ways that are worth trying."""
    return [(name, lambda o, x, way=way: way(o, c, c.tensors, x)) for name, way in attention.forms(c)
            if has_attention or name != "operator"]
