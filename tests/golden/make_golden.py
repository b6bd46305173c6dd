#!/usr/bin/python3
"""Makes tests/golden/{attention,encoder}/: inputs, weights and the outputs that the library has to reproduce.

Run by `make golden` with Debian's python3-torch and python3-torchaudio. Deterministic: numbers come from numpy's frozen
RandomState, seeded by the case's name; sums are in double precision.
"""

import json
import pathlib
import shutil
import struct
import sys
import zlib

import numpy as np
import torch

import encoder

HERE = pathlib.Path(__file__).resolve().parent
DEFAULTS = dict(
    attention_type="mha", d_model=16, num_heads=4, num_layers=1, num_kv_heads=None, latent_dim=None, pos_enc="none",
    input_layer="none", input_dim=None, vocab_size=0, conv_kernel_size=7, ff_expansion_factor=2, macaron_style=True, conv_norm="batch_norm",
    causal=False, after_norm=True, merge_method="concat", cgmlp_linear_units=24, cgmlp_weight=0.5, layer_norm_eps=1e-5,
    # Not keys of the YAML file: optional tensors of a checkpoint, and how the case is run.
    embed_norm=False, csgu_linear=False, lengths=None, frames=13, batch=2, runs=("",), logits=False, names="ours", on_grid=False)
STREAMING = ("", "--chunk 5", "--chunk 1", "--chunk 5 --left-chunks 1")
LINEAR_STREAMING = ("", "--chunk 5", "--chunk 1", "--chunk 5 --left-chunks 0")
PADDED = dict(batch=3, frames=17, lengths=(17, 9, 1))
CACHE_TYPES = tuple(f"--kv-dtype {kv_dtype}{chunks}" for kv_dtype in ("f16", "bf16", "q8_0")
                    for chunks in ("", " --chunk 5 --left-chunks 1"))
TYPES = ("mha", "gqa", "mla_simple", "mla", "linear")
SOFTMAX = TYPES[:4]
DIMENSIONS = dict(mha={}, linear={}, gqa=dict(num_kv_heads=2), mla_simple=dict(latent_dim=12), mla=dict(latent_dim=12))


def attention_cases():
    def case(name, kind, **keys):
        streaming = LINEAR_STREAMING if kind == "linear" else STREAMING
        cases[name] = dict(dict(DIMENSIONS[kind], model_type="attention", attention_type=kind, runs=streaming), **keys)

    cases = {}
    for kind in TYPES:
        case(kind, kind)
        case(kind + "-lengths", kind, **PADDED)
        case(kind + "-abs_pos-2layers", kind, pos_enc="abs_pos", num_layers=2, **PADDED)
    for kind in SOFTMAX:
        case(kind + "-rel_pos", kind, pos_enc="rel_pos", **PADDED)
        case(kind + "-rel_pos_wenet", kind, pos_enc="rel_pos_wenet", **PADDED)
    # Rows that end within a block of q8_0. On a grid, so that projections are exact in float32 too and rounding them
    # has one answer.
    case("mha-cache-types", "mha", d_model=66, num_heads=2, on_grid=True, runs=CACHE_TYPES, **PADDED)
    case("gqa-cache-types", "gqa", d_model=80, num_heads=2, num_kv_heads=1, on_grid=True, runs=CACHE_TYPES)
    case("mla-cache-types", "mla", latent_dim=40, on_grid=True, runs=CACHE_TYPES, **PADDED)
    case("mla_simple-cache-types", "mla_simple", latent_dim=33, pos_enc="rel_pos", on_grid=True, runs=CACHE_TYPES)
    case("gqa-1kv", "gqa", num_kv_heads=1)
    case("gqa-4kv", "gqa", num_kv_heads=4)
    case("gqa-8heads-rel_pos", "gqa", num_heads=8, num_kv_heads=4, pos_enc="rel_pos")
    case("mla-wide-latent", "mla", latent_dim=24, **PADDED)
    case("mla-2layers-rel_pos", "mla", num_layers=2, pos_enc="rel_pos", latent_dim=8, **PADDED)
    case("mla_simple-wide-latent", "mla_simple", latent_dim=24, **PADDED)
    case("mla_simple-2layers", "mla_simple", num_layers=2, latent_dim=8, **PADDED)
    case("mha-odd-rel_pos", "mha", d_model=15, num_heads=3, pos_enc="rel_pos")
    case("mha-1head-wide", "mha", num_heads=1, d_model=20)
    case("mha-1frame", "mha", frames=1, runs=("", "--chunk 1", "--chunk 4"))
    case("mha-long-chunk", "mha", frames=6, runs=("", "--chunk 6", "--chunk 64"))
    case("mha-empty-utterance", "mha", batch=3, frames=8, lengths=(0, 8, 3))
    case("linear-empty-utterance", "linear", batch=3, frames=8, lengths=(8, 0, 3))
    case("mha-3left", "mha", runs=("--chunk 2 --left-chunks 3", "--chunk 3 --left-chunks 0"), num_layers=2, **PADDED)
    case("mha-names-short", "mha", names="short", runs=("",))
    case("mla-names-espnet", "mla", names="espnet", pos_enc="rel_pos", num_layers=2, runs=("",))
    case("mha-input-linear", "mha", input_layer="linear", input_dim=10, **PADDED)
    case("gqa-input-linear-norm", "gqa", input_layer="linear", input_dim=10, embed_norm=True, num_layers=2)
    case("mla-input-linear-abs_pos", "mla", input_layer="linear", input_dim=10, pos_enc="abs_pos")
    return cases


