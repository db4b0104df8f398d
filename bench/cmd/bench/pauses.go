//go:build linux || darwin

package main

import (
	"runtime/debug"
	"slices"
	"strconv"
	"time"

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
	packets := make([]flowtable.Packet, batchSize)
	for pass := range passes {
		debug.FreeOSMemory()
		before := residentMemory()
		table, err := flowtable.New(flowtable.Options{})
		if err != nil {
			return err
		}
		intake, shares := flowtable.NewIntake(), make([][]uint16, 1)
		c.Packets = 0
		err = records(args[1], func(records []ioutil.Record) {
			for i := range records {
				prepare(&packets[i], &records[i], c.Packets+i)
			}
			c.Packets += len(records)
			shares[0] = shares[0][:0]
			began := time.Now()
			intake.Add(packets[:len(records)], shares)
			table.Add(packets, shares[0])
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

// prepare makes a record the packet that the table takes.
func prepare(p *flowtable.Packet, rec *ioutil.Record, position int) {
	p.Decode(rec.LinkType, rec.Data, rec.OrigLen)
	p.Time = flowtable.Time(rec.Time)
	p.Position = uint64(position)
	p.Len = rec.OrigLen
	p.Fine = rec.Fine
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
