# Shell functions that make inputs, for tests/cli/test_bad_input.sh and the setup lines of its cases.
# shellcheck shell=bash

bytes() { # HEX...: writes them
    local hex=$*
    hex=${hex// /}
    while [ -n "$hex" ]; do
        printf "\\x${hex:0:2}"
        hex=${hex:2}
    done
}

zeros() { # COUNT
    head -c "$1" /dev/zero
}

little() { # NUMBER BYTES: little-endian
    local n=$1 i
    for ((i = 0; i < $2; i++)); do
        printf "\\x$(printf %02x $((n & 255)))"
        n=$((n >> 8))
    done
}

poke() { # FILE OFFSET HEX...: overwrites; a negative offset counts from the end
    local file=$1 offset=$2
    shift 2
    [ "$offset" -ge 0 ] || offset=$(($(stat -c %s "$file") + offset))
    bytes "$@" | dd of="$file" bs=1 seek="$offset" conv=notrunc status=none
}

cut_to() { # FILE SIZE; a negative size cuts that many bytes off
    truncate -s "$2" "$1"
}

npy() { # FILE DICT BYTES [MAJOR]: a header and that many zero bytes
    local major=${4:-1}
    {
        bytes 93 4e554d5059
        little "$major" 1
        little 0 1
        little ${#2} $((major == 1 ? 2 : 4))
        printf '%s' "$2"
        zeros "$3"
    } >"$1"
}

wav() { # FILE RATE CHANNELS FRAMES: silence of 16 bits
    local bytes=$(($4 * $3 * 2))
    {
        printf RIFF
        little $((36 + bytes)) 4
        printf 'WAVEfmt '
        little 16 4
        little 1 2
        little "$3" 2
        little "$2" 4
        little $(($2 * $3 * 2)) 4
        little $(($3 * 2)) 2
        little 16 2
        printf data
        little $bytes 4
        zeros $bytes
    } >"$1"
}

safetensors() { # FILE HEADER_FILE BYTES: the header and that many zero bytes
    {
        little "$(stat -c %s "$2")" 8
        cat "$2"
        zeros "$3"
    } >"$1"
}

float_wav() { # FILE HEX FRAMES: mono floats of 16 kHz, all of them the one whose 4 bytes are HEX
    local bytes=$(($3 * 4)) i
    {
        printf RIFF
        little $((36 + bytes)) 4
        printf 'WAVEfmt '
        little 16 4
        little 3 2
        little 1 2
        little 16000 4
        little 64000 4
        little 4 2
        little 32 2
        printf data
        little $bytes 4
        for ((i = 0; i < $3; i++)); do bytes "$2"; done
    } >"$1"
}

golden_model() { # CASE of tests/golden/encoder, instead of the good model
    cp "$ROOT/tests/golden/encoder/$1"/{config.yaml,weights.safetensors,input.npy} .
}

tensors() { # FILE: a line a tensor: "name":{...}
    local size
    size=$(od -An -tu8 -N8 "$1")
    tail -c +9 "$1" | head -c $((size)) | sed -e 's/^{//; s/}} *$/}/; s/},"/}\n"/g' -e '$a\'
}

tensors_from() { # FILE: takes such lines as its header
    local size text
    size=$(od -An -tu8 -N8 "$1")
    text="{$(paste -sd,)}"
    { little ${#text} 8; printf '%s' "$text"; tail -c +$((9 + size)) "$1"; } >"$1.new"
    mv "$1.new" "$1"
}

data_of() { # FILE TENSOR: begin and end of its data
    tensors "$1" | grep -F "\"$2\":" | sed 's/.*data_offsets":\[\([0-9]*\),\([0-9]*\)\].*/\1 \2/'
}

drop_tensor() { # FILE TENSOR: with its data
    local begin end size
    read -r begin end <<<"$(data_of "$1" "$2")"
    size=$(od -An -tu8 -N8 "$1")
    { head -c $((8 + size + begin)) "$1"; tail -c +$((9 + size + end)) "$1"; } >"$1.new"
    mv "$1.new" "$1"
    tensors "$1" | grep -vF "\"$2\":" | awk -v end="$end" -v gone=$((end - begin)) '{
        at = index($0, "data_offsets\":[") + 15
        split(substr($0, at), n, /[],]/)
        if (n[1] + 0 >= end + 0) { n[1] -= gone; n[2] -= gone }
        print substr($0, 1, at - 1) n[1] "," n[2] "]}"
    }' >lines
    tensors_from "$1" <lines
    rm lines
}

add_tensor() { # FILE TENSOR [COUNT]: zeros, one unless COUNT is given
    local end count=${3:-1}
    end=$(tensors "$1" | sed -n '$s/.*,\([0-9]*\)\]}/\1/p')
    { tensors "$1"; echo "\"$2\":{\"dtype\":\"F32\",\"shape\":[$count],\"data_offsets\":[$end,$((end + 4 * count))]}"; } >lines
    tensors_from "$1" <lines
    rm lines
    zeros $((4 * count)) >>"$1"
}

transpose_tensor() { # FILE TENSOR: its shape
    tensors "$1" | sed "/\"$2\":/s/\[\([0-9]*\),\([0-9]*\)\],/[\2,\1],/" >lines
    tensors_from "$1" <lines
    rm lines
}

nan_tensor() { # FILE TENSOR: its second number
    local begin end size
    read -r begin end <<<"$(data_of "$1" "$2")"
    size=$(od -An -tu8 -N8 "$1")
    poke "$1" $((8 + size + begin + 4)) 0000c07f
}

good_model() { # in the working folder: files that `attnbench forward` accepts
    cat >config.yaml <<'YAML'
model_type: attention
attention_type: mha
d_model: 4
num_heads: 2
YAML
    local comma='{' offset=0 name
    for name in q_proj k_proj v_proj out_proj; do
        printf '%s"%s.weight":{"dtype":"F32","shape":[4,4],"data_offsets":[%d,%d]}\n' "$comma" $name $offset $((offset + 64))
        comma=,
        printf ',"%s.bias":{"dtype":"F32","shape":[4],"data_offsets":[%d,%d]}\n' $name $((offset + 64)) $((offset + 80))
        offset=$((offset + 80))
    done >header.json
    printf '}\n' >>header.json
    safetensors weights.safetensors header.json 320
    npy input.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 4), }" 48
}
