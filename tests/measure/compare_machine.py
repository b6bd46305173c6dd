#!/usr/bin/env python3
"""compare_machine.py ATTNBENCH [ROUNDS]: `attnbench machine` next to machine_reference.c, which shares no code with it.

Both run alternating on the same CPU; the best of all rounds stands for each. Peaks must agree within 5%, bandwidths within 15%;
exit status 1 when they do not (on a machine that does other work bandwidths may not), 3 where the reference cannot be built (it is for x86-64).
"""
import json, os, platform, subprocess, sys, tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETS = (16 << 10, 256 << 10, 4 << 20, 256 << 20)
FILTER = 'flops/isa:avx[0-9]*$|products/unit:[a-z0-9_]*$|read/bytes:(%s)/isa:[a-z0-9]*$' % '|'.join(map(str, SETS))


def ours(program, cpu):
    printed = subprocess.run([program, 'machine', '--cpu', str(cpu), '--filter', FILTER, '--format', 'json'], check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    found = json.loads(printed)
    rates = {'peak_' + row['isa']: row['gflops'] for row in found['arithmetic']}
    rates.update({'read_%d' % row['bytes']: row['read'] for row in found['working_sets']})
    return rates


def reference(program, cpu):
    printed = subprocess.run(['taskset', '-c', str(cpu), program, '20'], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {name: float(rate) for name, rate in (line.split() for line in printed.splitlines())}


def keep_best(best, rates):
    for name, rate in rates.items():
        best[name] = max(best.get(name, 0), rate)


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    if platform.machine() != 'x86_64':
        sys.exit(3)
    cpu, left, right = max(os.sched_getaffinity(0)), {}, {}
    with tempfile.TemporaryDirectory() as folder:
        other = folder + '/reference'
        subprocess.run([os.environ.get('CC', 'cc').split()[-1], '-O2', '-std=c17', '-D_GNU_SOURCE', '-o', other,
                        TOP + '/tests/measure/machine_reference.c'], check=True)
        for _ in range(rounds):
            keep_best(left, ours(program, cpu))
            keep_best(right, reference(other, cpu))
    wrong = 0
    print('load %.1f, the best of %d rounds of each' % (os.getloadavg()[0], rounds))
    for name in sorted(right):
        ratio, limit = left[name] / right[name], 0.05 if name.startswith('peak') else 0.15
        good = abs(ratio - 1) <= limit
        wrong += not good
        print('%-15s attnbench %8.2f  reference %8.2f  ratio %.3f%s' % (name, left[name], right[name], ratio, '' if good else '  WRONG'))
    return wrong > 0


if __name__ == '__main__':
    sys.exit(main())
