package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// all does the jobs, several at once, and returns their results in the order
// of the jobs. Ready is called with each result in that order too, as soon as
// the results before it are there; calls do not overlap. After a signal, jobs
// that were not begun have a result that says so.
func (c *command) all(ctx context.Context, p *plan, show *display, ready func(*result)) []result {
	jobs := p.jobs
	results := make([]result, len(jobs))
	done := make([]bool, len(jobs))
	next := 0
	var mu sync.Mutex
	finish := func(i int, r result) {
		mu.Lock()
		defer mu.Unlock()
		results[i], done[i] = r, true
		for ; next < len(jobs) && done[next]; next++ {
			ready(&results[next])
		}
	}

	var group sync.WaitGroup
	order := make(chan int)
	atOnce, memory := c.atOnce(len(jobs))
	options := c.options
	options.Workers, options.MaxMemory = max(c.jobs/atOnce, 1), memory
	for range atOnce {
		group.Go(func() {
			for i := range order {
				r := result{job: jobs[i], stopped: true}
				if ctx.Err() == nil {
					r = c.one(ctx, jobs[i], options, show)
				}
				p.manifest.record(ctx, &r)
				finish(i, r)
			}
		})
	}
	for _, i := range largestFirst(jobs) {
		order <- i
	}
	close(order)
	group.Wait()
	return results
}

// largestFirst returns the order in which to begin the jobs, so that not one
// large job is left over at the end while other cores rest.
func largestFirst(jobs []job) []int {
	order := make([]int, len(jobs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(jobs[b].size, jobs[a].size) })
	return order
}
