# The agent: asks the app for the run, sets the machine up, starts the runner, and powers off when the runner is done.
# Runs as process 1. What it prints goes to the serial console, which the owner of the PC reads: nothing secret.

here=${0%/*}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
. "$here/http.sh"
. "$here/image"

say() { echo "bench: $*"; }

# find_disk SERIAL: leaves its folder below /sys/block in `disk`.
find_disk() {
    for disk in /sys/block/vd*; do
        read -r serial <"$disk/serial"
        [ "$serial" = "$1" ] && return
    done 2>/dev/null
    return 1
}

# The kernel panics when process 1 ends, so every way out of this script is the power switch.
power_off() {
    trap - EXIT
    say 'powering off'
    sync
    mount -o remount,ro / 2>/dev/null
    echo o >/proc/sysrq-trigger
    sleep 60
}
trap power_off EXIT

# The address is fixed, as are those of the services: QEMU's user network has no DHCP worth waiting for.
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2

mkdir -p /run/bench /tmp
http_at http://10.0.2.100/
asked=
until HTTP_TIMEOUT=20 http /run/bench/run GET '/bench/v1/run?format=sh' && [ "$STATUS" = 200 ]; do
    # 503: the app is not ready. Anything else heals or does not; the app has a deadline for it.
    [ "$asked" = "$STATUS" ] || say "asked for the run: $STATUS"
    asked=$STATUS
    sleep 0.5
done
eval "$(cat /run/bench/run.body)"
rm -f /run/bench/run.*
say 'has its run'

[ -z "$BENCH_EPOCH" ] || date -s "@$BENCH_EPOCH" >/dev/null
hostname bench
mkdir -p /dev/pts /dev/shm /etc/bench "$BENCH_BUILDS_DIR"
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm /dev/shm
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
for link in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
    ln -sf "${link#*:}" "/dev/${link%%:*}"
done
{
    printf '127.0.0.1 localhost bench\n::1 localhost\n'
    printf '%s\n' "$BENCH_HOSTS"
} >/etc/hosts
BENCH_CA_FILE=
if [ -n "$BENCH_CA_PEM" ]; then
    BENCH_CA_FILE=/etc/bench/ca.pem
    printf '%s\n' "$BENCH_CA_PEM" >"$BENCH_CA_FILE"
fi
export HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 PATH
if [ -n "$BENCH_HTTP_PROXY" ]; then
    export http_proxy="$BENCH_HTTP_PROXY" https_proxy="$BENCH_HTTP_PROXY" no_proxy="$BENCH_NO_PROXY"
    export HTTP_PROXY="$BENCH_HTTP_PROXY" HTTPS_PROXY="$BENCH_HTTP_PROXY" NO_PROXY="$BENCH_NO_PROXY"
fi

if [ "$BENCH_ROOT" = memory ]; then
    # Programs find each other by path; the agent itself would not need this.
    mkdir -p /root /var/tmp
    chmod 1777 /tmp /var/tmp
    busybox --install -s /bin
    printf 'root:x:0:0:root:/root:/bin/sh\n' >/etc/passwd
    printf 'root:x:0:\ntty:x:5:\n' >/etc/group
else
    . "$here/grow.sh" &
fi

if find_disk runner; then
    mkdir -p /run/bench/runner-disk
    if ! mount -t ext4 -o ro "/dev/${disk##*/}" /run/bench/runner-disk; then
        say 'the disk with the runner does not mount'
        exit
    fi
    say 'starts gitlab-runner'
    . "$here/official-runner.sh" &
else
    say 'starts the shell runner'
    export BENCH_URL BENCH_TOKEN BENCH_RUNNER_NAME BENCH_CLONE_URL BENCH_BUILDS_DIR BENCH_OUTPUT_LIMIT
    export BENCH_WAIT_TIMEOUT BENCH_IMAGE BENCH_CA_FILE
    BENCH_RUNNER_INFO=$here/runner-info.json sh "$here/runner/runner.sh" &
fi
runner=$!
. "$here/power-button.sh" &
wait "$runner"
say "the runner ended with $?"
