"""Rows of a KV cache as its types keep them: rounded, then back as doubles. Shares nothing with the library."""

import numpy as np
import torch


def q8_0(rows):
    """Blocks of 32 along a row, the last one filled up with zeros: an f16 scale, the largest magnitude / 127, and int8."""
    width = rows.shape[-1]
    padded = np.concatenate([rows, np.zeros(rows.shape[:-1] + (-width % 32,))], axis=-1)
    blocks = padded.reshape(padded.shape[:-1] + (-1, 32))
    largest = np.abs(blocks).max(axis=-1, keepdims=True).astype(np.float32)
    scale = (largest / np.float32(127)).astype(np.float16).astype(np.float64)
    steps = np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0)
    values = np.clip(np.sign(steps) * np.floor(np.abs(steps) + 0.5), -127, 127)
    return (values * scale).reshape(padded.shape)[..., :width]


def rounded(rows, kv_dtype):
    """[..., width] of doubles that float32 holds exactly."""
    if kv_dtype == "f32":
        return rows
    if kv_dtype == "bf16":
        return rows.float().bfloat16().double()
    array = rows.numpy()
    return torch.from_numpy(array.astype(np.float16).astype(np.float64) if kv_dtype == "f16" else q8_0(array))
