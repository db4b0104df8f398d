#!/bin/sh
set -e
# Debian says "remove", RPM the number of versions that stay. An upgrade stops nothing.
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl stop 'flowfast-live@*.service' || true
	fi
	;;
esac
