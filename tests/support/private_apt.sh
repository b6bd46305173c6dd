# For scripts, sourced: packages fetched and unpacked, nothing installed. apt works on a state of its own below a folder,
# with this machine's sources, keys and proxies.
# shellcheck shell=bash

# Sets APT_CONFIG. `status` lists what counts as installed: an empty file, or the system's.
private_apt() { # folder, architecture, status
    local folder=$1/apt
    mkdir -p "$folder"/{lists,archives}/partial
    {
        # Proxies, certificates, time-outs; not the hooks and the further indices of this machine's set-up.
        apt-config dump --format '%F "%v";%n' Acquire | grep -vE '^Acquire::(IndexTargets|Languages|CompressionTypes)'
        cat <<END
Dir::Etc::parts "/dev/null";
Dir::State::lists "$folder/lists";
Dir::State::extended_states "$folder/extended_states";
Dir::State::status "$3";
Dir::Cache "$folder";
Dir::Cache::archives "$folder/archives";
Dir::Log "$folder";
APT::Architecture "$2";
APT::Architectures { "$2"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Debug::NoLocking "true";
END
    } >"$folder.conf"
    export APT_CONFIG=$folder.conf
}

quietly() { # log, command...: its output only when it fails
    local log=$1
    shift
    timeout 600 "$@" >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        return 1
    }
}

# Symbolic links as on any merged-/usr system; tar follows them, dpkg -x would replace them.
unpack_packages() { # root, .deb...
    local root=$1 name deb
    shift
    mkdir -p "$root"/usr/{bin,sbin,lib}
    for name in bin sbin lib; do
        [ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"
    done
    for deb in "$@"; do
        dpkg --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$root" || return 1
    done
}
