#!/usr/bin/env bash
# The pcapgo.NgWriter of github.com/google/gopacket v1.1.19 and github.com/gopacket/gopacket
# v1.7.7 takes two fields of NgInterface, which their NgReader fills in, otherwise than it:
#   TimestampOffset       written as if_tsoffset, but not taken off the times of packets:
#                         a reader adds it, so that with 3600 they are an hour late
#   TimestampResolution   not looked at: always nanoseconds, also where 6 (microseconds) is set
# Needs Go and its module proxy.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

export GOFLAGS=-mod=mod
for module in github.com/google/gopacket@v1.1.19 github.com/gopacket/gopacket@v1.7.7; do
	path=${module%@*}
	mkdir -p "$path"
	cat >"$path/main.go" <<GO
package main

import (
	"bytes"
	"fmt"
	"log"
	"time"

	"$path"
	"$path/layers"
	"$path/pcapgo"
)

func main() {
	var file bytes.Buffer
	intf := pcapgo.NgInterface{LinkType: layers.LinkTypeEthernet, TimestampOffset: 3600, TimestampResolution: 6}
	w, err := pcapgo.NewNgWriterInterface(&file, intf, pcapgo.DefaultNgWriterOptions)
	if err != nil {
		log.Fatal(err)
	}
	info := gopacket.CaptureInfo{Timestamp: time.Unix(1_700_000_000, 0), CaptureLength: 60, Length: 60}
	if err := w.WritePacket(info, make([]byte, 60)); err != nil {
		log.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		log.Fatal(err)
	}
	_, info, err = r.ReadPacketData()
	if err != nil {
		log.Fatal(err)
	}
	intf, _ = r.Interface(0)
	fmt.Println(info.Timestamp.Unix(), intf.TimestampOffset, int(intf.TimestampResolution))
}
GO
	(cd "$path" && { go mod init finding && go get "$module"; } 2>/dev/null && go run .)
done | tee seen
diff seen - <<'SEEN' && echo "as seen"
1700003600 3600 9
1700003600 3600 9
SEEN
