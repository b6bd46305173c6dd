"""What only the training configuration of ESPnet or WeNet knows: keys of attnbench's configuration, and what is refused."""

import yaml

from checkpoint_tensors import Refused

BIASES = {key: (True, False) for key in ("query_bias", "key_bias", "value_bias", "conv_bias", "mlp_bias")}
# Keys of encoder_conf that change what an encoder computes, with the values under which it is one of attnbench's. A key that is
# not there counts as the first of them.
EXPECTED = {
    "conformer": {
        **BIASES, "normalize_before": (True,), "concat_after": (False,),
        "positionwise_layer_type": ("linear",), "activation_type": ("swish",), "use_cnn_module": (True,),
        "cnn_module_norm": ("batch_norm", "layer_norm"), "conv_inner_factor": (2,), "zero_triu": (False,),
        "layer_norm_type": ("layer_norm",), "mlp_type": ("position_wise_feed_forward",), "qk_norm": (False,),
        "selfattention_layer_type": ("rel_selfattn", "selfattn"), "interctc_use_conditioning": (False,),
        "ctc_trim": (False,)},
    "branchformer": {
        **BIASES, "gate_activation": ("identity",), "use_attn": (True,), "use_cgmlp": (True,), "zero_triu": (False,),
        "layer_norm_type": ("layer_norm",), "attention_layer_type": ("rel_selfattn", "selfattn"),
        "selfattention_layer_type": ("rel_selfattn", "selfattn"), "qk_norm": (False,),
        "interctc_use_conditioning": (False,), "ctc_trim": (False,)},
}
# Read below, or by the sizes of tensors.
READ = set("""attention_heads input_layer pos_enc_layer_type rel_pos_type causal norm_eps conv_norm_eps final_norm head_dim n_kv_head
merge_method cgmlp_weight macaron_style static_chunk_size output_size num_blocks linear_units cnn_module_kernel cgmlp_linear_units
cgmlp_conv_kernel use_linear_after_conv""".split())
# Of no effect on what a trained encoder of this kind computes.
HARMLESS = set("""dropout_rate positional_dropout_rate attention_dropout_rate attn_branch_drop_rate stochastic_depth_rate
layer_drop_rate padding_idx positionwise_conv_kernel_size max_pos_emb_len use_flash_attn use_sdpa gradient_checkpointing
interctc_layer_idx use_dynamic_chunk use_dynamic_left_chunk attention_windows attention_dilation attention_mode n_expert
n_expert_activated""".split())
# attnbench's key for a size -> the training configuration's.
SIZES = {"num_layers": "num_blocks", "d_model": "output_size", "cgmlp_linear_units": "cgmlp_linear_units"}


def read_training(path):
    with open(path, encoding="utf-8") as stream:
        training = yaml.safe_load(stream)
    conf = training.get("encoder_conf") if isinstance(training, dict) and training.get("encoder") else None
    if not isinstance(conf, dict):
        raise Refused(f"{path}: no encoder with its encoder_conf, expected a training configuration")
    return training, conf


def positions(framework, conf):
    kind = conf.get("pos_enc_layer_type", "rel_pos" if framework == "espnet" else "abs_pos")
    if kind == "abs_pos":
        return "abs_pos"
    if kind == "no_pos":
        return "none"
    if kind == "rel_pos" and framework == "wenet":
        return "rel_pos_wenet"
    if kind == "rel_pos" and conf.get("rel_pos_type") == "latest":
        return "rel_pos"
    if kind == "rel_pos" and "rel_pos_type" not in conf:
        raise Refused("rel_pos_type is not given, and its default depends on ESPnet's version: --set pos_enc=rel_pos "
                      "if it was \"latest\"")
    raise Refused(f"pos_enc_layer_type {kind} with rel_pos_type {conf.get('rel_pos_type')}, expected abs_pos or the "
                  "latest rel_pos")


def check_keys(path, conf, model_type, ignored):
    """Every key is one that is understood, with a value under which the encoder is one of attnbench's."""
    for key, values in EXPECTED[model_type].items():
        if key not in ignored and conf.get(key, values[0]) not in values:
            raise Refused(f"{path}: {key} is {yaml_word(conf[key])}, expected {' or '.join(map(yaml_word, values))}")
    for key in conf:
        if key not in EXPECTED[model_type].keys() | READ | HARMLESS | ignored:
            raise Refused(f"{path}: encoder_conf has {key}, which is not known here and may change what the encoder "
                          f"computes: --ignore {key} if it does not")
    if conf.get("input_layer", "conv2d") not in ("conv2d", "linear"):
        raise Refused(f"{path}: input_layer is {conf['input_layer']}, expected conv2d or linear")
    heads, head_dim, width = conf.get("attention_heads", 4), conf.get("head_dim"), conf.get("output_size", 256)
    if head_dim is not None and head_dim * heads != width:
        raise Refused(f"{path}: head_dim is {head_dim}, expected output_size / attention_heads = {width} / {heads}")


