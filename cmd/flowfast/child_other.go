//go:build !unix

package main

import "os/exec"

func endWithThis(*exec.Cmd) {}
