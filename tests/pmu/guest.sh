# shellcheck shell=sh
# What the emulated machine runs, as root. All of it goes into /tmp/out; test_pmu.sh looks at it on the host.
export OPENBLAS_NUM_THREADS=1 ATTNBENCH_HOME=/
paranoid=/proc/sys/kernel/perf_event_paranoid
echo "root:x:0:0::/:/bin/sh
user:x:1000:1000::/tmp:/bin/sh" >/etc/passwd

capture() { # name command...: its output, messages and status
    name=$1
    shift
    "$@" >/tmp/out/"$name".out 2>/tmp/out/"$name".err </dev/null
    echo $? >/tmp/out/"$name".status
}

# As Debian's kernel starts: only root may count.
cat $paranoid >/tmp/out/paranoid
capture refused su user -c "attnbench counters list --format json"
capture root attnbench counters list --format json
capture new-cpu-refused su user -c "attnbench info --new-cpu"

echo -1 >$paranoid
capture list su user -c "attnbench counters list --format json"
capture sweep attnbench sweep --plan /plan.yaml --out /tmp/out/sweep.json
capture sweep-perf attnbench sweep --plan /plan.yaml --counters perf --out /tmp/out/sweep-perf.json
capture sweep-group attnbench sweep --plan /plan.yaml --group basic --out /tmp/out/sweep-group.json
capture new-cpu su user -c "attnbench info --new-cpu"
capture sweep-encoder attnbench sweep --plan /encoder.yaml --group basic --out /tmp/out/sweep-encoder.json
capture sweep-native attnbench sweep --plan /plan.yaml --group /native.yaml --out /tmp/out/sweep-native.json
# Others hold all counters but two, as the NMI watchdog holds one. The CPU has six, and one more for cycles alone.
/hold 0 5 >/tmp/out/held &
until [ -s /tmp/out/held ]; do usleep 10000; done
capture sweep-held attnbench sweep --plan /plan.yaml --counters perf --out /tmp/out/sweep-held.json
capture list-held attnbench counters list --format json
kill $!
if attnbench counters --help | grep -q validate; then
    capture validate attnbench counters validate --format json
fi
