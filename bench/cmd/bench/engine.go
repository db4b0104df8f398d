//go:build linux || darwin

package main

import (
	"context"
	"io"
	"strconv"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/ioutil"
)

// decodeOnly reads a capture and decodes its packets.
func decodeOnly(c *cost, args []string) error {
	return c.meter(func() error {
		var p decode.Packet
		return records(args[0], func(records []ioutil.Record) {
			c.Packets += len(records)
			for i := range records {
				rec := &records[i]
				p.Decode(rec.LinkType, rec.Data, rec.OrigLen-uint32(rec.FCS))
			}
		})
	})
}

// records gives out the packets of a capture in batches.
func records(path string, take func([]ioutil.Record)) error {
	capture, err := ioutil.Open(path)
	if err != nil {
		return err
	}
	defer capture.Close()
	batch := make([]ioutil.Record, batchSize)
	for {
		n, err := capture.Read(batch)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		take(batch[:n])
	}
}

// engine takes the flows of a capture and writes no rows.
func engine(c *cost, args []string) error {
	return whole(c, args, func(run *flowfast.Run) error {
		for _, err := range run.Flows(context.Background()) {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// engineAndRows is a whole job inside this process, with its rows to nowhere.
func engineAndRows(c *cost, args []string) error {
	return whole(c, args, rows)
}

func rows(run *flowfast.Run) error {
	return run.Write(context.Background(), io.Discard, export.CSV{})
}

// whole does something with a run over a capture.
func whole(c *cost, args []string, with func(*flowfast.Run) error) error {
	workers, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	return c.meter(func() error {
		run, err := flowfast.Open(flowfast.Options{Workers: workers}, args[1])
		if err != nil {
			return err
		}
		if err := with(run); err != nil {
			return err
		}
		s := run.Summary()
		c.Packets, c.Flows = int(s.Packets), int(s.Flows)
		return nil
	})
}