def encoder_cases():
    def case(name, model, **keys):
        kind = keys.get("attention_type", "mha")
        cases[f"{model}-{name}"] = dict(dict(DIMENSIONS[kind], model_type=model), **keys)

    cases = {}
    conv2d = dict(input_layer="conv2d", input_dim=19, batch=4, frames=49, lengths=(49, 30, 7, 3), d_model=12)
    for model in ("conformer", "branchformer"):
        for kind in TYPES:
            case(kind, model, attention_type=kind, num_layers=2, **PADDED)
            case(f"{kind}-causal", model, attention_type=kind, causal=True, conv_norm="layer_norm", conv_kernel_size=4,
                 pos_enc="abs_pos" if kind == "linear" else "rel_pos", **PADDED,
                 runs=LINEAR_STREAMING if kind == "linear" else STREAMING)
        for pos_enc in ("abs_pos", "rel_pos", "rel_pos_wenet"):
            case(pos_enc, model, pos_enc=pos_enc, **PADDED)
        case("causal-2layers", model, causal=True, num_layers=2, pos_enc="rel_pos_wenet", runs=STREAMING, **PADDED)
        case("conv2d", model, **conv2d)
        case("conv2d-rel_pos-mla", model, attention_type="mla", pos_enc="rel_pos", **conv2d)
        case("conv2d-streaming", model, causal=True, pos_enc="rel_pos", runs=("", "--chunk 4", "--chunk 1"), **conv2d)
        case("linear-input", model, input_layer="linear", input_dim=10, pos_enc="rel_pos", **PADDED)
        case("linear-input-norm", model, input_layer="linear", input_dim=10, embed_norm=True, **PADDED)
        case("kernel-1", model, conv_kernel_size=1, **PADDED)
        case("kernel-31", model, conv_kernel_size=31, **PADDED)
        case("no-after-norm", model, after_norm=False, layer_norm_eps=1e-3, **PADDED)
        case("names-espnet", model, names="espnet", pos_enc="rel_pos", vocab_size=7, **PADDED)
        case("logits", model, vocab_size=7, logits=True, **PADDED)
    case("layer_norm", "conformer", conv_norm="layer_norm", **PADDED)
    case("no-macaron", "conformer", macaron_style=False, num_layers=2, pos_enc="rel_pos", **PADDED)
    case("learned_ave", "branchformer", merge_method="learned_ave", **PADDED)
    case("fixed_ave", "branchformer", merge_method="fixed_ave", cgmlp_weight=0.3, **PADDED)
    case("csgu-linear", "branchformer", csgu_linear=True, **PADDED)
    case("torchaudio", "conformer", after_norm=False, num_layers=2, frames=20)
    return cases


def complete(name, keys):
    cfg = dict(DEFAULTS, **keys)
    if cfg["input_layer"] == "none":
        cfg["input_dim"] = cfg["d_model"]
    if cfg["logits"]:
        cfg["runs"] = [f"{run} --logits".strip() for run in cfg["runs"]]
    return dict(cfg, name=name)


def random_tensor(rng, name, shape):
    """Wide enough that scores spread and every bias, norm and position shows in the output."""
    draw = rng.standard_normal(shape)
    if name.endswith("running_var"):
        draw = 0.5 + draw ** 2
    elif name.endswith(".weight") and len(shape) == 1:
        draw = 1 + 0.3 * draw
    elif name.endswith(".weight"):
        draw *= 1.3 / np.sqrt(np.prod(shape[1:]))
    else:
        draw *= 0.5
    return draw.astype(np.float32)


def renamed(cfg, weights):
    """The same checkpoint as ESPnet and WeNet save it (prefix, linear_q, tensors to be ignored), or the shortest way."""
    if cfg["names"] == "short":
        return {name.replace("encoders.0.self_attn.", ""): tensor for name, tensor in weights.items()}
    if cfg["names"] == "ours":
        return weights
    result = {}
    for name, tensor in weights.items():
        for ours, theirs in (("q_proj", "linear_q"), ("k_proj", "linear_k"), ("v_proj", "linear_v"),
                             ("out_proj", "linear_out")):
            name = name.replace("attn." + ours, "attn." + theirs)
        result[name if name.startswith("ctc.") else "encoder." + name] = tensor
    if cfg["model_type"] == "attention":
        return result
    result["encoder.embed.pos_enc.pe"] = np.zeros((1, 9, cfg["d_model"]), np.float32)
    if cfg["model_type"] == "conformer":
        result["encoder.encoders.0.conv_module.norm.num_batches_tracked"] = np.array(3, np.int64)
    else:
        for name in ("pooling_proj1", "pooling_proj2", "weight_proj1", "weight_proj2"):
            result[f"encoder.encoders.0.{name}.weight"] = np.ones((1, cfg["d_model"]), np.float32)
            result[f"encoder.encoders.0.{name}.bias"] = np.ones(1, np.float32)
    return result


