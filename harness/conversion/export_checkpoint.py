#!/usr/bin/env python3
"""Turns attnbench's safetensors and configuration into a PyTorch file: {"state_dict": ..., "config": ...}.

For people who fine-tune elsewhere. latent_attention.py, next to this file, has the attention of mla and mla_simple; the other
tensors have the names that ESPnet and WeNet give them. torch.load reads the file with weights_only. Needs PyTorch 1.13 or
newer, NumPy and PyYAML. docs/checkpoints.md says more.
"""

import argparse
import json
import os
import struct
import sys

sys.dont_write_bytecode = True  # nothing is left in the script's folder

import numpy as np  # noqa: E402
import torch  # noqa: E402
import yaml  # noqa: E402

from checkpoint_tensors import Refused  # noqa: E402

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


def read_tensor(path, name, entry, data):
    begin, end = entry["data_offsets"]
    if entry["dtype"] not in TYPES:
        raise Refused(f"{path}: tensor {name} is {entry['dtype']}, expected one of {', '.join(TYPES)}")
    values = np.frombuffer(data[begin:end], TYPES[entry["dtype"]])
    if entry["dtype"] == "BF16":  # the upper half of a float32
        values = (values.astype("<u4") << 16).view("<f4")
    if values.size != int(np.prod(entry["shape"])):
        raise Refused(f"{path}: tensor {name} has {values.size} values, expected shape {entry['shape']}")
    return torch.from_numpy(values.reshape(entry["shape"]).astype("<f4"))


def read_safetensors(path):
    """Name -> float32 tensor."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + size])
    except (struct.error, ValueError) as error:
        raise Refused(f"{path}: not a safetensors file: {error}")
    header.pop("__metadata__", None)
    return {name: read_tensor(path, name, entry, data[8 + size:]) for name, entry in header.items()}


def complete(config, path):
    """The configuration with the defaults that the attention has to know (docs/configuration.md)."""
    if not isinstance(config, dict):
        raise Refused(f"{path}: expected keys and values")
    alone = config.get("model_type", "conformer") == "attention"
    kind = config.setdefault("attention_type", "mha")
    config.setdefault("num_heads", 8)
    config.setdefault("pos_enc", "none" if alone else "abs_pos" if kind == "linear" else "rel_pos")
    return config


def read_config(path):
    with open(path, encoding="utf-8") as file:
        try:
            return complete(yaml.safe_load(file), path)
        except yaml.YAMLError as error:
            raise Refused(f"{path}: {' '.join(str(error).split())}")


def export(arguments):
    saved = {"state_dict": read_safetensors(arguments.weights), "config": read_config(arguments.config)}
    temporary = arguments.out + ".tmp"
    try:
        torch.save(saved, temporary)
        os.replace(temporary, arguments.out)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--config", required=True, metavar="F.yaml")
    parser.add_argument("--weights", required=True, metavar="F.safetensors")
    parser.add_argument("--out", required=True, metavar="F.pt")
    try:
        export(parser.parse_args())
    except (Refused, OSError) as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
