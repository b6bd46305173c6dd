#!/usr/bin/env python3
"""Writes results_sample.json: a results file with every kind of entry and INVENTED numbers, for tests of reading
and reporting. Nothing in it was measured: times come from the toy cost model below and a seeded generator."""
import json
import random

random.seed(7)
D, H, B, RUNS = 512, 8, 1, 3
PEAK, BANDWIDTH = 100.0, 20.0  # invented GFLOP/s and GB/s
entries = []


def shape(kind, mode, L, q, h=H, **more):
    case = {"kind": "attention", "type": kind, "mode": mode, "L": L, "q": q, "B": B, "h": h, "d": D}
    if kind == "gqa":
        case["hkv"] = more.pop("hkv", max(1, h // 4))
    if kind.startswith("mla"):
        case["dc"] = more.pop("dc", D // 2)
    case["kv"] = more.pop("kv", "f32")
    case["pos"] = "none"
    if kind.startswith("mla"):
        case["path"] = more.pop("path", "auto")
        case["path_run"] = case["path"] if case["path"] != "auto" else ("absorb" if q <= 16 else "expand")
    case["impl"] = more.pop("impl", "blas")
    return case


def row_bytes(kv, width):
    return {"f32": 4 * width, "f16": 2 * width, "bf16": 2 * width, "q8_0": (width + 31) // 32 * 34}[kv]


def costs(c):
    L, q, h, d = c["L"], c["q"], c["h"], c["d"]
    dk, kind = d // h, c["type"]
    flops = 4.0 * q * d * d
    if kind == "linear":
        return flops + 4.0 * q * d * d + 4.0 * q * d * dk, 16.0 * d * d + 8.0 * q * d + 4 * h * (dk * dk + dk), \
            4 * h * (dk * dk + dk)
    if kind in ("mha", "gqa"):
        width = d if kind == "mha" else c["hkv"] * dk
        kv = 2 * L * width // dk * row_bytes(c["kv"], dk)
        return flops + 4.0 * q * d * width + 4.0 * q * L * d, 8.0 * d * d + 8.0 * d * width + 8.0 * q * d + kv, kv
    dc, kv = c["dc"], L * row_bytes(c["kv"], c["dc"])
    flops += 2.0 * q * d * dc
    if c["path_run"] == "expand":
        flops += 4.0 * L * d * dc + 4.0 * q * L * d
    else:
        flops += 4.0 * q * h * dc * dk + 4.0 * q * L * h * dc
    return flops, 8.0 * d * d + 12.0 * d * dc + 8.0 * q * d + kv, kv


def name_of(c):
    keys = [k for k in ("L", "q", "B", "h", "d", "hkv", "dc", "kv", "pos", "path", "impl") if k in c]
    return f"attention/{c['type']}/{c['mode']}/" + "/".join(f"{k}:{c[k]}" for k in keys)


def add_runs(name, case, time, fields, runs=RUNS, error=None):
    if error:
        entries.append({"name": name, "run_name": name, "run_type": "iteration", "repetitions": 1,
                        "repetition_index": 0, "case": case, "error_occurred": True, "error_message": error})
        return
    samples = [time * (1 + 0.02 * abs(random.gauss(0, 1))) for _ in range(runs)]
    for i, sample in enumerate(samples):
        counters = {"INS": {"unavailable": "no hardware counters: invented reason"},
                    "page_faults": {"source": "kernel", "value": 0.0, "validation": "trusted"},
                    "rumours": {"source": "perf", "value": 31415.0, "validation": "rejected"},
                    "doubled": {"source": "perf", "value": 2002.0, "validation": "scaled", "factor": 2.0}}
        more = {"counters": counters, "derived": {"rumours_per_doubled": {"unavailable": "rumours is not trusted"}}}
        if "kv_bytes_live" in fields:
            counters["cache_bytes_read"] = {"source": "sde", "value": float(fields["kv_bytes_live"]),
                                            "validation": "trusted"}
            counters["cold_bytes"] = {"source": "callgrind", "value": 1.25 * fields["bytes"], "validation": "trusted"}
            more["derived"]["cold_rate"] = {"value": 0.125, "source": "callgrind", "validation": "trusted"}
            more["measured"] = {
                "flops": {"value": 1.01 * fields["flops"], "source": "perf", "validation": "trusted", "ratio": 1.01,
                          "error": 0.02, "differs": False},
                "bytes": {"value": 1.25 * fields["bytes"], "source": "callgrind", "validation": "trusted",
                          "ratio": 1.25, "error": 0.02, "differs": True}}
        entries.append({"name": name, "run_name": name, "run_type": "iteration", "repetitions": runs,
                        "repetition_index": i, "threads": 1, "iterations": max(1, int(2e7 / sample)),
                        "real_time": round(sample, 3), "cpu_time": round(sample * 0.999, 3), "time_unit": "ns",
                        "case": case, **fields, **more, "disturbed": random.random() < 0.02})
    mean = sum(samples) / len(samples)
    entries.append({"name": name + "_mean", "run_name": name, "run_type": "aggregate", "aggregate_name": "mean",
                    "aggregate_unit": "time", "repetitions": runs, "iterations": runs, "real_time": round(mean, 3),
                    "cpu_time": round(mean, 3), "time_unit": "ns"})


def attention(*args, runs=RUNS, error=None, **more):
    case = shape(*args, **more)
    name = name_of(case)
    if any(e["run_name"] == name for e in entries):
        return
    flops, size, kv = costs(case)
    time = 900 + flops / (PEAK * 0.6) + size / BANDWIDTH
    if case["impl"] == "scalar":
        time *= 12
    add_runs(name, case, time, {"flops": flops, "bytes": size, "kv_bytes_formula": kv, "kv_bytes_live": kv,
                                "check": {"max_error": 1.5e-7, "limit": 1e-4, "rows": min(case["q"], 64)}},
             runs, error)


def encoder(model, kind, mode, T=None, left=None, layers=12, d=256, h=4):
    frames = ((T - 1) // 2 - 1) // 2 if T else 16
    keys = frames if T else 16 * (left + 1)
    case = {"kind": "encoder", "model": model, "type": kind, "mode": mode,
            **({"T": T} if T else {"left": left}), "L": keys, "q": frames, "layers": layers, "h": h, "d": d}
    if kind == "gqa":
        case["hkv"] = 1
    if kind.startswith("mla"):
        case["dc"] = d // 2
    case.update({"k": 31, "input": "conv2d"}, **({"merge": "concat"} if model == "branchformer" else {}),
                pos="abs_pos" if kind == "linear" else "rel_pos")
    if kind.startswith("mla"):
        case.update(path="auto", path_run="expand")
    case["impl"] = "blas"
    keys_of_name = [k for k in ("T", "q", "left", "layers", "h", "d", "hkv", "dc", "input", "merge", "pos", "path", "impl")
                    if k in case and not (k == "q" and T)]
    name = f"encoder/{model}/{kind}/{mode}/" + "/".join(f"{k}:{case[k]}" for k in keys_of_name)
    width = {"mha": 2 * d, "gqa": 2 * d // h, "mla": d // 2, "mla_simple": d // 2}.get(kind)
    kv = 4 * layers * (keys * width if width else d * d // h + d)
    parts = {"subsampling": 24.0 * frames * d * d * 5, "attention": layers * (8.0 * frames * d * d + 4.0 * frames * keys * d),
             "feed_forward": layers * (16.0 if model == "conformer" else 6.0) * frames * 2 * d * d,
             "convolution": layers * 6.0 * frames * d * d, "other": 4.0 * frames * d}
    flops = sum(parts.values())
    inner = {"projections": 0.5, "latent_maps": 0.2 if kind.startswith("mla") else 0, "positions": 0.1, "cache_write": 0.05,
             "core": 0, "scores": 0.06, "softmax": 0.03, "values": 0.04, "rest": 0.02}
    nested = {f"attention/{part}": share * parts["attention"] for part, share in inner.items()}
    conv = 0 if T else 4 * (layers * 30 * d * (1 if model == "conformer" else 2) + 3 * 80)
    add_runs(name, case, flops / (PEAK * 0.7),
             {"flops": flops, "bytes": 4.0 * layers * 24 * d * d + kv, "kv_bytes_formula": kv, "kv_bytes_live": kv,
              "conv_bytes_formula": conv, "conv_bytes_live": conv, "audio_seconds": (T or 64) / 100,
              "parameters": layers * 24.0 * d * d, "parts": {k: v / (PEAK * 0.7) / 1e9 for k, v in {**parts, **nested}.items()},
              "check": {"max_error": 2.5e-6, "limit": 1e-4, "rows": 20}})


def machine():
    for isa, rate in (("base", 12.0), ("avx2", 55.0), ("avx512", PEAK)):
        add_runs(f"machine/flops/isa:{isa}", {"kind": "machine", "what": "flops", "isa": isa}, 1e6 / rate,
                 {"flops": 1e6})
    for size, rate in ((16 << 10, 180.0), (512 << 10, 75.0), (8 << 20, 40.0), (256 << 20, BANDWIDTH)):
        add_runs(f"machine/read/bytes:{size}/isa:avx512",
                 {"kind": "machine", "what": "read", "bytes": size, "isa": "avx512"}, size / rate, {"bytes": size})
    add_runs("machine/sgemm/n:1024", {"kind": "machine", "what": "sgemm", "n": 1024}, 2 * 1024.0**3 / (PEAK * 0.85),
             {"flops": 2 * 1024.0**3})


TYPES = ("mha", "mla", "mla_simple", "gqa", "linear")
machine()
for kind in TYPES:
    for L in (250, 500, 1000, 2000, 4000):
        attention(kind, "decode", L, 1, runs=7)
        attention(kind, "prefill", L, L)
    attention(kind, "chunk", 1000, 16)
    for h in (4, 16):
        attention(kind, "decode", 1000, 1, h)
    attention(kind, "decode", 1000, 1, impl="scalar")
for dc in (64, 128, 512):
    attention("mla", "decode", 1000, 1, dc=dc)
    attention("mla_simple", "decode", 1000, 1, dc=dc)
for hkv in (1, 4, 8):
    attention("gqa", "decode", 1000, 1, hkv=hkv)
for path in ("expand", "absorb"):
    for mode, q in (("decode", 1), ("chunk", 16), ("prefill", 1000)):
        attention("mla", mode, 1000, q, path=path)
for model in ("conformer", "branchformer"):
    for kind in TYPES:
        for T in (500, 1000, 2000):
            encoder(model, kind, "prefill", T=T)
        for left in (0, 4, 16):
            encoder(model, kind, "chunk", left=left)
for kind in ("mha", "mla"):
    for kv in ("f16", "q8_0"):
        attention(kind, "decode", 4000, 1, kv=kv)


def all_cores():
    for size, nanoseconds in ((16 << 10, 1.0), (32 << 10, 1.0), (512 << 10, 4.0), (1 << 20, 4.1), (8 << 20, 20.0),
                              (16 << 20, 20.5), (256 << 20, 90.0), (512 << 20, 92.0)):
        add_runs(f"machine/latency/bytes:{size}/pages:huge",
                 {"kind": "machine", "what": "latency", "bytes": size, "pages": "huge"}, 1000 * nanoseconds,
                 {"steps": 1000})
    add_runs("machine/flops/t:2/isa:avx512", {"kind": "machine", "what": "flops", "isa": "avx512", "t": 2}, 1e6 / PEAK,
             {"flops": 2e6})
    for size, rate in ((16 << 10, 360.0), (128 << 20, 1.5 * BANDWIDTH)):
        add_runs(f"machine/read/t:2/bytes:{size}/isa:avx512",
                 {"kind": "machine", "what": "read", "bytes": size, "isa": "avx512", "t": 2}, 2 * size / rate,
                 {"bytes": 2 * size})
    case = {**shape("mha", "decode", 1000, 1), "t": 2}
    flops, moved, kv = costs(case)
    add_runs(name_of(case) + "/t:2", case, 1e9 * 0.6 * max(flops / PEAK / 1e9, moved / BANDWIDTH / 1e9),
             {"flops": flops, "bytes": moved, "kv_bytes_formula": kv, "kv_bytes_live": kv,
              "check": {"max_error": 2.5e-6, "limit": 1e-4, "rows": 1}})


all_cores()
attention("mla_simple", "decode", 1000, 1, path="expand",
          error="output differs from the scalar reference: 0.25 at row 0, limit 1e-4 (invented)")

context = {
    "date": "2026-01-31T12:00:00+00:00", "host_name": "invented", "num_cpus": 2, "mhz_per_cpu": 2600, "caches": [],
    "note": "EVERY NUMBER IN THIS FILE IS INVENTED: tests/data/make_results_sample.py",
    "attnbench": {
        "schema": 1, "commit": "0123456789ab", "plan": "sample", "plan_sha": "00" * 20, "seed": 1,
        "cases": len({e["run_name"] for e in entries}), "failed": 1, "interrupted": 0,
        "machine": {"cpu": "Invented CPU (numbers made up)", "family": 25, "model": 17, "isa": "avx512",
                    "l1d_bytes": 32768, "l2_bytes": 1048576, "l3_bytes": 33554432, "memory_bytes": 8589934592,
                    "kernel": "6.1.0-invented", "hypervisor": "kvm", "governor": None},
        "build": {"compiler": "gcc 12.2.0", "flags": "-O3", "commit": "0123456789ab"},
        "validation": [
            {"name": "rumours", "source": "perf", "status": "rejected", "expected": 5.0, "measured": 31415.0,
             "kernel": "hearsay", "reason": "hearsay: read 31415 where 5 were expected (invented)"},
            {"name": "doubled", "source": "perf", "status": "scaled", "expected": 1.0, "measured": 2.0, "factor": 2.0,
             "kernel": "twins", "reason": "reads 2 times the truth in every kernel (invented)"}],
        "blas": {"library": "OpenBLAS 0.3.21", "core": "Haswell", "threads": 1, "restarted": False},
        "fingerprint": "invented"}}
with open("results_sample.json", "w", encoding="utf-8") as f:
    f.write('{"context": ' + json.dumps(context, indent=1) + ',\n"benchmarks": [\n')
    f.write(",\n".join(json.dumps(e, separators=(",", ":")) for e in entries))
    f.write("\n]}\n")
