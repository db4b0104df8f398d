//go:build !linux

package main

import "errors"

// dropPrivileges is for Linux.
func dropPrivileges(string, bool) error { return errors.New("--user is for Linux") }
