package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/labels"
)

// Relabeling gives flows their labels by rules that can be replaced while flows come.
// Each goroutine goes over to the new ones with its next flow.
type relabeling struct {
	current atomic.Pointer[rulesAtWork]

	mu     sync.Mutex    // guards what is below, and replacing
	before labels.Counts // of flows, by rules that nobody asks any more
}

// rulesAtWork are rules, and how many goroutines ask them.
type rulesAtWork struct {
	run    *labels.Run
	askers int
}

func newRelabeling(set *labels.Set) *relabeling {
	r := &relabeling{}
	r.current.Store(&rulesAtWork{run: labels.Plan{Rules: set}.Begin(labels.Capture{})})
	return r
}

// labeler returns what one goroutine asks.
func (r *relabeling) labeler() func(*flowfast.Flow) bool {
	mine, label := r.enter()
	return func(f *flowfast.Flow) bool {
		if r.current.Load() != mine {
			r.leave(mine)
			mine, label = r.enter()
		}
		return label(f)
	}
}

// enter has a goroutine ask the rules that are in force.
func (r *relabeling) enter() (*rulesAtWork, func(*flowfast.Flow) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.current.Load()
	now.askers++
	return now, now.run.Labeler()
}

// leave has a goroutine ask rules no longer.
func (r *relabeling) leave(old *rulesAtWork) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old.askers--; old.askers == 0 {
		r.before.Add(&labels.Counts{Labels: old.run.Counts().Labels})
	}
}

// replace puts other rules in force.
func (r *relabeling) replace(set *labels.Set) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current.Store(&rulesAtWork{run: labels.Plan{Rules: set}.Begin(labels.Capture{})})
}

// total returns what came of all flows, and of the rules that are in force. It is
// called when no goroutine is at work any more.
func (r *relabeling) total() *labels.Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.current.Load().run.Counts()
	all.Add(&r.before)
	return all
}

// reread reads the files of --labels again. What does not fit a run that is at work is
// an error, and the rules stay as they are.
func (l *liveCommand) reread(to *relabeling) error {
	set, digest, err := labels.Load(l.labels.files)
	if err != nil {
		return err
	}
	old := l.labels.set
	if !slices.Equal(set.Columns, old.Columns) {
		return fmt.Errorf("columns of the rules' own can't change: they are %q, were %q", set.Columns, old.Columns)
	}
	if globs := set.Globs(); globs != nil {
		return errGlobs(globs)
	}
	for _, c := range set.Conditions() {
		if !c.Counted(l.options.Features) {
			return fmt.Errorf("the rules ask for %s, which is not counted in this run", c.Name)
		}
	}
	if set.AsksVLAN() && !old.AsksVLAN() {
		return errors.New("the rules ask for VLANs, which are not counted in this run")
	}
	l.labels.set, l.labels.digest = set, digest
	to.replace(set)
	return nil
}

// errGlobs is the error of files whose rules ask for a capture where none is told.
func errGlobs(files []string) error {
	return fmt.Errorf("rules of %s ask which capture a flow is of, which standard input, --join and interfaces don't tell", files[0])
}
