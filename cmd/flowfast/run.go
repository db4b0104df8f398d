package main

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/flowfast/flowfast"
)

// all does the jobs, several at once, and returns their results in the order
// of the jobs and of the captures in them. Ready is called with each result in that
// order too, as soon as the results before it are there; calls do not overlap. After
// a signal, jobs that were not begun have results that say so.
func (c *command) all(ctx context.Context, p *plan, show *display, ready func(*result)) []result {
	jobs := p.jobs
	results := make([][]result, len(jobs))
	next := 0
	var mu sync.Mutex
	ahead := sync.NewCond(&mu)
	finish := func(i int, of []result) {
		mu.Lock()
		defer mu.Unlock()
		results[i] = of
		for ; next < len(jobs) && results[next] != nil; next++ {
			for k := range results[next] {
				ready(&results[next][k])
			}
		}
		ahead.Broadcast()
	}

	var group sync.WaitGroup
	order := make(chan int)
	atOnce, memory := c.atOnce(len(jobs))
	options := c.options
	options.Workers, options.MaxMemory = max(c.jobs/atOnce, 1), memory
	for range atOnce {
		group.Go(func() {
			for i := range order {
				of := c.do(ctx, jobs[i], options, show)
				p.manifest.record(ctx, of)
				finish(i, of)
			}
		})
	}
	for _, i := range c.orderOf(jobs) {
		if c.page.file != "" { // what the page has of a job waits for the jobs before
			mu.Lock()
			for i > next+atOnce+pagesWaiting {
				ahead.Wait()
			}
			mu.Unlock()
		}
		order <- i
	}
	close(order)
	group.Wait()
	return slices.Concat(results...)
}

// do does a job.
func (c *command) do(ctx context.Context, j job, options flowfast.Options, show *display) []result {
	switch {
	case ctx.Err() != nil:
		results := j.results()
		for i := range results {
			results[i].stopped = true
		}
		return results
	case j.series:
		return c.series(ctx, j, options, show)
	}
	return []result{c.one(ctx, j, options, show)}
}

// orderOf returns the order in which to begin the jobs.
func (c *command) orderOf(jobs []job) []int {
	if c.page.file == "" {
		return largestFirst(jobs)
	}
	order := make([]int, len(jobs))
	for i := range order {
		order[i] = i
	}
	return order
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
