#!/usr/bin/env python3
"""What the conversion promises, measured on whole checkpoints and checked with numpy's SVD, which the product does not
use: convert.py ATTNBENCH [--small]. Needs Debian's python3-numpy and python3-torch; minutes, and GiB of memory.

Exit status 1 when a line says FAILED."""
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "golden"))
import encoder  # noqa: E402
import make_golden  # noqa: E402

SIZES = {"conformer": dict(conv_norm="layer_norm"), "branchformer": dict(merge_method="concat", cgmlp_linear_units=256)}
failed = False


def say(good, text):
    global failed
    failed = failed or not good
    print(f"[{'       OK' if good else '  FAILED '} ] {text}", flush=True)


def attnbench(*words):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"attnbench {' '.join(map(str, words))}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def with_spectrum(rng, shape, values):
    """A matrix with these singular values and random singular vectors."""
    u = np.linalg.qr(rng.standard_normal((shape[0], len(values))))[0]
    v = np.linalg.qr(rng.standard_normal((shape[1], len(values))))[0]
    return (u * values) @ v.T


def write_model(folder, rng, condition=None, **keys):
    cfg = make_golden.complete("model", keys)
    weights = {name: make_golden.random_tensor(rng, name, shape) for name, shape in encoder.tensors(cfg).items()}
    if condition:
        d = cfg["d_model"]
        for name in [n for n in weights if n.endswith("k_proj.weight")]:
            both = with_spectrum(rng, (2 * d, d), np.logspace(0, -np.log10(condition), d))
            weights[name] = both[:d].astype(np.float32)
            weights[name.replace("k_proj", "v_proj")] = both[d:].astype(np.float32)
    folder.mkdir()
    (folder / "config.yaml").write_text(make_golden.yaml_text(cfg))
    (folder / "weights.safetensors").write_bytes(make_golden.safetensors_bytes(weights))
    return weights


def convert(source, target, *words):
    target.mkdir(exist_ok=True)
    attnbench("convert", "--config", source / "config.yaml", "--weights", source / "weights.safetensors", "--out-config",
              target / "config.yaml", "--out-weights", target / "weights.safetensors", *words)


def analyze(source, target, *words):
    out = attnbench("analyze", "--mha", source / "config.yaml", "--mha-weights", source / "weights.safetensors", "--mla",
                    target / "config.yaml", "--mla-weights", target / "weights.safetensors", "--runs", 0, "--format", "json",
                    *words)
    return json.loads(out)


def read_tensor(path, name):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8:8 + size])[name]
    begin, end = entry["data_offsets"]
    return np.frombuffer(data[8 + size + begin:8 + size + end], np.float32).reshape(entry["shape"])


def exact_at_full_rank(work):
    for kind, keys in SIZES.items():
        for condition in (None, 1e6):
            source = work / f"{kind}-{condition}"
            write_model(source, np.random.RandomState(1), condition, model_type=kind, attention_type="mha", d_model=128,
                        num_heads=4, num_layers=3, input_layer="conv2d", input_dim=80, **keys)
            x = work / "x.npy"
            np.save(x, np.random.RandomState(2).standard_normal((1, 400, 80)).astype(np.float32))
            errors = {}
            for method in ("joint", "activation", "average"):
                words = ["--calibration", x] if method == "activation" else []
                convert(source, work / "new", "--to", "mla", "--latent-dim", 128, "--method", method, *words)
                errors[method] = analyze(source, work / "new", "--input", x)[-1]["relative_error"]
            good = errors["joint"] <= 1e-5 and errors["activation"] <= 1e-5 and errors["average"] > 1e-3
            say(good, f"{kind}, weights {'of condition %g' % condition if condition else 'random'}, latent_dim = d_model = 128: "
                "relative error of the output " + ", ".join(f"{m} {e:.2e}" for m, e in errors.items()))


