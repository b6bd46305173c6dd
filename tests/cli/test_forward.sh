#!/usr/bin/env bash
# The command forward beyond its golden vectors: random weights, results behind links, caches of streams, whole checkpoints.
set -u
cd "$(dirname "$0")/../.." || exit
: "${ATTNBENCH:=$PWD/${BUILD:-build}/attnbench}"
. tests/bad/helpers.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "[  FAILED  ] $1"
    cat "$work/err"
    exit 1
}
run() { # arguments of forward
    "$ATTNBENCH" forward --config "$work/config.yaml" --input "$work/input.npy" "$@" 2>"$work/err" || fail "forward $*"
}

cat >"$work/config.yaml" <<'END'
model_type: conformer
attention_type: mla
attention_kwargs:
  latent_dim: 4
d_model: 16
num_heads: 2
num_layers: 2
input_dim: 8
conv_kernel_size: 3
causal: true
END
npy "$work/input.npy" "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 40, 8), }" 1280

run --seed 3 --output "$work/a.npy"
grep -q 'a.npy comes from random weights, seed 3' "$work/err" || fail "the seed is said"
run --seed 3 --output "$work/b.npy" --impl scalar
run --seed 3 --output "$work/c.npy"
run --seed 4 --output "$work/d.npy"
cmp -s "$work/a.npy" "$work/c.npy" || fail "the same seed gives the same"
cmp -s "$work/a.npy" "$work/d.npy" && fail "another seed gives something else"
echo "[       OK ] forward: random weights by seed"

run --seed 3 --output "$work/t2.npy" --threads 2
run --seed 3 --output "$work/again.npy" --threads 2
cmp -s "$work/t2.npy" "$work/again.npy" || fail "the same number of threads gives the same bits"
for many in "--threads 0" "--threads 2000" "--threads 2 --impl blas"; do
    "$ATTNBENCH" forward --config "$work/config.yaml" --input "$work/input.npy" --seed 3 --output "$work/no.npy" $many 2>"$work/err"
    [ $? = 2 ] && grep -q threads "$work/err" && [ ! -e "$work/no.npy" ] || fail "$many is refused"
done
echo "[       OK ] forward: threads"

mkdir "$work/elsewhere"
ln -s elsewhere/real.npy "$work/link.npy"
run --seed 3 --output "$work/link.npy"
[ -L "$work/link.npy" ] && cmp -s "$work/a.npy" "$work/elsewhere/real.npy" || fail "the file behind a link is written, and the link stays"
[ "$(ls "$work/elsewhere")" = real.npy ] || fail "nothing else is left"
echo "[       OK ] forward: output behind a symbolic link"

names() { # tensors of a safetensors file
    grep -ao '"[a-z][a-z.0-9]*":{' "$1" | tr -d '":{' | sort | tr '\n' ' '
}
run --seed 3 --output "$work/e.npy" --chunk 3 --cache-out "$work/stream.safetensors"
[ "$(names "$work/stream.safetensors")" = "embed.carry layers.0.conv layers.0.latent layers.1.conv layers.1.latent " ] ||
    fail "caches of a stream: $(names "$work/stream.safetensors")"
run --seed 3 --output "$work/f.npy" --cache-out "$work/whole.safetensors"
[ "$(names "$work/whole.safetensors")" = "layers.0.latent layers.1.latent " ] || fail "caches of a whole run"
echo "[       OK ] forward: caches of convolutions"

of_latent() { # dtype and shape of the first layer's latents in a safetensors file
    grep -ao '"layers.0.latent":{[^}]*}' "$1" | sed 's/.*"dtype":"\([A-Z0-9]*\)","shape":\(\[[0-9,]*\]\).*/\1 \2/'
}
for type in f32:'F32 [1,9,4]' f16:'F16 [1,9,4]' bf16:'BF16 [1,9,4]' q8_0:'U8 [1,9,34]'; do
    run --seed 3 --output "$work/${type%%:*}.npy" --kv-dtype "${type%%:*}" --cache-out "$work/kv.safetensors"
    [ "$(of_latent "$work/kv.safetensors")" = "${type#*:}" ] || fail "cache of $type: $(of_latent "$work/kv.safetensors")"
done
cmp -s "$work/a.npy" "$work/f32.npy" || fail "f32 is the default"
cmp -s "$work/f16.npy" "$work/q8_0.npy" && fail "types of cache differ"
cp "$work/config.yaml" "$work/plain.yaml"
echo 'kv_dtype: q8_0' >>"$work/config.yaml"
run --seed 3 --output "$work/key.npy"
cmp -s "$work/q8_0.npy" "$work/key.npy" || fail "the key of the configuration does what the option does"
run --seed 3 --output "$work/key.npy" --kv-dtype f32
cmp -s "$work/a.npy" "$work/key.npy" || fail "the option wins"
mv "$work/plain.yaml" "$work/config.yaml"
echo "[       OK ] forward: types of cache"

cd "$work" || exit 1
good_model
sed -i '$d' header.json
printf ',"ctc.ctc_lo.weight":{"dtype":"F32","shape":[2],"data_offsets":[320,328]}}\n' >>header.json
safetensors weights.safetensors header.json 328
run --weights weights.safetensors --output g.npy
[ "$(wc -l <err)" -eq 1 ] && grep -q "not the encoder's and not used: ctc.ctc_lo.weight$" err ||
    fail "an output layer passed over is said once"
echo "[       OK ] forward: an output layer that is not wanted"
