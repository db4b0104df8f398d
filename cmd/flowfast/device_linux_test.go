package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// makeDevice makes the memory device with a minor number: 3 is null, 7 is full.
// Who is not root gets a link to the machine's, which only root could replace
// by mistake.
func makeDevice(name string, minor int) error {
	if os.Geteuid() != 0 {
		return os.Symlink(map[int]string{3: "/dev/null", 7: "/dev/full"}[minor], name)
	}
	if err := unix.Mknod(name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, uint32(minor)))); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0) // a folder can be without devices
	if err != nil {
		return fmt.Errorf("made a device, but: %w", err)
	}
	return f.Close()
}
