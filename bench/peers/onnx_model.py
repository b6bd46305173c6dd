"""An ONNX model as bytes, written without the onnx package: nodes, constants, inputs and outputs of a graph.

Protocol Buffers' wire format: a field is a varint (number << 3 | type), then a varint (type 0), four bytes (type 5)
or a length and bytes (type 2). Numbers of fields are those of onnx.proto3, which never change.
"""

import struct

import numpy

FLOAT, INT64 = 1, 7
OPSET, IR_VERSION = 17, 8


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def integer(field, number):
    return varint(field << 3) + varint(number)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def single(field, number):
    return varint(field << 3 | 5) + struct.pack("<f", number)


def attribute(name, value):
    """AttributeProto: 1 name, 2 f, 3 i, 4 s, 8 ints, 20 type."""
    if isinstance(value, float):
        return block(1, name) + single(2, value) + integer(20, 1)
    if isinstance(value, int):
        return block(1, name) + integer(3, value) + integer(20, 2)
    if isinstance(value, str):
        return block(1, name) + block(4, value) + integer(20, 3)
    return block(1, name) + b"".join(integer(8, i) for i in value) + integer(20, 7)


def tensor(name, array):
    """TensorProto: 1 dims, 2 data_type, 8 name, 9 raw_data."""
    kind = INT64 if array.dtype == numpy.int64 else FLOAT
    return (b"".join(integer(1, size) for size in array.shape) + integer(2, kind) + block(8, name) +
            block(9, array.tobytes()))


def value_info(name, shape):
    """ValueInfoProto: 1 name, 2 type (1 tensor_type: 1 elem_type, 2 shape: 1 dim: 1 dim_value)."""
    dims = b"".join(block(1, integer(1, size)) for size in shape)
    return block(1, name) + block(2, block(1, integer(1, FLOAT) + block(2, dims)))


class Graph:
    """Values are names. `op` adds a node and returns the name of its output."""

    def __init__(self):
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []
        self.count = 0

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def constant(self, array):
        array = numpy.asarray(array)
        array = numpy.ascontiguousarray(array, numpy.int64 if array.dtype.kind == "i" else numpy.float32)
        name = self.name()
        self.constants.append(tensor(name, array))
        return name

    def input(self, name, shape):
        self.inputs.append(value_info(name, shape))
        return name

    def result(self, value, name, shape):
        self.nodes.append(self.node("Identity", [value], name, "", {}))
        self.outputs.append((name, tuple(shape)))

    @staticmethod
    def node(kind, inputs, output, domain, attributes):
        """NodeProto: 1 input, 2 output, 4 op_type, 5 attribute, 7 domain."""
        return (b"".join(block(1, i) for i in inputs) + block(2, output) + block(4, kind) +
                b"".join(block(5, attribute(*a)) for a in attributes.items()) +
                (block(7, domain) if domain else b""))

    def op(self, kind, *inputs, domain="", **attributes):
        output = self.name()
        self.nodes.append(self.node(kind, inputs, output, domain, attributes))
        return output

    def reshape(self, value, *shape):
        return self.op("Reshape", value, self.constant(numpy.array(shape)))

    def transpose(self, value, *order):
        return self.op("Transpose", value, perm=list(order))

    def slice(self, value, axis, start, end):
        return self.op("Slice", value, *(self.constant(numpy.array([n])) for n in (start, end, axis)))

    def model(self):
        """ModelProto: 1 ir_version, 7 graph (1 node, 2 name, 5 initializer, 11 input, 12 output), 8 opset_import."""
        graph = (b"".join(block(1, n) for n in self.nodes) + block(2, "case") +
                 b"".join(block(5, c) for c in self.constants) + b"".join(block(11, i) for i in self.inputs) +
                 b"".join(block(12, value_info(*o)) for o in self.outputs))
        opsets = block(8, integer(2, OPSET)) + block(8, block(1, "com.microsoft") + integer(2, 1))
        return integer(1, IR_VERSION) + block(7, graph) + opsets
