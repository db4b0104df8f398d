package workload

import (
	"fmt"
	"os"
	"path/filepath"
)

// version stands in the names of files: one more when the bytes change.
const version = 2

// Folder returns the folder that captures go into if nobody says otherwise: the
// one that FLOWFAST_BENCH names, or flowfast-bench among the temporary files.
func Folder() string {
	if dir := os.Getenv("FLOWFAST_BENCH"); dir != "" {
		return dir
	}
	return filepath.Join(os.TempDir(), "flowfast-bench")
}

// File makes a workload a file of a folder, unless it is there already, and
// returns its path and size. Its name has the workload, and scale and seed if
// they are not 1.
func File(dir, name string, scale float64, seed uint64) (path string, size int64, err error) {
	base := fmt.Sprintf("%s-v%d", name, version)
	if w, n := find(name, scale); w != nil && n != w.packets {
		base += fmt.Sprintf("-x%g", scale)
	}
	if seed != 1 {
		base += fmt.Sprintf("-s%d", seed)
	}
	path = filepath.Join(dir, base+".pcap")
	if info, err := os.Stat(path); err == nil {
		return path, info.Size(), nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", 0, err
	}
	f, err := os.CreateTemp(dir, base+"-*.tmp") // a file of that name is complete
	if err != nil {
		return "", 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := Write(f, name, scale, seed); err != nil {
		return "", 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	if err := f.Close(); err != nil {
		return "", 0, err
	}
	return path, info.Size(), os.Rename(f.Name(), path)
}
