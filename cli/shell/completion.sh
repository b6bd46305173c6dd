#!/usr/bin/env bash
# completion.sh bash|zsh PROGRAM: completion for a shell, on standard output, from what the program's --help prints.
set -eu
shell=$1 program=$2
commands() { "$program" --help | awk '/^  [a-z]/ { name = $1; $1 = ""; sub(/^ /, ""); print name "\t" $0 }'; }
# The options that help lists at the beginning of a line, not those that its text mentions.
options_of() { "$program" "$1" --help | sed -nE 's/^(benchmark)? {1,10}\[?(-[a-zA-Z], )?(--[a-z][a-z_-]*=?).*/\3/p' | sort -u; }

bash_completion() {
    cat <<'END'
# bash completion for attnbench: commands, their options, files.
_attnbench() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-} options=
    if [ "$COMP_CWORD" -eq 1 ]; then
END
    echo "        COMPREPLY=(\$(compgen -W \"help --help --version $(commands | cut -f 1 | tr '\n' ' ')\" -- \"\$word\"))"
    cat <<'END'
        return
    fi
    case $command in
END
    commands | cut -f 1 | while read -r name; do
        echo "    $name) options=\"$(options_of "$name" | tr '\n' ' ')\" ;;"
    done
    cat <<'END'
    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
    else
        COMPREPLY=($(compgen -f -- "$word"))
        compopt -o filenames
    fi
}
complete -F _attnbench attnbench
END
}

zsh_completion() {
    cat <<'END'
#compdef attnbench
# zsh completion for attnbench: commands, their options, files.
local -a commands
commands=(
END
    commands | while IFS=$'\t' read -r name summary; do
        printf "    '%s:%s'\n" "$name" "${summary//\'/}"
    done
    cat <<'END'
)
if (( CURRENT == 2 )); then
    _describe command commands
    return
fi
case $words[2] in
END
    commands | cut -f 1 | while read -r name; do
        echo "$name) [[ \$words[CURRENT] == -* ]] && compadd -S '' -- $(options_of "$name" | tr '\n' ' ') || _files ;;"
    done
    echo "esac"
}

case $shell in
bash) bash_completion ;;
zsh) zsh_completion ;;
*) echo "completion.sh: $shell: expected bash or zsh" >&2 && exit 2 ;;
esac
