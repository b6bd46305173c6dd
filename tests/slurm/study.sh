# For test_slurm.sh, sourced: a study of three small runs as a job array, of which one is told that its time is up.
# shellcheck shell=bash disable=SC2154 # scratch and attnbench are the caller's

make_speech() { # folder: two utterances to train on and two to hear, a second of tones each
    perl -e '
        my $n = 16000;
        for my $split ("train", "dev") {
            for my $u (0, 1) {
                my $folder = "$ARGV[0]/$split/1/$u";
                system("mkdir", "-p", $folder);
                open(my $text, ">", "$folder/1-$u.trans.txt") or die;
                print $text "1-$u-0000 ", ("AB", "BA")[$u], "\n";
                open(my $wav, ">:raw", "$folder/1-$u-0000.wav") or die;
                print $wav "RIFF", pack("V", 36 + 2 * $n), "WAVEfmt ", pack("VvvVVvv", 16, 1, 1, $n, 2 * $n, 2, 16);
                print $wav "data", pack("V", 2 * $n);
                print $wav pack("s<*", map { 8000 * sin($_ * ($u + 1) / 8) + $_ * 7919 % 101 } 1 .. $n);
            }
        }' "$1"
}

make_plan() {
    local small="model_type: conformer, d_model: 8, num_heads: 2, num_layers: 1, conv_kernel_size: 3, ff_expansion_factor: 1"
    cat <<END
test: dev
latency: {frames: 100, runs: 1}
models:
  - {name: long, $small, num_epochs: 800}
  - {name: short, $small, num_epochs: 2}
  - {name: other, $small, num_epochs: 2}
runs: [{origin: scratch, attention_type: mha}]
END
}

epochs() { # run
    cat "$scratch/study/runs/$1"*/log.jsonl 2>/dev/null | wc -l
}

is_under_way() { # run
    [ "$(epochs "$1")" -gt 0 ]
}

long_is_told() {
    scancel --batch --signal=USR1 "${study_job}_1" 2>/dev/null
}

same_weights() {
    local run
    for run in "$scratch"/alone/runs/*; do
        cmp "$run/model.safetensors" "$scratch/study/runs/${run##*/}/model.safetensors" || return 1
    done
}

check_study() {
    local study=(--plan "$scratch/study.yaml" --data "$scratch/speech")
    make_speech "$scratch/speech"
    make_plan >"$scratch/study.yaml"
    ATTNBENCH=$attnbench harness/slurm/attnbench.sbatch study 3 "$scratch/study" "${study[@]}" -- --time=10 >"$scratch/submitted" 2>&1
    study_job=$(sed -n 's/^Submitted batch job //p' "$scratch/submitted")
    check "a study is submitted" [ -n "$study_job" ]
    check "its long run is under way" within 120 is_under_way long
    check "is told that its time is up" within 60 long_is_told
    "$attnbench" study "${study[@]}" --jobs 1 --out "$scratch/alone" >"$scratch/alone.log" 2>&1
    check "all shards of it end" within 300 is_over "$study_job"
    check "the one whose time was up was started again" [ "$(grep -c '^shard 1/3 on' "$scratch/study/shard-1.log")" -eq 2 ]
    check "no run was done twice" [ "$(cat "$scratch"/study/runs/*/log.jsonl | wc -l)" -eq 804 ]
    check "the last step takes them" \
        grep -q "3 runs, 0 failed; 3 were done before" <("$attnbench" study "${study[@]}" --out "$scratch/study" 2>&1)
    check "the weights are those of a study in one process" same_weights
}