def bounds_at_low_rank(work):
    d, rng = 256, np.random.RandomState(3)
    source = work / "layer"
    weights = write_model(source, rng, model_type="attention", attention_type="mha", d_model=d, num_heads=8, num_layers=1,
                          input_layer="none", names="short")
    name = next(n for n in weights if n.endswith("k_proj.weight"))
    bias = name.replace("weight", "bias")
    stack = np.vstack([weights[name], weights[name.replace("k_proj", "v_proj")]]).astype(np.float64)
    offset = np.hstack([weights[bias], weights[bias.replace("k_proj", "v_proj")]]).astype(np.float64)
    mix = with_spectrum(rng, (d, d), np.logspace(0, -3, d)) * np.sqrt(d)
    seen, unseen = ((rng.standard_normal((1, n, d)) @ mix).astype(np.float32) for n in (4096, 2048))
    np.save(work / "seen.npy", seen)
    np.save(work / "unseen.npy", unseen)

    def reached(rank, method):
        words = ["--calibration", work / "seen.npy"] if method == "activation" else []
        convert(source, work / "new", "--to", "mla_simple", "--latent-dim", rank, "--method", method, *words)
        file = work / "new" / "weights.safetensors"
        prefix = name.split("k_proj")[0]
        tensor = lambda n: read_tensor(file, prefix + n).astype(np.float64)
        expand = np.vstack([tensor("k_expand.weight"), tensor("v_expand.weight")])
        return (expand @ tensor("kv_compress.weight"),
                expand @ tensor("kv_compress.bias") + np.hstack([tensor("k_expand.bias"), tensor("v_expand.bias")]))

    def produced(product, x):
        x = x[0].astype(np.float64)
        truth = x @ stack.T + offset
        return np.linalg.norm(x @ product[0].T + product[1] - truth) / np.linalg.norm(truth)

    for rank in (16, 64, 128, 192):
        joint, activation = reached(rank, "joint"), reached(rank, "activation")
        bound = np.sqrt((np.linalg.svd(stack, compute_uv=False)[rank:] ** 2).sum())
        error = np.linalg.norm(joint[0] - stack)
        say(abs(error / bound - 1) <= 1e-4,
            f"rank {rank}: joint's error in the stacked weights {error:.6f}, Eckart-Young {bound:.6f}, ratio - 1 = {error / bound - 1:.1e}")
        x = seen[0].astype(np.float64)
        centred = (x - x.mean(0)) @ stack.T
        least = np.sqrt((np.linalg.svd(centred, compute_uv=False)[rank:] ** 2).sum()) / np.linalg.norm(x @ stack.T + offset)
        on_seen = produced(activation, seen)
        say(abs(on_seen / least - 1) <= 1e-4,
            f"rank {rank}: activation on its calibration set {on_seen:.6e}, least possible {least:.6e}, ratio - 1 = {on_seen / least - 1:.1e}")
        mine, other = produced(activation, unseen), produced(joint, unseen)
        say(mine <= other, f"rank {rank}: held-out inputs, activation {mine:.4e}, joint {other:.4e}")


def streams_with_its_cache(work):
    source = work / "conformer12"
    write_model(source, np.random.RandomState(4), model_type="conformer", attention_type="mha", d_model=512, num_heads=8,
                num_layers=12, input_layer="conv2d", input_dim=80, causal=True, conv_norm="layer_norm", conv_kernel_size=15)
    x = work / "speech.npy"
    np.save(x, np.random.RandomState(5).standard_normal((1, 1003, 80)).astype(np.float32))
    for kind, size in (("mla", ["--latent-dim", 256]), ("mla_simple", ["--latent-dim", 256]), ("gqa", ["--num-kv-heads", 2])):
        new = work / ("new-" + kind)
        convert(source, new, "--to", kind, *size)
        model = ["--config", new / "config.yaml", "--weights", new / "weights.safetensors"]
        outputs = []
        for words in ([], ["--chunk", 16]):
            attnbench("forward", *model, "--input", x, "--output", work / "y.npy", *words)
            outputs.append(np.load(work / "y.npy"))
        row = json.loads(attnbench("profile-kv", *model, "--seq-len", 1003, "--chunk", 16, "--format", "json"))
        live, formula = row["kv_bytes_live"], row["kv_bytes_formula"]
        say(live == formula > 0 and np.isfinite(outputs).all() and outputs[0].shape == outputs[1].shape,
            f"12-layer Conformer as {kind}: forward and --chunk 16 both give {outputs[0].shape}, cache live {live} = formula {formula} B")


def large_conversion(work):
    source = work / "conformer24"
    write_model(source, np.random.RandomState(6), model_type="conformer", attention_type="mha", d_model=1024, num_heads=16,
                num_layers=24, input_layer="conv2d", input_dim=80, conv_norm="layer_norm")
    np.save(work / "speech.npy", np.random.RandomState(7).standard_normal((4, 1003, 80)).astype(np.float32))
    for method in ("joint", "activation"):
        words = ["--calibration", work / "speech.npy"] if method == "activation" else []
        start = time.monotonic()
        convert(source, work / "new24", "--to", "mla", "--latent-dim", 512, "--method", method, *words)
        seconds = time.monotonic() - start
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2 ** 20
        say(seconds < 180 and memory <= 6, f"24 x 1024 Conformer by {method}: {seconds:.0f} s, at most {memory:.2f} GiB")


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
    parts = [exact_at_full_rank, bounds_at_low_rank, streams_with_its_cache] + ([] if "--small" in sys.argv else [large_conversion])
    for part in parts:
        with tempfile.TemporaryDirectory() as folder:
            part(pathlib.Path(folder))
    sys.exit(failed)
