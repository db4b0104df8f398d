//go:build linux

package main

import "context"

func programNames() []string                      { return []string{"flowfast"} }
func (o *options) loss(ctx context.Context) error { return nil }
