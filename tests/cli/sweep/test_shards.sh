#!/usr/bin/env bash
# sweep --shard and merge: shards make the file of a single run; what is refused, what is missing, several kinds of machine.
. "$(dirname "$0")/../../support/check.sh"

cat >"$scratch/tiny.yaml" <<'END'
repetitions: 2
min_time: 0.001
sweeps:
  - {attention_type: [mha, linear], mode: decode, seq_len: [4, 8], d_model: 8, num_heads: 2, impl: scalar}
machine: [machine/instruction_sets]
END
cat >"$scratch/child" <<'END'
#!/bin/bash
while [ -e "$HOLD" ] && [ ! -e "$HOLD.go" ]; do touch "$HOLD.held"; sleep 0.02; done
exec "$ATTNBENCH" "$@"
END
chmod +x "$scratch/child"
export HOLD=$scratch/hold ATTNBENCH_CHILD=$scratch/child
cd "$scratch" || exit

ended() { # status expected, command...
    local expected=$1
    shift
    "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}
sweep() { "$ATTNBENCH" sweep --plan tiny.yaml --counters off "$@"; }
merge() { "$ATTNBENCH" merge "$@"; }
says() { grep -qF -- "$1" "$scratch/err"; }
facts() { grep -E '^ *("name": "[a-z]+/|"(kv_bytes_live|peak_bytes|plan_sha)":)' "$1" | tr -d ' ,'; }

check "a single run" ended 0 sweep --out whole.json
for k in 1 2 3; do check "shard $k of 3" ended 0 sweep --shard $k/3 --out s$k.json; done
check "complete already" ended 0 sweep --shard 2/3 --out s2.json
check "which is said" grep -q "complete already" out
check "merged, in any order" ended 0 merge s3.json s1.json s2.json --out m.json
check "names, order, bytes and plan are the single run's" diff <(facts whole.json) <(facts m.json)
check "every case has its machine" [ "$(grep -c '^ *"machine": 0,*$' m.json)" -eq "$(grep -c '"run_type"' m.json)" ]
"$ATTNBENCH" compare whole.json m.json >out 2>err # whatever the times are, 1 too
check "a merged file of one kind of machine is comparable" grep -q 'attention/mha/decode/L:4' out

check "a missing shard" ended 1 merge s1.json s3.json --out p.json
check "is named" says "shard 2/3 is missing"
check "and nothing is written" [ ! -e p.json ]
check "unless --partial" ended 0 merge s1.json s3.json --partial --out p.json
check "then the file says what is missing" eval 'sed -n "/\"missing\"/,/\]/p" p.json | grep -q "[a-z]*/"'
check "the same shard twice" ended 2 merge s1.json s2.json s2.json --out x.json
check "names both" says "s2.json: is shard 2, and so is s2.json"
check "a merged file is no shard" ended 2 merge m.json --out x.json

sed 's/"commit": "[^"]*"/"commit": "0123456789ab"/' s2.json >other.json
check "another commit" ended 2 merge s1.json other.json s3.json --out x.json
check "names it" says "other.json: its commit is another than that of s1.json"
check "other settings" ended 0 sweep --shard 2/3 --repetitions 1 --out g.json
check "are refused" ended 2 merge s1.json g.json s3.json --out x.json
check "by name" says "cases, settings or split"
sed 's/"name": "\([^"]*\)L:4/"name": "\1L:5/; s/"run_name": "\([^"]*\)L:4/"run_name": "\1L:5/' s2.json >moved.json
check "a case that its shard lacks" ended 2 merge s1.json moved.json s3.json --out x.json

# Another CPU, made for this test.
sed 's/"cpu": "[^"]*"/"cpu": "made for a test"/; s/"fingerprint": "[^"]*"/"fingerprint": "fnv1a:0"/' s2.json >cpu.json
check "shards of two kinds of machine" ended 0 merge s1.json cpu.json s3.json --out mixed.json
check "both are named" grep -q "2 machines of 2 kinds: .*made for a test" out
check "one has no fingerprint of its own" grep -q '"fingerprint": "mixed"' mixed.json
check "compare refuses it" ended 3 "$ATTNBENCH" compare whole.json mixed.json
check "says why" says "the candidate is of 2 kinds of machine"
check "report shows both, here without pictures" ended 3 env PATH=/nowhere "$ATTNBENCH" report mixed.json --out page
check "side by side" grep -q "Ratios are to <b>" page/index.html
check "and each by itself" grep -q "made for a test" page/machine-2/index.html
check "history refuses it" ended 2 "$ATTNBENCH" history add h.jsonl --results mixed.json

check "shards by an earlier run's times make the whole" \
    diff <(sweep --list 2>/dev/null | sort) <(for k in 1 2; do sweep --times whole.json --shard $k/2 --list 2>/dev/null; done | sort)
sed 's/"real_time": [0-9.e+-]*/"real_time": 1e9/' whole.json >slow.json
check "and follow them" eval '! diff <(sweep --times whole.json --shard 1/2 --list 2>&1) <(sweep --times slow.json --shard 1/2 --list 2>&1) >out'
check "more shards than cases" ended 0 sweep --shard 90/90 --out e.json
check "one may be empty" grep -q '^e.json: 0 cases' out

touch "$HOLD"
"$ATTNBENCH" sweep --plan tiny.yaml --counters off --out stopped.json >out 2>err &
pid=$!
while [ ! -e "$HOLD.held" ]; do sleep 0.02; done
kill -USR1 $pid
touch "$HOLD.go"
wait $pid
check "SIGUSR1 ends a sweep" [ $? -eq 138 ]
check "after the case in flight" [ "$(grep -c '"finished"' stopped.json.journal)" -eq 1 ]
check "none is in flight" [ "$(grep -c '"started"' stopped.json.journal)" -eq 1 ]
check "and it can be resumed" ended 0 sweep --out stopped.json
exit $failed
