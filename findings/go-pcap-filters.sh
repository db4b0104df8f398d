#!/usr/bin/env bash
# github.com/packetcap/go-pcap v0.0.0-20240528124601-8c87ecf5dbc5 compiles
# common expressions of pcap-filter(7) into programs that answer wrongly:
#   tcp and not port 80   matches UDP and ICMP
#   not (tcp port 80)     matches what it should leave out, and the reverse
#   portrange 70-90       matches every frame
# Compared by hand with pcap-filter(7) on four valid Ethernet frames; run with
# golang.org/x/net/bpf v0.62.0. Needs Go and its module proxy.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

cat >go.mod <<'MOD'
module finding

go 1.26
MOD
cat >main.go <<'GO'
package main

import (
	"encoding/binary"
	"fmt"
	"log"

	"github.com/packetcap/go-pcap/filter"
	"golang.org/x/net/bpf"
)

// frame returns an Ethernet frame with IPv4 and 20 bytes of a protocol.
func frame(protocol byte, source, destination uint16) []byte {
	b := make([]byte, 54)
	b[12] = 0x08 // EtherType 0x0800
	b[14], b[17], b[22], b[23] = 0x45, 40, 64, protocol
	copy(b[26:], []byte{192, 0, 2, 1, 198, 51, 100, 2})
	binary.BigEndian.PutUint16(b[34:], source)
	binary.BigEndian.PutUint16(b[36:], destination)
	if protocol == 6 {
		b[46], b[47] = 0x50, 0x02 // 20 bytes of header, SYN
	}
	return b
}

func main() {
	frames := [][]byte{frame(6, 1234, 80), frame(6, 1234, 443), frame(17, 1234, 53), frame(1, 0x0800, 0)}
	for _, text := range []string{"tcp port 80", "tcp and not port 80", "not (tcp port 80)", "portrange 70-90"} {
		program, err := filter.NewExpression(text).Compile().Compile()
		if err != nil {
			log.Fatal(err)
		}
		machine, err := bpf.NewVM(program)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s:", text)
		for i, name := range []string{"tcp/80", "tcp/443", "udp/53", "icmp"} {
			n, err := machine.Run(frames[i])
			if err != nil {
				log.Fatal(err)
			}
			if n > 0 {
				fmt.Printf(" %s", name)
			}
		}
		fmt.Println()
	}
}
GO
go get -v github.com/packetcap/go-pcap@v0.0.0-20240528124601-8c87ecf5dbc5 golang.org/x/net@v0.62.0 2>/dev/null
go mod tidy 2>/dev/null

cat >want <<'WANT'
tcp port 80: tcp/80
tcp and not port 80: tcp/443 udp/53 icmp
not (tcp port 80): tcp/80
portrange 70-90: tcp/80 tcp/443 udp/53 icmp
WANT
go run . | tee got
diff want got && echo "as seen: the last three lines are wrong; pcap-filter(7) has tcp/443; tcp/443 udp/53 icmp; tcp/80"
