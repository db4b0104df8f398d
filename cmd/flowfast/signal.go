package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// A signalled error is the cause of a context that a signal ended.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string { return s.signal.String() }

// untilSignal returns a context that ends with SIGINT or SIGTERM. A second
// signal then has its usual effect: it ends the process at once. SIGINT stays
// ignored where a shell has the command run in the background.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	if !signal.Ignored(os.Interrupt) {
		signal.Notify(signals, os.Interrupt)
	}
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			if s, ok := s.(syscall.Signal); ok {
				cancel(signalled{s})
				return
			}
			cancel(signalled{syscall.SIGINT})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// signalOf returns the signal that ended a context, 0 if none did.
func signalOf(ctx context.Context) syscall.Signal {
	var s signalled
	errors.As(context.Cause(ctx), &s)
	return s.signal
}
