#!/usr/bin/python3
"""harness/conversion/convert_checkpoint.py on checkpoints as ESPnet and WeNet save them: the converted model, run by attnbench on
features that nobody normalised, gives what PyTorch gives. check_checkpoint.py ATTNBENCH; prints a line for each thing checked,
exits with 1 at the first failure.
"""

import pathlib
import re
import sys
import tempfile

import numpy as np
import torch

import check_checkpoint_data
import check_checkpoint_refusals
from checkpoints import Model, convert, difference, fail, ok, run

COMMON = dict(d_model=16, num_heads=4, num_layers=2, frames=41, batch=2, vocab_size=7, input_dim=20)
ESPNET_CONFORMER = dict(
    output_size=16, attention_heads=4, linear_units=32, num_blocks=2, input_layer="conv2d", macaron_style=True,
    rel_pos_type="latest", pos_enc_layer_type="rel_pos", selfattention_layer_type="rel_selfattn",
    activation_type="swish", use_cnn_module=True, cnn_module_kernel=7)
WENET_CONFORMER = dict(
    output_size=16, attention_heads=4, linear_units=32, num_blocks=2, pos_enc_layer_type="rel_pos", causal=True,
    selfattention_layer_type="rel_selfattn", cnn_module_norm="layer_norm", cnn_module_kernel=8)
CASES = {
    "espnet-conformer": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos", input_layer="conv2d", layer_norm_eps=1e-12,
        training=dict(encoder="conformer", frontend_conf=dict(n_mels=20), normalize="global_mvn",
                      normalize_conf=dict(stats_file="feats_stats.npz"), encoder_conf=ESPNET_CONFORMER)),
    "espnet-kaldi-features": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos", input_layer="conv2d", layer_norm_eps=1e-12,
        training=dict(encoder="conformer", input_size=20, frontend=None, normalize="global_mvn",
                      encoder_conf=ESPNET_CONFORMER)),
    "espnet-no-macaron": dict(  # ESPnet's default
        COMMON, model_type="conformer", pos_enc="rel_pos", input_layer="conv2d", layer_norm_eps=1e-12, macaron_style=False,
        training=dict(encoder="conformer", frontend_conf=dict(n_mels=20), normalize="global_mvn", encoder_conf={
            key: value for key, value in ESPNET_CONFORMER.items() if key != "macaron_style"})),
    "wenet-no-macaron": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos_wenet", input_layer="conv2d", conv_norm="layer_norm", causal=True,
        conv_kernel_size=8, macaron_style=False,
        training=dict(encoder="conformer", input_dim=20, cmvn="global_cmvn",
                      encoder_conf=dict(WENET_CONFORMER, macaron_style=False))),
    "espnet-branchformer": dict(
        COMMON, model_type="branchformer", pos_enc="abs_pos", input_layer="linear", embed_norm=True, csgu_linear=True,
        merge_method="learned_ave", layer_norm_eps=1e-12,
        training=dict(encoder="branchformer", encoder_conf=dict(
            attention_heads=4, attention_layer_type="selfattn", pos_enc_layer_type="abs_pos", merge_method="learned_ave",
            use_linear_after_conv=True, input_layer="linear"))),
    "espnet-not-normalised": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos", input_layer="conv2d", layer_norm_eps=1e-12, normalised=False,
        training=dict(encoder="conformer", frontend_conf=dict(n_mels=20), normalize=None, encoder_conf=ESPNET_CONFORMER)),
    "wenet-conformer": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos_wenet", input_layer="conv2d", conv_norm="layer_norm", causal=True,
        conv_kernel_size=8,
        training=dict(encoder="conformer", input_dim=20, cmvn="global_cmvn", encoder_conf=WENET_CONFORMER)),
    "wenet-no-final-norm": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos_wenet", input_layer="conv2d", conv_norm="layer_norm", causal=True,
        conv_kernel_size=8, after_norm=False,
        training=dict(encoder="conformer", input_dim=20, cmvn_file="global_cmvn",
                      encoder_conf=dict(WENET_CONFORMER, final_norm=False))),
    "wenet-no-biases": dict(
        COMMON, model_type="conformer", pos_enc="rel_pos_wenet", input_layer="conv2d", conv_norm="layer_norm", causal=True,
        conv_kernel_size=8,
        training=dict(encoder="conformer", input_dim=20, cmvn="global_cmvn", encoder_conf=dict(
            WENET_CONFORMER, query_bias=False, key_bias=False, value_bias=False, conv_bias=False, mlp_bias=False))),
    "wenet-branchformer-no-key-bias": dict(
        COMMON, model_type="branchformer", pos_enc="rel_pos_wenet", input_layer="conv2d", merge_method="concat",
        training=dict(encoder="branchformer", input_dim=20, cmvn="global_cmvn", encoder_conf=dict(
            attention_heads=4, pos_enc_layer_type="rel_pos", selfattention_layer_type="rel_selfattn", merge_method="concat",
            key_bias=False))),
    "wenet-branchformer": dict(
        COMMON, model_type="branchformer", pos_enc="rel_pos_wenet", input_layer="conv2d", merge_method="fixed_ave",
        cgmlp_weight=0.3,
        training=dict(encoder="branchformer", input_dim=20, encoder_conf=dict(
            attention_heads=4, pos_enc_layer_type="rel_pos", merge_method="fixed_ave", cgmlp_weight=[0.3, 0.3]))),
    "wenet-gqa": dict(  # all given by --set, no training configuration
        COMMON, model_type="conformer", attention_type="gqa", num_kv_heads=2, pos_enc="rel_pos_wenet", input_layer="conv2d",
        set=["pos_enc=rel_pos_wenet", "input_dim=20"]),
}


