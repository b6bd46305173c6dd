#!/usr/bin/env python3
"""peers_table.py RESULTS.json: what `sweep --plan peers --peers` measured, next to the targets of our kernels.

One row per case: our time over that of the fastest peer, the percent that it reaches of two bounds of the same run (FLOPs of the formula at
the rate of machine/flops, bytes at that of machine/read), and whether the target is met. The best repetition stands for each, of CPU
time; with several threads of the wall clock, on both sides. Bytes that lie in caches are read faster than memory: then the percent of
the second bound may pass 100. Where a formula counts products that are saved (the subsampling of an encoder), so may the first.
"""
import json, re, sys

# What of a case's name, and the most that our time may be of the fastest peer's.
TARGETS = [
    (r'gqa/decode/L:(1000|4000)/.*part:core$', .5), (r'gqa/decode/L:16000/.*part:core$', .8),
    (r'mla/decode/.*part:core$', .4), (r'mha/decode/.*part:core$', 1.0),
    (r'mha/chunk/.*part:core$', .7), (r'gqa/chunk/.*part:core$', .6),
    (r'mha/prefill/L:1000/.*part:core$', .75), (r'mha/prefill/L:4000/.*part:core$', .6),
    (r'^attention/\w+/chunk/(?!.*(part:core|/t:))', .75), (r'^attention/\w+/prefill/(?!.*(part:core|/t:))', .9),
    (r'^attention/\w+/decode/(?!.*(part:core|/t:))', 1.0),
    (r'^encoder/\w+/mha/chunk/(?!.*/t:)', .7), (r'^encoder/\w+/mha/prefill/(?!.*/t:)', .6),
]
# Our case, another one of ours, and the most that the first may be of the second.
PAIRS = [
    (r'mla/decode/L:(4000|16000)/.*dc:256.*kv:f32.*part:core$', r'attention/mha/decode/L:%s/q:1/h:8/d:512/kv:f32/part:core', .5),
    (r'mha/decode/L:(16000)/.*kv:f16.*part:core$', r'attention/mha/decode/L:%s/q:1/h:8/d:512/kv:f32/part:core', .6),
    (r'mha/decode/L:(16000)/.*kv:q8_0.*part:core$', r'attention/mha/decode/L:%s/q:1/h:8/d:512/kv:f32/part:core', .4),
]
PEERS = ('onnxruntime', 'torch')


def refuse(why):
    print(why, file=sys.stderr)
    sys.exit(2)


def cases(results):
    """By name without the implementation: implementation -> the entry with the least time, and that time."""
    found = {}
    for entry in results['benchmarks']:
        if entry.get('run_type') != 'iteration' or entry.get('error_occurred') or not entry.get('cpu_time'):
            continue
        name = entry['run_name']
        impl = re.search(r'/impl:([a-z_0-9]+)', name)
        clock = 'real_time' if re.search(r'/t:[0-9]+', name) else 'cpu_time'
        of_case = found.setdefault(re.sub(r'/impl:[a-z_0-9]+', '', name), {})
        key = impl.group(1) if impl else 'machine'
        if key not in of_case or entry[clock] < of_case[key][1]:
            of_case[key] = (entry, entry[clock])
    return found


def fastest(found, prefix, field):
    """The best rate of a machine's limit, a nanosecond."""
    rates = [entry.get(field, 0) / time for name, of_case in found.items() if name.startswith(prefix)
             for entry, time in of_case.values()]
    return max(rates, default=None)


def ours_of(of_case):
    return min((v for impl, v in of_case.items() if impl not in PEERS), key=lambda v: v[1], default=None)


def percent(amount, rate, time):
    return '%.0f' % (100 * amount / rate / time) if rate and amount else ''


def judged(ratio, most):
    return ('%g' % most, 'met' if ratio <= most else 'missed') if most else ('', '')


def target_of(name):
    return next((most for pattern, most in TARGETS if re.search(pattern, name)), None)


def peer_row(name, of_case, peak, read):
    ours = ours_of(of_case)
    peer = min(((impl, of_case[impl][1]) for impl in PEERS if impl in of_case), key=lambda v: v[1], default=None)
    if not ours or not peer:
        return None
    entry, time = ours
    threads = int((re.search(r'/t:([0-9]+)', name) or [0, 1])[1])
    ratio = time / peer[1]
    return [name, '%.1f' % (time / 1e3), '%s %.1f' % (peer[0], peer[1] / 1e3), '%.2f' % ratio,
            percent(entry.get('flops', 0), peak and peak * threads, time), percent(entry.get('bytes', 0), read, time),
            *judged(ratio, target_of(name))]


def pair_rows(found):
    for pattern, other, most in PAIRS:
        for name, of_case in found.items():
            match = re.search(pattern, name)
            theirs = match and found.get(other % match.group(1))
            if theirs and ours_of(of_case) and ours_of(theirs):
                ratio = ours_of(of_case)[1] / ours_of(theirs)[1]
                yield [name, other % match.group(1), '%.2f' % ratio, *judged(ratio, most)]


def print_table(header, rows):
    print('| ' + ' | '.join(header) + ' |\n|' + '---|' * len(header))
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')
    print()


def main():
    if len(sys.argv) != 2:
        refuse('usage: peers_table.py RESULTS.json')
    try:
        with open(sys.argv[1]) as file:
            found = cases(json.load(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        refuse(f'{sys.argv[1]}: no results of a sweep: {error!r}')
    peak, read = fastest(found, 'machine/flops', 'flops'), fastest(found, 'machine/read', 'bytes')
    print('Bounds of this run, one core: %s GFLOP/s, %s GB/s read from memory.\n' %
          tuple('%.1f' % rate if rate else 'unknown' for rate in (peak, read)))
    rows = [row for name, of_case in found.items() if (row := peer_row(name, of_case, peak, read))]
    print_table(['case', 'ours, us', 'fastest peer, us', 'ratio', '% of FMA', '% of read', 'target', ''], rows)
    pairs = list(pair_rows(found))
    if pairs:
        print_table(['ours', 'against ours', 'ratio', 'target', ''], pairs)
    verdicts = [row[-1] for row in rows + pairs]
    print('%d targets met, %d missed.' % (verdicts.count('met'), verdicts.count('missed')))


if __name__ == '__main__':
    main()
