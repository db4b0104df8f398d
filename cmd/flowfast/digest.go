package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// digest keeps the SHA-256 of the capture of a result, if it is asked for and the
// capture was read.
func (c *command) digest(ctx context.Context, r *result) {
	if !c.hash || r.stopped || len(r.summary.Captures) == 0 {
		return
	}
	var err error
	if r.sha256, err = digestOf(ctx, r.job.inputs[0]); err != nil {
		if r.stopped = ctx.Err() != nil; !r.stopped {
			r.errs = append(r.errs, err)
		}
	}
}

// digestOf returns the SHA-256 of a file in hexadecimal digits.
func digestOf(ctx context.Context, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	b := make([]byte, 1<<20)
	for {
		n, err := f.Read(b)
		sum.Write(b[:n])
		switch {
		case err == io.EOF:
			return hex.EncodeToString(sum.Sum(nil)), nil
		case err != nil:
			return "", err
		case ctx.Err() != nil:
			return "", ctx.Err()
		}
	}
}
