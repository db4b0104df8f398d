#!/usr/bin/env bash
# Installs a deb with apt, uses what it holds, and removes it again: nothing is left.
#
#   packaging/check.sh FILE.deb
set -euo pipefail
deb=$(realpath "$1")
cd "$(dirname "$0")/.."

why=
if [ "$(id -u)" != 0 ]; then why="only root can install packages"; fi
if ! command -v apt-get >/dev/null; then why="there is no apt"; fi
if dpkg-query --status flowfast >/dev/null 2>&1; then why="flowfast is installed already"; fi
if [ -n "$why" ]; then
  echo "PACKAGE NOT CHECKED: $why"
  exit 0
fi

temp=$(mktemp -d)
remove() { DEBIAN_FRONTEND=noninteractive apt-get purge -y -q flowfast >"$temp/apt" 2>&1 || { cat "$temp/apt"; return 1; }; }
trap 'remove; rm -r "$temp"' EXIT
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$deb" >"$temp/apt" 2>&1 || { cat "$temp/apt"; exit 1; }
dpkg-query --listfiles flowfast | while read -r path; do [ -d "$path" ] || echo "$path"; done >"$temp/files"

/usr/bin/flowfast --version
(cd "$temp" && /usr/bin/flowfast -q "$OLDPWD/testdata/dns.pcap" flows.csv && test -s flows.csv)
for file in man/man1/flowfast.1.gz man/man1/flowfast-live.1.gz doc/flowfast/copyright doc/flowfast/flowfast.spdx.json; do
  grep -qx "/usr/share/$file" "$temp/files" || { echo "there is no /usr/share/$file"; exit 1; }
done
if [ -e /usr/share/bash-completion/bash_completion ]; then
  bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader flowfast; complete -p flowfast'
fi
if command -v systemd-analyze >/dev/null; then # man is not installed everywhere
  systemd-analyze verify --man=no /usr/lib/systemd/system/flowfast-live@.service
fi

remove
trap 'rm -r "$temp"' EXIT
left=$(while read -r path; do [ ! -e "$path" ] || echo "$path"; done <"$temp/files")
if [ -n "$left" ]; then
  printf 'left after the removal:\n%s\n' "$left"
  exit 1
fi
echo "$(wc -l <"$temp/files") files were installed and removed"
