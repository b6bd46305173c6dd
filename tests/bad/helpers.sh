# Shell functions that make inputs, for tests/test_bad_input.sh and the setup lines of its cases.

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
