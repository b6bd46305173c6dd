# For scripts, sourced: a Slurm of its own on loopback, as the user who runs it, in one folder, with keys, sockets and state
# there and nothing outside. Three nodes of one CPU each (two may have the same one), partitions "batch" and, over it,
# "urgent".
# shellcheck shell=bash

nodes=(n1 n2 n3)

# Slurm's programs: those that fetch.sh unpacked below `root`, else the system's.
find_slurm() { # root
    local lib program
    shopt -s nullglob
    slurm_plugins=
    for lib in "$1"/usr/lib/*/slurm-wlm; do
        slurm_plugins=$lib
        export LD_LIBRARY_PATH=${lib%/*}:$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    done
    shopt -u nullglob
    export PATH=$1/usr/bin:$1/usr/sbin:$PATH:/usr/sbin:/sbin
    for program in slurmctld slurmd slurmstepd; do
        local found
        found=$(command -v "$program-wlm" || command -v "$program") || return 1
        printf -v "$program" %s "$found"
    done
    command -v munged >/dev/null && command -v sbatch >/dev/null && command -v scontrol >/dev/null
}

free_ports() { # prints the first of five
    local first port
    while :; do
        first=$((20000 + RANDOM % 20000))
        for ((port = first; port < first + 5; port++)); do
            ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue 2
        done
        echo "$first"
        return
    done
}

write_configuration() { # folder
    local folder=$1 port i
    port=$(free_ports)
    cat <<END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
SlurmctldPort=$port
AuthType=auth/munge
CredType=cred/munge
# What ran before is queued again after twice the life of a credential or so; two minutes by itself.
AuthInfo=socket=$folder/munge/socket,cred_expire=5
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
${slurm_plugins:+PluginDir=$slurm_plugins}
PlugStackConfig=/dev/null
StateSaveLocation=$folder/state
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/log/slurmctld
SlurmdPidFile=$folder/%n.pid
SlurmdLogFile=$folder/log/%n
SlurmdSpoolDir=$folder/spool-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
SlurmdTimeout=6
KillWait=2
SlurmdParameters=config_overrides
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
END
    for ((i = 0; i < ${#nodes[@]}; i++)); do
        echo "NodeName=${nodes[i]} NodeAddr=127.0.0.1 Port=$((port + 1 + i)) CPUs=1"
    done
    echo "PartitionName=batch Nodes=ALL Default=YES PriorityTier=1 MaxTime=INFINITE PreemptMode=REQUEUE"
    echo "PartitionName=urgent Nodes=ALL PriorityTier=10 MaxTime=INFINITE PreemptMode=OFF"
}

# Everything that is started has the folder's name in its environment, so that all of it is found again.
start_cluster() { # folder
    local folder=$1 node i cpu=0
    mkdir -p "$folder"/{state,log} && mkdir -m 700 "$folder/munge" || return 1
    (umask 077 && head -c 128 /dev/urandom >"$folder/munge/key")
    write_configuration "$folder" >"$folder/slurm.conf"
    export SLURM_CONF=$folder/slurm.conf TEST_CLUSTER=$folder
    munged --force --foreground --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
        --pid-file="$folder/munge/pid" --seed-file="$folder/munge/seed" --log-file="$folder/log/munged" \
        >"$folder/log/munged.out" 2>&1 &
    disown
    for ((i = 0; i < 100; i++)); do
        [ ! -S "$folder/munge/socket" ] || break
        sleep 0.1
    done
    # shellcheck disable=SC2154
    "$slurmctld" -D -c -f "$SLURM_CONF" >"$folder/log/slurmctld.out" 2>&1 &
    controller=$!
    disown
    for node in "${nodes[@]}"; do
        mkdir -p "$folder/spool-$node"
        # shellcheck disable=SC2154
        TEST_NODE=$node taskset -c $((cpu++ % $(nproc))) "$slurmd" -D -N "$node" -d "$slurmstepd" -f "$SLURM_CONF" >"$folder/log/$node.out" 2>&1 &
        disown
    done
    for ((i = 0; i < 300; i++)); do
        [ "$(sinfo -h -N -p batch -t idle -o %N 2>/dev/null | wc -l)" -ne ${#nodes[@]} ] || return 0
        sleep 0.1
    done
    return 1
}

processes_with() { # NAME=VALUE in their environment
    local process
    for process in /proc/[0-9]*; do
        tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qxF -- "$1" && echo "${process#/proc/}"
    done
}

# Who runs jobs writes its title over its environment: it is found as their parent.
steps_of() { # pid...
    local pid parent
    for pid in "$@"; do
        parent=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null)
        case $(cat "/proc/${parent:-0}/comm" 2>/dev/null) in slurmstepd*) echo "$parent" ;; esac
    done | sort -u
}

kill_all() { # pid...
    local steps
    mapfile -t steps < <(steps_of "$@")
    kill -KILL "${steps[@]}" "$@" 2>/dev/null # steps first: they would report how their job ended
}

# As if its power had failed: its daemon, and all that runs on it, at once.
kill_node() { # node
    local pids
    mapfile -t pids < <(processes_with "TEST_NODE=$1"; processes_with "SLURMD_NODENAME=$1")
    kill_all "${pids[@]}"
}

stop_cluster() { # folder
    local pids i
    [ -z "${controller:-}" ] || kill -TERM "$controller" 2>/dev/null # ends a process of its own with it
    for ((i = 0; i < 30; i++)); do
        [ -n "${controller:-}" ] && kill -0 "$controller" 2>/dev/null || break
        sleep 0.1
    done
    mapfile -t pids < <(processes_with "TEST_CLUSTER=$1" | grep -vx -e "$BASHPID" -e $$)
    [ ${#pids[@]} -eq 0 ] || kill_all "${pids[@]}"
}
