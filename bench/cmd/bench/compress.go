//go:build linux || darwin

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compress writes a capture in a format, at the usual level.
func compress(c *cost, args []string) error {
	in, err := os.Open(args[1])
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(args[2])
	if err != nil {
		return err
	}
	var z io.WriteCloser
	if z, err = compressor(args[0], out); err == nil {
		c.Bytes, err = io.Copy(z, in)
		err = errors.Join(err, z.Close())
	}
	return errors.Join(err, out.Close())
}

func compressor(format string, to io.Writer) (io.WriteCloser, error) {
	switch format {
	case "gzip":
		return gzip.NewWriter(to), nil
	case "zstd":
		return zstd.NewWriter(to)
	}
	return nil, fmt.Errorf("no format %q", format)
}

// decompress only decompresses a file, into a buffer that is used again, with
// the decompressors that ioutil/compress.go opens and their options.
func decompress(c *cost, args []string) error {
	return c.meter(func() error {
		f, err := os.Open(args[1])
		if err != nil {
			return err
		}
		defer f.Close()
		r := bufio.NewReaderSize(f, 256<<10)
		var z io.Reader
		switch args[0] {
		case "gzip":
			z, err = gzip.NewReader(r)
		case "zstd":
			var d *zstd.Decoder
			if d, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20)); err == nil {
				defer d.Close()
			}
			z = d
		default:
			err = fmt.Errorf("no format %q", args[0])
		}
		buffer := make([]byte, 256<<10)
		for err == nil {
			var n int
			n, err = z.Read(buffer)
			c.Bytes += int64(n)
		}
		if err == io.EOF {
			return nil
		}
		return err
	})
}
