"""What a peer is asked to run: a safetensors file whose tensor `case` (U8) is JSON, the fields of the case
(docs/fields.md) and what else it needs; all others are float32."""

import json

import numpy


class Case:
    def __init__(self, path):
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
            data = file.read()
        self.tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            if name == "case":
                self.fields = {"B": 1, **json.loads(data[begin:end])}
            else:
                self.tensors[name] = numpy.frombuffer(data, numpy.float32, (end - begin) // 4,
                                                      begin).reshape(entry["shape"])

    def __getitem__(self, key):
        return self.fields[key]

    def get(self, key, fallback=None):
        return self.fields.get(key, fallback)
