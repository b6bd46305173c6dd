# For test scripts, sourced after check.sh: copies of fake_attnbench, whose settings are in NAME.conf.
# shellcheck shell=bash
export FAKE_INFO=$scratch/info.json
"$ATTNBENCH" info --format json >"$FAKE_INFO"

copy_fake() { # path of the copy; the one before may still be running
    cp --remove-destination "${BUILD:-build}/tests/cli/gate/fake_attnbench" "$1"
}
