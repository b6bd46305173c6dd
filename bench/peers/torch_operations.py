"""The operations of attention.py and encoder.py in PyTorch."""

import numpy
import torch
import torch.nn.functional as F


def as_tensor(array):
    return torch.from_numpy(numpy.array(array, numpy.float32, order="C", copy=True))


class Operations:
    """The first run finds out what room the case needs; all later ones use that room."""

    has_attention = hasattr(F, "scaled_dot_product_attention")

    def __init__(self, caches):
        self.held = caches
        self.caches = {name: as_tensor(array) for name, array in caches.items()}
        self.rooms, self.at, self.prefix = [], 0, "cache."
        self.constant = as_tensor

    def begin(self, rooms):
        self.rooms, self.at, self.prefix = list(rooms), 0, "cache."

    def room(self, shape, filled=None):
        """A tensor that runs write to; the same one in every run."""
        if self.at == len(self.rooms):
            array = numpy.zeros(shape, numpy.float32)
            if filled is not None:
                array[:, :, :filled.shape[2]] = filled
            self.rooms.append(torch.from_numpy(array))
        self.at += 1
        return self.rooms[self.at - 1]

    def cache(self, name):
        return self.caches[self.prefix + name]

    def given(self, name, array):
        return as_tensor(array)

    def append(self, name, new, held):
        batch, heads, frames, width = new.shape
        room = self.room((batch, heads, held + frames, width), self.held[self.prefix + name])
        room[:, :, held:].copy_(new)
        return room

    def keep(self, name, value, *shape):
        self.room(shape).copy_(value)

    def linear(self, x, weight, bias=None):
        return F.linear(x, as_tensor(weight), None if bias is None else as_tensor(bias))

    def matmul(self, a, b, turned=False, scale=1.0):
        a = a if scale == 1.0 else a * scale
        return torch.matmul(a, b.transpose(-1, -2) if turned else b)

    def attention(self, q, k, v, c):
        """Rows q [B frames, h width]; keys and values [B, h, L, width]."""
        q = q.reshape(c["B"], c["q"], c["h"], -1).transpose(1, 2)
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(c["B"] * c["q"], -1)

    def reshape(self, x, *shape):
        return x.reshape(shape)

    def transpose(self, x, *order):
        return x.permute(order)

    def slice(self, x, axis, start, end):
        return x.narrow(axis, start, end - start)

    def layer_norm(self, x, weight, bias, epsilon):
        return F.layer_norm(x, x.shape[-1:], as_tensor(weight), as_tensor(bias), epsilon)

    def activate(self, x, which):
        return F.gelu(x) if which == "gelu" else F.silu(x)

    def activate_gate(self, x, width):
        return F.glu(x, -1)

    def convolve(self, x, weight, bias, padding):
        """Depthwise, x [1, channels, frames]."""
        return F.conv1d(x, as_tensor(weight), as_tensor(bias), padding=padding, groups=len(weight))

    def convolve2d(self, x, weight, bias):
        return F.conv2d(x, as_tensor(weight), as_tensor(bias), stride=2)

    def relu(self, x):
        return torch.relu(x)

    def softmax(self, x):
        return torch.softmax(x, -1)

    def concat(self, values, axis):
        return torch.cat(values, axis)

    def add(self, a, b):
        return a + b

    def multiply(self, a, b):
        return a * b

    def divide(self, a, b):
        return a / b

    def scale(self, x, factor):
        return x * float(factor)

    def sum(self, x, axis):
        return x.sum(axis)

    def elu_plus_one(self, x):
        return F.elu(x) + 1
