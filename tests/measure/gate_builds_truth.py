#!/usr/bin/env python3
"""How much slower the builds of gate_builds.sh are, without the gate: whole processes of `bench`, in a new order each
round, CPU time, the fastest of ten repetitions. Prints for each case of its plan the median of rounds and its standard
error, in per cent. Run gate_builds.sh first, which leaves the builds in OUT."""
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys

if len(sys.argv) != 3:
    sys.exit("usage: gate_builds_truth.py OUT ROUNDS")
out, rounds = os.path.realpath(sys.argv[1]), int(sys.argv[2])
os.environ.setdefault("ATTNBENCH_HOME", os.path.realpath(os.path.join(os.path.dirname(__file__), "../..")))
with open(os.path.join(out, "plan.yaml"), encoding="utf-8") as plan:
    cases = re.findall(r"^  - (\S+)$", plan.read(), re.M)
variants = [v for v in ("pass", "copy", "tile", "o1", "comment", "order", "path")
            if os.path.exists(f"{out}/{v}/attnbench")]
flags = ["--check-flops", "1e6", "--benchmark_min_time=0.003", "--benchmark_repetitions=10", "--benchmark_format=json"]
cpu = str(max(os.sched_getaffinity(0)))


def times(variant):
    command = ["taskset", "-c", cpu, f"{out}/{variant}/attnbench", "bench", *flags]
    for case in cases:
        command += ["--case", case]
    fastest = {}
    for run in json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["benchmarks"]:
        if run["run_type"] == "iteration":
            name = run["run_name"]
            fastest[name] = min(run["cpu_time"], fastest.get(name, math.inf))
    return list(fastest.values())


logs = {variant: [] for variant in variants}
for _ in range(rounds):
    order = ["base", *variants]
    random.shuffle(order)
    took = {variant: times(variant) for variant in order}
    for variant in variants:
        logs[variant].append([math.log(a / b) for a, b in zip(took[variant], took["base"])])
for variant in variants:
    columns = list(zip(*logs[variant]))
    # 1.25: of a median of normal values
    print(variant, *(f"{100 * math.expm1(statistics.median(c)):+.2f} ({125 * statistics.stdev(c) / rounds ** 0.5:.2f})"
                     for c in columns))
