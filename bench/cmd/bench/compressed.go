//go:build linux || darwin

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// compressed prints what the whole job takes on compressed captures, beside
// decompressing them and doing nothing else.
func (r *runner) compressed() error {
	if err := r.release(); err != nil {
		return err
	}
	s := &sheet{words: 2, header: []string{"workload", "format", "packets", "GB", "compressed GB", "decompressing, ns/packet", "GB/s",
		"whole job, ns/packet", "min–max", "CPU ns/packet", "peak MiB", "÷ decompressing"}}
	for _, name := range []string{"benign", "dos"} {
		if !slices.Contains(r.workloads, name) {
			continue
		}
		if err := r.compressedBoth(name, s); err != nil {
			return err
		}
	}
	fmt.Fprint(r.out, "\n## Compressed captures\n")
	s.print(r.out)
	fmt.Fprintf(r.out, "The whole job is -j 2 with its rows to a file; medians; runs of each: %d.\n", r.runs)
	return nil
}

// compressedBoth measures a workload in both formats. The plain capture is
// removed before, so that no more than one file of each format takes up memory.
func (r *runner) compressedBoth(name string, s *sheet) error {
	c, err := r.capture(r.dir, name, r.scale, 1)
	if err != nil {
		return err
	}
	formats := []string{"gzip", "zstd"}
	files := make([]string, len(formats))
	for i, format := range formats {
		files[i] = filepath.Join(r.temp, name+"."+format)
		defer os.Remove(files[i])
		if b, err := r.child("compress", format, c.path, files[i]).CombinedOutput(); err != nil {
			c.leave()
			return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(b))
		}
	}
	c.leave()
	for i, format := range formats {
		if err := r.compressedOne(name, format, c, files[i], s); err != nil {
			return err
		}
		os.Remove(files[i])
	}
	return nil
}

func (r *runner) compressedOne(name, format string, plain *capture, path string, s *sheet) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	c := &capture{path: path, size: info.Size(), packets: plain.packets}
	alone := c.measurement(name, format+" alone", func(path string) *exec.Cmd { return r.child("decompress", format, path) })
	alone.packets = 0
	job := r.job(c, name, format, r.flowfast, 2, r.rows())
	if err := r.interleave([]*measurement{alone, job}, path); err != nil {
		return err
	}
	for _, run := range alone.costs {
		if run.Bytes != plain.size {
			return fmt.Errorf("%s in %s: %d bytes, want %d", name, format, run.Bytes, plain.size)
		}
	}
	n := float64(c.packets)
	s.add(name, format, grouped(int64(c.packets)), number(float64(plain.size)/1e9), number(float64(c.size)/1e9),
		number(alone.perPacket(c)), number(alone.perSecond(float64(plain.size))/1e9),
		number(job.perPacket(c)), job.spread(c.packets), number(job.median(cpu)/n), number(job.median(peak)/mebi),
		number(job.wall()/alone.wall()))
	return nil
}
