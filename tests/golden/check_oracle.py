"""Is the oracle itself right? Compares it with PyTorch's and torchaudio's own modules where those exist, and checks that
each option changes the result, so that a library which ignores the option can't pass."""

import numpy as np
import torch
import torchaudio

import encoder


def close(a, b, what):
    error = np.abs(a - b).max() / np.abs(b).max()
    assert error < 1e-5, f"{what}: the oracle is off by {error:g}"


def torch_attention(w, cfg):
    """torch.nn.MultiheadAttention with the weights of one mha layer (names below the layer)."""
    module = torch.nn.MultiheadAttention(cfg["d_model"], cfg["num_heads"], batch_first=True)
    qkv = ("q_proj", "k_proj", "v_proj")
    return {
        "in_proj_weight": torch.cat([w[name + ".weight"] for name in qkv]),
        "in_proj_bias": torch.cat([w[name + ".bias"] for name in qkv]),
        "out_proj.weight": w["out_proj.weight"],
        "out_proj.bias": w["out_proj.bias"],
    }, module


def check_mha(w, cfg, x, outputs):
    state, module = torch_attention(encoder.below(w, "encoders.0.self_attn."), cfg)
    module.load_state_dict(state)
    module.double().eval()
    x = torch.from_numpy(x).double()
    padding = None
    if cfg["lengths"]:
        padding = torch.arange(x.shape[1])[None] >= torch.tensor(cfg["lengths"])[:, None]
    y = module(x, x, x, key_padding_mask=padding, need_weights=False)[0].detach().numpy()
    for b, length in enumerate(cfg["lengths"] or [x.shape[1]] * len(x)):
        if length:
            close(outputs["output.npy"][b, :length], y[b, :length], f"{cfg['name']}, utterance {b}")


def torchaudio_state(w, cfg):
    """Our names to those of torchaudio.models.Conformer."""
    plain = {"norm_ff_macaron": "ffn1.sequential.0", "feed_forward_macaron.w_1": "ffn1.sequential.1",
             "feed_forward_macaron.w_2": "ffn1.sequential.4", "norm_mha": "self_attn_layer_norm",
             "norm_conv": "conv_module.layer_norm", "conv_module.pointwise_conv1": "conv_module.sequential.0",
             "conv_module.depthwise_conv": "conv_module.sequential.2", "conv_module.norm": "conv_module.sequential.3",
             "conv_module.pointwise_conv2": "conv_module.sequential.5", "norm_ff": "ffn2.sequential.0",
             "feed_forward.w_1": "ffn2.sequential.1", "feed_forward.w_2": "ffn2.sequential.4",
             "norm_final": "final_layer_norm"}
    state = {}
    for n in range(cfg["num_layers"]):
        layer, to = encoder.below(w, f"encoders.{n}."), f"conformer_layers.{n}."
        for ours, theirs in plain.items():
            for end, tensor in encoder.below(layer, ours + ".").items():
                state[to + theirs + "." + end] = tensor
        for name, tensor in torch_attention(encoder.below(layer, "self_attn."), cfg)[0].items():
            state[to + "self_attn." + name] = tensor
        state[to + "conv_module.sequential.3.num_batches_tracked"] = torch.tensor(0)
    return state


def check_torchaudio(w, cfg, x, outputs):
    d = cfg["d_model"]
    model = torchaudio.models.Conformer(d, cfg["num_heads"], cfg["ff_expansion_factor"] * d, cfg["num_layers"],
                                        cfg["conv_kernel_size"])
    model.load_state_dict(torchaudio_state(w, cfg))
    model.double().eval()
    y, _ = model(torch.from_numpy(x).double(), torch.full((len(x),), x.shape[1]))
    close(outputs["output.npy"], y.detach().numpy(), cfg["name"])


def check_teeth(cfg, outputs):
    """What is asked for must show: chunked differs from whole, and so does each window of cache. Types of cache differ
    by less, but by more than the test's tolerance."""
    names = sorted(outputs)
    for i, a in enumerate(names):
        for b in names[i + 1:]:
            difference = np.abs(outputs[a] - outputs[b]).max() / np.abs(outputs[a]).max()
            least = 2e-4 if cfg["on_grid"] else 1e-2
            assert difference > least, f"{cfg['name']}: {a} and {b} hardly differ ({difference:g})"


def check(cfg, weights, x, outputs):
    w = {name: torch.from_numpy(tensor) for name, tensor in weights.items()}
    with torch.no_grad():
        if (cfg["model_type"], cfg["attention_type"], cfg["pos_enc"], cfg["num_layers"], cfg["input_layer"]) == (
                "attention", "mha", "none", 1, "none") and "output.npy" in outputs:
            check_mha(w, cfg, x, outputs)
        if cfg["name"].endswith("torchaudio"):
            check_torchaudio(w, cfg, x, outputs)
    check_teeth(cfg, outputs)
