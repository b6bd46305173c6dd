"""The operations of attention.py and encoder.py as nodes of an ONNX graph."""

import math

import numpy

from onnx_model import Graph

MICROSOFT = "com.microsoft"


class Operations:
    def __init__(self, caches):
        self.graph, self.caches, self.fed, self.prefix = Graph(), caches, {}, "cache."
        self.op, self.constant, self.reshape = self.graph.op, self.graph.constant, self.graph.reshape
        self.transpose, self.slice = self.graph.transpose, self.graph.slice

    def input(self, name, array):
        if name not in self.fed:
            self.fed[name] = array
            self.graph.input(name, array.shape)
        return name

    def cache(self, name):
        return self.input(self.prefix + name, self.caches[self.prefix + name])

    given = input

    def append(self, name, new, held):
        return self.concat([self.cache(name), new], 2)

    def keep(self, name, value, *shape):
        """What the next call needs is an output."""
        self.graph.result(value, f"new_{self.prefix}{name}", shape)

    def linear(self, x, weight, bias=None):
        """Rows x [rows, in]."""
        values = [x, self.constant(weight)] + ([] if bias is None else [self.constant(bias)])
        return self.op("Gemm", *values, transB=1)

    def matmul(self, a, b, turned=False, scale=1.0):
        if not turned and scale == 1.0:
            return self.op("MatMul", a, b)
        return self.op("FusedMatMul", a, b, domain=MICROSOFT, transB=int(turned), alpha=float(scale))

    def attention(self, q, k, v, c):
        """Rows q [B frames, h width]; keys and values [B, h, L, width]."""
        q = self.reshape(q, c["B"], c["q"], c["d"])
        out = self.op("MultiHeadAttention", q, k, v, domain=MICROSOFT, num_heads=c["h"],
                      scale=1 / math.sqrt(c["d"] // c["h"]))
        return self.reshape(out, c["B"] * c["q"], c["d"])

    def layer_norm(self, x, weight, bias, epsilon):
        return self.op("LayerNormalization", x, self.constant(weight), self.constant(bias), axis=-1,
                       epsilon=float(epsilon))

    def activate(self, x, which):
        if which == "gelu":
            return self.op("Gelu", x, domain=MICROSOFT)
        return self.op("QuickGelu", x, domain=MICROSOFT, alpha=1.0)

    def activate_gate(self, x, width):
        return self.op("Mul", self.slice(x, 1, 0, width), self.op("Sigmoid", self.slice(x, 1, width, 2 * width)))

    def convolve(self, x, weight, bias, padding):
        """Depthwise, x [1, channels, frames]."""
        return self.op("Conv", x, self.constant(weight), self.constant(bias), group=len(weight), pads=[padding] * 2)

    def convolve2d(self, x, weight, bias):
        return self.op("Conv", x, self.constant(weight), self.constant(bias), strides=[2, 2])

    def relu(self, x):
        return self.op("Relu", x)

    def softmax(self, x):
        return self.op("Softmax", x, axis=-1)

    def concat(self, values, axis):
        return self.op("Concat", *values, axis=axis)

    def add(self, a, b):
        return self.op("Add", a, b)

    def multiply(self, a, b):
        return self.op("Mul", a, b)

    def divide(self, a, b):
        return self.op("Div", a, b)

    def scale(self, x, factor):
        return self.op("Mul", x, self.constant(numpy.float32(factor)))

    def sum(self, x, axis):
        return self.op("ReduceSum", x, self.constant(numpy.array([axis])), keepdims=0)

    def elu_plus_one(self, x):
        return self.op("Add", self.op("Elu", x), self.constant(numpy.float32(1)))