def yaml_text(cfg):
    """Only the keys that the model type takes; the rest is left to the defaults."""
    keys = ["model_type", "attention_type", "d_model", "num_heads", "num_layers", "pos_enc", "input_layer", "input_dim"]
    if cfg["model_type"] != "attention":
        keys += ["conv_kernel_size", "causal", "after_norm"]
        keys += [key for key in ("layer_norm_eps", "vocab_size") if cfg[key] != DEFAULTS[key]]
        if cfg["model_type"] == "conformer":
            keys += ["ff_expansion_factor", "conv_norm"] + ([] if cfg["macaron_style"] else ["macaron_style"])
        else:
            keys += ["cgmlp_linear_units", "merge_method", "cgmlp_weight"]
    lines = [f"{key}: {json.dumps(cfg[key]).strip(chr(34))}" for key in keys]
    kwargs = {key: cfg[key] for key in ("latent_dim", "num_kv_heads") if cfg[key] is not None}
    lines.append("attention_kwargs:" + ("" if kwargs else " null"))
    lines += [f"  {key}: {value}" for key, value in kwargs.items()]
    return "\n".join(lines) + "\n"


def safetensors_bytes(weights):
    header, offset = {}, 0
    for name, tensor in weights.items():
        end = offset + tensor.nbytes
        dtype = "F32" if tensor.dtype == np.float32 else "I64"
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensor.tobytes() for tensor in weights.values())


def output_name(run):
    words = run.replace("--left-chunks ", "--left").replace("--chunk ", "--chunk").replace("--logits", "")
    words = words.replace("--kv-dtype ", "--").split()
    return "output" + "".join("." + word[2:] for word in words) + ".npy"


def expected(cfg, weights, x, lengths, run):
    """[B, T', width]; rows beyond an utterance's length are zero and mean nothing."""
    words = run.split()
    chunk = int(words[words.index("--chunk") + 1]) if "--chunk" in words else 0
    left = int(words[words.index("--left-chunks") + 1]) if "--left-chunks" in words else -1
    if "--kv-dtype" in words:
        cfg = dict(cfg, kv_dtype=words[words.index("--kv-dtype") + 1])
    w = {name: torch.from_numpy(tensor).double() for name, tensor in weights.items()}
    width = cfg["vocab_size"] if cfg["logits"] else cfg["d_model"]
    out = np.zeros((len(x), encoder.output_length(cfg, x.shape[1]), width), np.float32)
    for b, length in enumerate(lengths):
        y = encoder.forward(w, cfg, torch.from_numpy(x[b, :length]).double(), chunk, left, cfg["logits"])
        assert torch.isfinite(y).all()
        out[b, :len(y)] = y.numpy()
    return out


def write_case(folder, cfg):
    rng = np.random.RandomState(zlib.crc32(cfg["name"].encode()))
    weights = {name: random_tensor(rng, name, shape) for name, shape in encoder.tensors(cfg).items()}
    x = rng.standard_normal((cfg["batch"], cfg["frames"], cfg["input_dim"])).astype(np.float32)
    if cfg["on_grid"]:
        weights = {name: np.round(tensor * 64) / np.float32(64) for name, tensor in weights.items()}
        x = np.round(x * 64) / np.float32(64)
    lengths = cfg["lengths"] or [cfg["frames"]] * cfg["batch"]
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml_text(cfg))
    (folder / "weights.safetensors").write_bytes(safetensors_bytes(renamed(cfg, weights)))
    np.save(folder / "input.npy", x)
    if cfg["lengths"]:
        valid = [encoder.output_length(cfg, length) for length in lengths]
        (folder / "lengths").write_text(",".join(map(str, lengths)) + "\n")
        (folder / "output_lengths").write_text(",".join(map(str, valid)) + "\n")
    runs, written = [], []
    for run in cfg["runs"]:
        y = expected(cfg, weights, x, lengths, run)
        same = [name for name, other in written if np.array_equal(other, y)]
        name = same[0] if same else output_name(run)
        if not same:
            np.save(folder / name, y)
            written.append((name, y))
        runs.append(f"{name} {run}".strip())
    (folder / "runs").write_text("\n".join(runs) + "\n")
    return weights, x, dict(written)


def main():
    import check_oracle

    for group, cases in (("attention", attention_cases()), ("encoder", encoder_cases())):
        shutil.rmtree(HERE / group, ignore_errors=True)
        for name, keys in sorted(cases.items()):
            cfg = complete(name, keys)
            weights, x, outputs = write_case(HERE / group / name, cfg)
            check_oracle.check(cfg, weights, x, outputs)
        size = sum(f.stat().st_size for f in (HERE / group).rglob("*") if f.is_file())
        print(f"{group}: {len(cases)} cases, {size / 1e6:.2f} MB", file=sys.stderr)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
