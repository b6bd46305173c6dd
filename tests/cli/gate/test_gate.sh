#!/usr/bin/env bash
# The verdicts of the gate on programs that are the same, slower, larger, broken or missing. They are made up: a script
# that answers as attnbench does, with times of our choice, so that nothing depends on how busy the machine is.
# Starts early.
. "$(dirname "$0")/gate.sh"

check "the same: 0" against 0 ""
check "the same: all four, and the whole passes" verdict SAME 4
check "the same: in the table" says "4 SAME." out
check "the same: JUnit has a test for time and for each kind of bytes" says 'tests="12" failures="0" errors="0" skipped="0"' junit.xml
check "the same: Markdown is what was printed" cmp -s "$scratch/out" "$scratch/report.md"

check "one case 6% slower: 1" against 1 "victim=mla slow=6"
check "slower: only that" verdict SLOWER 1
check "slower: the others are the same" verdict SAME 3
check "slower: named" says '**SLOWER** | `attention/mla/' out
check "slower: JUnit fails" says '<failure message="SLOWER: +' junit.xml

check "one case faster: 0" against 0 "victim=gqa slow=-8"
check "faster: said so" verdict FASTER 1

check "1% slower is the same" against 0 "victim=mla slow=1 spread=0" "spread=0"

check "a cache larger by a byte: 1" against 1 "victim=linear bytes=1"
check "a byte: not taken for time" verdict SAME 4
check "a byte: GREW" bytes GREW 1
check "a byte: in the table" says '| **GREW** | `attention/linear/decode/L:8/q:1/h:2/d:8/kv:f32/impl:fused` | cache | 64 | 65 |' out
check "a byte less: 0" against 0 "victim=linear bytes=-1"
check "a byte less: SHRANK" bytes SHRANK 1
check "peak memory larger by a byte: 1" against 1 "victim=mha peak=1"
check "peak memory: in the table" says "peak memory | 4096 | 4097" out

check "missing in the candidate: 3" against 3 "victim=gqa behave=missing"
check "missing: named" verdict "MISSING IN CANDIDATE" 1
check "missing in the base: 3" against 3 "" "victim=gqa behave=missing"
check "missing in the base: named" verdict "MISSING IN BASE" 1

only="--filter mha|gqa"
for behave in wrong crash crash_later babble nan; do
    check "candidate $behave: 1" against 1 "victim=mha behave=$behave"
    check "candidate $behave: named" verdict "CANDIDATE FAILED" 1
    check "base $behave: 3" against 3 "" "victim=mha behave=$behave"
    check "base $behave: named" verdict "BASE FAILED" 1
done
against 1 "victim=mha behave=wrong"
only=
check "a failed check publishes no time and says why" says "off by a mile" out

only="--filter mha|gqa"
check "a candidate whose last words are not UTF-8: 1" against 1 "victim=mha behave=latin"
check "not UTF-8: reported in every form" eval 'says "caf" out && says "caf" junit.xml && says "caf" report.json && says "caf" report.md'
check "a case that only the candidate has, and that fails there: 1" against 1 "victim=mha behave=wrong" "victim=mha behave=missing"
check "only there and failed: named" verdict "CANDIDATE FAILED" 1
only=

check "slower and missing: slower counts" against 1 "slow=9 victim=mla" "victim=gqa behave=missing"
exit $failed
