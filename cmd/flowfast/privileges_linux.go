package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropPrivileges has the process go on as a user, with the groups that the user is in
// and without capabilities, but for CAP_NET_RAW if that is to be kept: a socket for an
// interface that comes later takes it.
func dropPrivileges(name string, keepRaw bool) error {
	err := becomeUser(name, keepRaw)
	if err != nil {
		return fmt.Errorf("--user %s: %w", name, err)
	}
	return nil
}

func becomeUser(name string, keepRaw bool) error {
	u, err := user.Lookup(name)
	if errors.As(err, new(user.UnknownUserError)) {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return err
	}
	names, err := u.GroupIds()
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	groups := make([]int, len(names))
	for i, name := range names {
		if groups[i], err = strconv.Atoi(name); err != nil {
			return err
		}
	}
	if keepRaw {
		if err := onAllThreads("keep capabilities", unix.PR_SET_KEEPCAPS, 1); err != nil {
			return err
		}
	}
	// Package syscall does these on all threads.
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("its groups: %w", err)
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("its group: %w", err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return err
	}
	if keepRaw {
		if err := keepOnly(unix.CAP_NET_RAW); err != nil {
			return err
		}
	}
	if os.Getuid() != uid || uid != 0 && syscall.Setuid(0) == nil {
		return errors.New("privileges could be had back")
	}
	err = onAllThreads("no new privileges", unix.PR_SET_NO_NEW_PRIVS, 1)
	if errors.Is(err, errors.ErrUnsupported) { // with cgo; nothing depends on it
		return nil
	}
	return err
}

// onAllThreads sets an attribute of each thread (prctl(2)).
func onAllThreads(what string, option, value uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, option, value, 0, 0, 0, 0)
	return threadsError(what, errno)
}

// keepOnly leaves each thread one capability (capset(2)).
func keepOnly(capability uint) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	set := [2]unix.CapUserData{{Effective: 1 << capability, Permitted: 1 << capability}}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&set)), 0)
	return threadsError("capabilities", errno)
}

func threadsError(what string, errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case syscall.ENOTSUP:
		return fmt.Errorf("%s: needs a program built with CGO_ENABLED=0: %w", what, errno)
	}
	return fmt.Errorf("%s: %w", what, errno)
}
