#!/usr/bin/python3
"""Reads results files as other programs do, by rules written from what they ask of Google Benchmark's JSON:

Google's compare.py     sorts entries by four fields where they are there, pairs those of one name and one time unit, divides times
                        and takes a geometric mean
CI services             ask each entry for name, real_time, cpu_time, time_unit, iterations and threads

read_as_others.py A.json B.json [--drop FIELD]: exit status 1 and a line when something is missing. --drop takes a field out of entries
with an error first, to see that its absence is noticed.
"""

import json
import math
import sys


def load(path, dropped):
    with open(path, encoding="utf-8") as stream:
        entries = json.load(stream)["benchmarks"]
    for entry in entries:
        if dropped and entry.get("error_occurred"):
            entry.pop(dropped, None)
    for key in ("repetition_index", "per_family_instance_index", "family_index"):
        entries.sort(key=lambda entry: entry.get(key, -1))
    return entries


def change(old, new):
    if old == new == 0:
        return 0.0
    return (new - old) / abs(old) if old else (new - old) / ((old + new) / 2)


def paired(a, b):
    names = list(dict.fromkeys(entry["name"] for entry in a))
    there = {entry["name"] for entry in b}
    for name in names:
        units = [entry["time_unit"] for entry in a if entry["name"] == name and "real_time" in entry and "cpu_time" in entry]
        if name in there and units:
            yield [[entry for entry in side if entry["name"] == name and entry["time_unit"] == units[0]] for side in (a, b)]


def compare(a, b):
    lines = 0
    for left, right in paired(a, b):
        for x, y in zip(left, right):
            changes = [change(x[key], y[key]) for key in ("real_time", "cpu_time")]
            assert all(map(math.isfinite, changes)), f"{x['name']}: {changes}"
            lines += 1
    for side in (a, b):
        times = [entry["real_time"] for entry in side if entry.get("run_type") != "aggregate"]
        assert times and all(time >= 0 for time in times)
        if 0 not in times:
            math.exp(sum(map(math.log, times)) / len(times))
    return lines


def services(entries):
    for entry in entries:
        float(entry["real_time"]), float(entry["cpu_time"]), int(entry["iterations"]), int(entry["threads"])
        assert entry["time_unit"] in ("ns", "us", "ms", "s"), entry["name"]
        assert not entry.get("error_occurred") or entry["real_time"] == entry["cpu_time"] == entry["iterations"] == 0
        assert entry.get("error_occurred") or entry["real_time"] > 0 or entry["run_type"] == "aggregate"
        for key in ("run_name", "run_type", "repetitions", "family_index", "per_family_instance_index"):
            entry[key]


def main():
    dropped = sys.argv[4] if len(sys.argv) > 4 else None
    try:
        a, b = (load(path, dropped) for path in sys.argv[1:3])
        lines = compare(a, b)
        services(a + b)
    except (KeyError, AssertionError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    print(f"{lines} lines, {sum(bool(entry.get('error_occurred')) for entry in a)} errors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
