#!/usr/bin/env bash
# Boots systemd in namespaces of its own, over a copy of this system's files that is gone
# afterwards, installs a deb there, and has flowfast-live@.service go through its life:
# started before its interface is there, reloaded, killed, stopped, ended by the watchdog.
#
#   packaging/boot.sh FILE.deb
#
# Root only. Of the system around it nothing changes: /proc/sys and /sys can't be written.
set -euo pipefail
deb=$(realpath "$1")
why=
if [ "$(id -u)" != 0 ]; then why="only root can boot systemd"; fi
if ! command -v systemd-analyze >/dev/null; then why="there is no systemd"; fi
if [ -n "$why" ]; then
  echo "SERVICE NOT CHECKED: $why"
  exit 0
fi

temp=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || { kill -KILL "$pid"; wait "$pid" 2>/dev/null || true; }; rm -r "$temp"' EXIT
cat >"$temp/init" <<'END'
set -euo pipefail
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1"/upper "$1"/work "$1"/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cp "$2" "$1/root/flowfast.deb"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for place in run tmp dev; do mount -t tmpfs tmpfs $place; done
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir -p dev/shm dev/pts old
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
rm -f etc/machine-id
: >etc/machine-id
rm -f usr/sbin/policy-rc.d # of a container's image, by which packages start nothing
ln -sf /dev/null etc/systemd/system/systemd-firstboot.service
pivot_root . old
umount -l old
exec env -i container=flowfast PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/lib/systemd/systemd --system --unit=basic.target
END
unshare --pid --mount --net --uts --ipc --cgroup --fork --kill-child bash "$temp/init" "$temp" "$deb" </dev/null >"$temp/log" 2>&1 &
pid=$!

inside() { nsenter --target "$init" --all "$@"; }
fail() {
  echo "$*"
  inside journalctl --no-pager -n 30 || cat "$temp/log"
  exit 1
}
until_true() { # TEXT COMMAND...: for half a minute
  local text=$1
  shift
  for _ in $(seq 150); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  fail "not so: $text"
}
has_booted() { init=$(pgrep -P "$pid") && inside systemctl is-active basic.target; }
until_true "systemd boots" has_booted
inside systemctl --version | sed -n 1p

unit=flowfast-live@ffrecv
folder=/var/lib/flowfast/ffrecv
state() { inside systemctl show -P "$1" $unit; }
says() { inside journalctl -u $unit --no-pager -o cat | grep -qF -- "$1"; }
files() { inside find -L $folder -name "*.csv" | wc -l; }
send() { inside bash -c 'for i in $(seq 20); do echo something >/dev/udp/192.0.2.2/9; done' 2>/dev/null || true; }

inside ip link set lo up
inside dpkg --install --force-depends /flowfast.deb >"$temp/dpkg" 2>&1 || { cat "$temp/dpkg"; exit 1; }
inside bash -c "echo 'FLOWFAST_OPTIONS=\"--rotate 1m -t 1 --disorder 0.1 --progress none --metrics 9100\"
FLOWFAST_OUTPUT=%H%M%S.csv' >/etc/default/flowfast-live"
inside systemctl start $unit || fail "the service does not start" # the interface is not there yet
[ "$(state ActiveState)" = active ] || fail "the service does not start"
echo "started: $(state StatusText)"
inside ip link add ffsend type veth peer name ffrecv
inside ip addr add 192.0.2.1/24 dev ffsend
inside ip link set ffsend up
inside ip link set ffrecv up
inside ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev ffsend
until_true "it tells that the interface came" says "ffrecv: up"
send
has_rows() { inside curl -s --noproxy '*' http://127.0.0.1:9100/metrics | grep -q '^flowfast_rows_written_total [1-9]'; }
counts() { inside curl -s --noproxy '*' http://127.0.0.1:9100/metrics | grep -q '^flowfast_packets_total{class="counted"} [1-9]'; }
until_true "packets are counted" counts
sleep 4
inside systemctl reload $unit # ends the file
until_true "reload ends a file" eval '[ "$(files)" = 1 ] && has_rows'
echo "reloaded: $(files) file, $(inside curl -s --noproxy '*' http://127.0.0.1:9100/readyz)"

main=$(state MainPID)
send
sleep 1
inside kill -KILL "$main"
until_true "it is started again" eval '[ "$(state NRestarts)" = 1 ] && [ "$(state SubState)" = running ]'
until_true "what was killed leaves nothing" eval '[ -z "$(inside find -L $folder -name ".*.tmp" -not -newer /proc/$(state MainPID))" ]'
echo "killed: started again as process $(state MainPID), $(files) whole file"

send
sleep 2
inside systemctl stop $unit
[ "$(state Result)" = success ] && [ "$(files)" -ge 2 ] || fail "stopped: result $(state Result), $(files) files"
echo "stopped: result $(state Result), $(files) files, $(inside find -L $folder -name ".*.tmp" | wc -l) left over"

# What the watchdog does with a process that hangs.
inside mkdir -p /run/systemd/system/$unit.service.d
inside bash -c "printf '[Service]\nWatchdogSec=3s\n' >/run/systemd/system/$unit.service.d/short.conf"
inside systemctl daemon-reload
inside systemctl start $unit
sleep 5
[ "$(state SubState)" = running ] || fail "the watchdog ends a run that is well"
main=$(state MainPID)
inside kill -STOP "$main"
until_true "the watchdog ends a run that hangs" eval '[ "$(state MainPID)" != "$main" ] && [ "$(state SubState)" = running ]'
echo "watchdog: $(inside journalctl -u $unit --no-pager -o cat | grep -m1 -i 'watchdog timeout')"
inside journalctl -u $unit --no-pager -o short | grep -v ']: \(goroutine\|runtime\|main\|created by\|github\|r[a-z0-9]* \| \|$\)' | sed -n 1,30p
inside systemctl status --no-pager -n 0 $unit
inside systemd-analyze security --no-pager $unit.service | tail -n 1
inside systemctl stop $unit
