#!/usr/bin/env bash
# man_pages.sh PROGRAM VERSION FOLDER: man pages from what the program prints of itself; needs help2man.
set -eu
program=$1 version=$2 folder=$3
command -v help2man >/dev/null || { echo "man_pages.sh: help2man is not installed" >&2 && exit 2; }
mkdir -p "$folder"
rm -f "$folder"/attnbench*.1 # a command that is gone has no page
help2man --no-info --name 'what attention mechanisms of speech recognisers cost on this CPU' -o "$folder/attnbench.1" "$program"
"$program" --help | awk '/^  [a-z]/ { name = $1; $1 = ""; sub(/^ /, ""); print name "\t" $0 }' | while IFS=$'\t' read -r name summary; do
    help2man --no-info --version-string "$version" --help-option "help $name" --name "$summary" "$program" |
        sed "s/^attnbench \\\\- /attnbench-$name \\\\- /; 1s/\"ATTNBENCH\"/\"ATTNBENCH-${name^^}\"/; 1s/^\.TH ATTNBENCH /.TH ATTNBENCH-${name^^} /" >"$folder/attnbench-$name.1"
done
