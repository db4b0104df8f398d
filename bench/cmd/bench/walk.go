//go:build linux || darwin

package main

import (
	"fmt"
	"os"

	"github.com/flowfast/flowfast/bench/limit"
	"github.com/flowfast/flowfast/bench/trial"
)

// walk goes through a capture in one of the ways of bench/limit.
func walk(c *cost, args []string) error {
	for _, w := range limit.Walks {
		if w.Name == args[0] {
			return c.meter(func() (err error) {
				c.Packets, err = w.Packets(args[1])
				return err
			})
		}
	}
	return fmt.Errorf("no walk %q", args[0])
}

// runTrial counts the flows of a capture in the way of bench/trial.
func runTrial(c *cost, args []string) error {
	return c.meter(func() error {
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		capture, err := limit.Map(f) // mapped until the process ends
		if err != nil {
			return err
		}
		table, packets, err := trial.Run(capture)
		if err != nil {
			return err
		}
		c.Packets, c.Flows = packets, table.Flows()
		return nil
	})
}
