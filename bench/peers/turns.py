"""A peer's side of the conversation (bench/turns/turn_lines.h): sets a case up, hands its output over, and runs it.

    PEER.py CASE.safetensors OUTPUT     runs the case; OUTPUT takes float32 numbers of the first run
    PEER.py --version                   whether the peer is installed, and which version

Exit status 3: the peer is not installed, or does not do the case; the reason is on standard error.
"""

import os
import sys
import time

UNSUPPORTED = 3
TRIALS, TRIAL_SECONDS = 3, 0.2


class Unsupported(Exception):
    pass


def seconds_of(run):
    """The best of some runs, fewer where one takes long."""
    best, begin = float("inf"), time.perf_counter()
    for _ in range(TRIALS):
        before = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - before)
        if time.perf_counter() - begin > TRIAL_SECONDS:
            break
    return best


def fastest(forms):
    """The form (name, run, output) whose run takes least: a peer is measured at its best."""
    best, least = None, float("inf")
    for form in forms:
        form[1]()
        seconds = seconds_of(form[1])
        if seconds < least:
            best, least = form, seconds
    return best


def converse(title, run):
    print(f"ready 1 {title}", flush=True)
    for line in sys.stdin:
        if line == "quit\n":
            return
        count = int(line.split()[1])
        cpu, begin = time.process_time_ns(), time.perf_counter_ns()
        for _ in range(count):
            run()
        ns = time.perf_counter_ns() - begin
        print(f"done {ns} {time.process_time_ns() - cpu}", flush=True)


def limit_threads(count):
    """Before a library that reads these is loaded."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(count)


def serve(open_peer):
    """open_peer(case) returns the peer's title, and a function that lists the forms of the case: name, run, output of a run.
    The case is None where the title alone is wanted."""
    try:
        if sys.argv[1] == "--version":
            print(open_peer(None)[0])
            return
        from case import Case
        case = Case(sys.argv[1])
        title, forms = open_peer(case)
        name, run, output = fastest(forms())
        run()
        output().tofile(sys.argv[2])
        converse(f"{title}, {name}", run)
    except (Unsupported, ImportError) as error:
        print(error, file=sys.stderr)
        sys.exit(UNSUPPORTED)
    except Exception as error:
        print(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", file=sys.stderr)
        sys.exit(1)