# What WeNet's keys switch off.
BIASES = {"query_bias": r"linear_(q|out)\.bias", "key_bias": r"linear_k\.bias", "value_bias": r"linear_v\.bias",
          "mlp_bias": r"w_[12]\.bias", "conv_bias": r"(pointwise_conv[12]|depthwise_conv)\.bias"}


def ours(name):
    for theirs, here in (("encoder.encoders", "encoders"), ("linear_q", "q_proj"), ("linear_k", "k_proj"), ("linear_v", "v_proj"),
                         ("linear_out", "out_proj")):
        name = name.replace(theirs, here)
    return name


def check_case(attnbench, model, work):
    name, state = model.name, model.state_dict()
    if name == "wenet-no-final-norm":  # saved all the same
        state["encoder.after_norm.weight"] = state["encoder.after_norm.bias"] = torch.ones(16)
    if "bias" in name:
        conf = model.training["encoder_conf"]
        off = [pattern for key, pattern in BIASES.items() if conf.get(key) is False]
        for tensor in [tensor for tensor in state if any(re.search(pattern, tensor) for pattern in off)]:
            del state[tensor]
            model.weights[ours(tensor)][:] = 0
    torch.save(state, work / "final.pt")
    status, text = convert(work, model.framework, *model.options(work))
    counted = [text.count(word) for word in ("left out, not the encoder's: decoder.* (1)", "buffers that inference does not need",
                                              "left out, not used by this model")]
    unused = name.startswith("wenet-branchformer") or name == "wenet-no-final-norm"
    if ("biases that the model does not have are written as zeros" in text) != ("bias" in name):
        fail(name, text)
    if status or counted != [1, 1, int(unused)] or "WARNING" in text:
        fail(name, f"status {status}: {text}")
    keys = (work / "c.yaml").read_text()
    if ("feature_norm: global_mvn" in keys) != model.normalised or ("features: other" in keys) != (
            model.framework == "espnet" and name != "espnet-kaldi-features"):
        fail(name, f"configuration {keys}")
    np.save(work / "x.npy", model.x)
    _, said = run(attnbench, name, "forward", "--config", work / "c.yaml", "--weights", work / "w.safetensors", "--input",
                  work / "x.npy", "--output", work / "y.npy", "--logits")
    if said:
        fail(name, f"forward said {said}")
    worst = difference(name, np.load(work / "y.npy"), model.expected(model.x, logits=True))
    ok(f"{name}: converted and run on raw features, difference {worst:.1e} of the largest output")


def main():
    attnbench = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for name, keys in CASES.items():
            check_case(attnbench, Model(name, keys), work)
        for name in ("espnet-conformer", "wenet-conformer"):
            check_checkpoint_data.check(attnbench, name, CASES[name], work)
        check_checkpoint_refusals.check(attnbench, CASES, work)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
