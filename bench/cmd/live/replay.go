//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// senders are the names of what can send in the mode loss.
var senders = []string{ownSender, replaySender}

const (
	ownSender    = "own"
	replaySender = "tcpreplay"
)

// send has the sender, or tcpreplay in its place, send at a rate for so long.
func (o *options) send(ctx context.Context, s *sender, dir string, rate int) error {
	if o.sender == ownSender {
		return s.run(ctx, rate, o.duration)
	}
	capture := filepath.Join(dir, "sent.pcap")
	if err := s.record(capture); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "tcpreplay", "--quiet", "--preload-pcap", "--loop=0", fmt.Sprintf("--pps=%d", rate),
		fmt.Sprintf("--duration=%d", o.duration/time.Second), "--intf1="+sendingEnd, capture).CombinedOutput()
	if err != nil {
		return fmt.Errorf("tcpreplay: %w: %s", err, out)
	}
	said := regexp.MustCompile(`Successful packets:\s+(\d+)`).FindSubmatch(out)
	took := regexp.MustCompile(`sent in ([0-9.]+) seconds`).FindSubmatch(out)
	if said == nil || took == nil {
		return fmt.Errorf("tcpreplay: no count in %q", out)
	}
	sent, err := strconv.ParseUint(string(said[1]), 10, 64)
	seconds, err2 := strconv.ParseFloat(string(took[1]), 64)
	s.sent += sent
	s.took = time.Duration(seconds * float64(time.Second))
	return errors.Join(err, err2)
}

// record writes the first packets that the sender would send to a capture: one of each
// of its flows.
func (s *sender) record(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	head := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	head = append(head, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	head = binary.LittleEndian.AppendUint32(head, 65535)
	head = binary.LittleEndian.AppendUint32(head, 1) // Ethernet
	_, _ = w.Write(head)
	for n := range uint64(flowsOfLoss) {
		s.fill(n)
		record := binary.LittleEndian.AppendUint64(nil, n) // the time, which plays no part
		record = binary.LittleEndian.AppendUint32(record, uint32(len(s.frame)))
		record = binary.LittleEndian.AppendUint32(record, uint32(len(s.frame)))
		_, _ = w.Write(append(record, s.frame...))
	}
	return w.Flush()
}