def yaml_word(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def norm_eps(path, conf):
    """WeNet has one for the norms, and one for the convolution's, which is torch's where that is a batch norm."""
    eps = float(conf.get("norm_eps", 1e-5))
    conv = float(conf.get("conv_norm_eps", 1e-5))
    if conv != (eps if conf.get("cnn_module_norm", "batch_norm") == "layer_norm" else 1e-5):
        raise Refused(f"{path}: conv_norm_eps is {conv:g} and norm_eps {eps:g}, expected the same for layer_norm and 1e-05 for "
                      "batch_norm")
    return eps


def sizes(conf, model_type):
    """Sizes that also follow from tensors."""
    result = {key: conf[name] for key, name in SIZES.items() if isinstance(conf.get(name), int)}
    kernel = conf.get("cnn_module_kernel" if model_type == "conformer" else "cgmlp_conv_kernel")
    if isinstance(kernel, int):
        result["conv_kernel_size"] = kernel
    if model_type == "conformer":
        result.pop("cgmlp_linear_units", None)
        if isinstance(conf.get("macaron_style"), bool):
            result["macaron_style"] = conf["macaron_style"]
        if isinstance(conf.get("linear_units"), int) and "d_model" in result:
            units, width = conf["linear_units"], result["d_model"]
            result["ff_expansion_factor"] = units // width if units % width == 0 else units / width
    return result


def is_set(value):
    return value is not None and value not in ("none", False)


def input_dim(training):
    """Of the encoder; None where nothing says it."""
    if is_set(training.get("preencoder")):
        width = (training.get("preencoder_conf") or {}).get("output_size")
    else:
        width = next((training[key] for key in ("input_dim", "input_size") if training.get(key)),
                     (training.get("frontend_conf") or {}).get("n_mels"))
    return width if isinstance(width, int) else None


def from_training(path, framework, checkpoint, given, ignored):
    """(the keys that only the training configuration knows, all of it)"""
    training, conf = read_training(path)
    model_type = "branchformer" if any(".cgmlp." in name for name in checkpoint.encoder) else "conformer"
    if training["encoder"] != model_type:
        raise Refused(f"{path}: encoder is {training['encoder']}, but the checkpoint's tensors are those of a {model_type}")
    check_keys(path, conf, model_type, ignored)
    result = {"num_heads": conf.get("attention_heads", 4), "causal": bool(conf.get("causal", False)),
              **sizes(conf, model_type)}
    if "pos_enc" not in given:
        result["pos_enc"] = positions(framework, conf)
    if framework == "wenet":
        result["layer_norm_eps"] = norm_eps(path, conf)
    if input_dim(training):
        result["input_dim"] = input_dim(training)
    if model_type == "branchformer":
        result["merge_method"] = conf.get("merge_method", "concat")
        weight = conf.get("cgmlp_weight", 0.5)
        weights = set(weight) if isinstance(weight, list) else {weight}
        if result["merge_method"] == "fixed_ave":
            if len(weights) > 1:
                raise Refused(f"{path}: cgmlp_weight differs between layers, expected one for all")
            result["cgmlp_weight"] = float(weights.pop())
    return result, training


def normalisation(training, framework):
    """(None where it is not said, else "none", "global_mvn" or "utterance_mvn"; whether means count; whether variances do)"""
    if framework == "wenet":
        named = is_set(training.get("cmvn")) or is_set(training.get("cmvn_file"))
        return "global_mvn" if named else None, True, True
    kind, conf = training.get("normalize"), training.get("normalize_conf") or {}
    if "normalize" not in training:
        return None, True, True
    if is_set(kind) and kind not in ("global_mvn", "utterance_mvn"):
        raise Refused(f"normalize is {kind}, expected global_mvn, utterance_mvn or null")
    return kind if is_set(kind) else "none", conf.get("norm_means", True), conf.get("norm_vars", True)


def foreign_features(training, framework, outside):
    """What the encoder reads, where that is not log-mel features as Kaldi makes them; None where it is, or nothing says."""
    if framework == "wenet":
        kind = (training.get("dataset_conf") or {}).get("feats_type", "fbank")
        return None if kind == "fbank" else f"features of feats_type {kind}"
    if is_set(training.get("preencoder")) or any(name.startswith("preencoder.") for name in outside):
        return f"what its preencoder ({training.get('preencoder', 'preencoder.*')}) makes of features"
    if isinstance(training.get("input_size"), int):
        return None
    if training or any(name.startswith("frontend.") for name in outside):
        return f"features of ESPnet's frontend ({training.get('frontend', 'default')}), which are not Kaldi's"
    return None
