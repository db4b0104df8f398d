//go:build linux || darwin

package main

import (
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
)

// batchSize is how many packets the table is given at a time.
const batchSize = 1024

// pauses are how long the table kept its caller waiting for a batch.
type pauses struct {
	Median, P999, Longest time.Duration
}

// tableOnly gives the packets of a capture to one flow table, batch by batch,
// and times that alone. It does so several times, each with a table of its own
// and memory that comes from the system. Flows stay open.
func tableOnly(c *cost, args []string) error {
	passes, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	var batches []time.Duration
	var headers decode.Packet
	for pass := range passes {
		debug.FreeOSMemory()
		before := residentMemory()
		gate, err := flowtable.NewGate(flowtable.Options{})
		if err != nil {
			return err
		}
		table, batch := gate.NewTable(), gate.NewBatch(1)
		c.Packets = 0
		err = records(args[1], func(records []ioutil.Record) {
			batch.Reset()
			for i := range records {
				r := &records[i]
				headers.Decode(r.LinkType, r.Data, r.OrigLen-uint32(r.FCS))
				batch.Add(&headers, flowtable.Time(r.Time), r.OrigLen, r.Fine)
			}
			c.Packets += len(records)
			began := time.Now()
			gate.Admit(batch)
			for step := range batch.Steps() {
				table.Add(batch, 0, step)
			}
			batches = append(batches, time.Since(began))
		})
		if err != nil {
			return err
		}
		if pass == 0 {
			c.Flows, c.Resident = table.Open(), residentMemory()-before
		}
	}
	for _, b := range batches {
		c.Wall += b / time.Duration(passes)
	}
	c.Pauses = pausesOf(batches)
	return nil
}

// pausesOf sorts times of batches and returns those that are asked for.
func pausesOf(batches []time.Duration) pauses {
	slices.Sort(batches)
	n := len(batches)
	if n == 0 {
		return pauses{}
	}
	return pauses{batches[n/2], batches[min(n*999/1000, n-1)], batches[n-1]}
}
