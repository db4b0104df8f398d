#!/usr/bin/env bash
# Installs a deb with apt, or an rpm with rpm, uses what it holds, and removes it
# again: nothing is left.
#
#   packaging/check.sh FILE.deb|FILE.rpm
#
# An rpm gets a database of its own, so that it can be installed beside dpkg.
set -euo pipefail
package=$(realpath "$1")
cd "$(dirname "$0")/.."

tool=apt-get
[ "${package##*.}" = deb ] || tool=rpm
why=
if [ "$(id -u)" != 0 ]; then why="only root can install packages"; fi
if ! command -v $tool >/dev/null; then
  why="there is no $tool"
  [ "${FLOWFAST_CONFORMANCE:-}" != required ] || { echo "$why"; exit 1; }
fi
if [ -e /usr/bin/flowfast ]; then why="flowfast is installed already"; fi
if [ -n "$why" ]; then
  echo "${package##*.} NOT CHECKED: $why"
  exit 0
fi

temp=$(mktemp -d)
quiet() { "$@" >"$temp/said" 2>&1 || { cat "$temp/said"; return 1; }; }
if [ $tool = rpm ]; then
  rpm() { command rpm --dbpath "$temp/rpm" "$@"; }
  quiet rpm --initdb
  quiet rpm --checksig --nosignature "$package"
  install() { quiet rpm --install --nodeps "$package"; }
  remove() { quiet rpm --erase flowfast; }
  list() { rpm --query --list flowfast; }
  whole() { quiet rpm --verify --nodeps flowfast; }
else
  export DEBIAN_FRONTEND=noninteractive
  install() { quiet apt-get install -y -q --no-install-recommends "$package"; }
  remove() { quiet apt-get purge -y -q flowfast; }
  list() { dpkg-query --listfiles flowfast; }
  whole() { quiet dpkg --verify flowfast && [ ! -s "$temp/said" ]; }
fi

trap 'remove; rm -r "$temp"' EXIT
install
list >"$temp/paths"
grep flowfast "$temp/paths" >"$temp/ours"
whole

/usr/bin/flowfast --version
(cd "$temp" && /usr/bin/flowfast -q "$OLDPWD/testdata/dns.pcap" flows.csv && test -s flows.csv)
for file in man/man1/flowfast.1.gz man/man1/flowfast-live.1.gz doc/flowfast/copyright doc/flowfast/flowfast.spdx.json flowfast/flowfast.ps1; do
  grep -qx "/usr/share/$file" "$temp/paths" || { echo "there is no /usr/share/$file"; exit 1; }
done
if [ -e /usr/share/bash-completion/bash_completion ]; then
  bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader flowfast; complete -p flowfast'
fi
if command -v systemd-analyze >/dev/null; then # man is not installed everywhere
  systemd-analyze verify --man=no /usr/lib/systemd/system/flowfast-live@.service
fi

remove
trap 'rm -r "$temp"' EXIT
left=$(while read -r path; do [ ! -e "$path" ] || echo "$path"; done <"$temp/ours")
if [ -n "$left" ]; then
  printf 'left after the removal:\n%s\n' "$left"
  exit 1
fi
echo "${package##*/}: $(wc -l <"$temp/ours") files and folders were installed and removed"
