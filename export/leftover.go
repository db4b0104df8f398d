package export

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// A temporary file is called .BASE.flowfast-RANDOM.tmp: BASE is the beginning of
// its file's name, RANDOM are hexadecimal digits.
const (
	temporaryMark   = ".flowfast-"
	temporaryDigits = 8
	temporarySuffix = ".tmp"
)

// temporaryPrefix returns what stands before the digits.
func temporaryPrefix(base string) string {
	const most = 100 // of the 255 bytes that a name can have
	return "." + strings.ToValidUTF8(base[:min(len(base), most)], "") + temporaryMark
}

// prefixOfTemporary returns what stands before the digits in the name of a
// temporary file, "" if the name is none of one.
func prefixOfTemporary(name string) string {
	rest, ok := strings.CutSuffix(name, temporarySuffix)
	at := len(rest) - temporaryDigits
	if !ok || at < 0 || strings.Trim(rest[at:], "0123456789abcdef") != "" || !strings.HasSuffix(rest[:at], temporaryMark) {
		return ""
	}
	return rest[:at]
}

// RemoveLeftovers removes the temporary files that processes killed while they
// wrote the named files have left. Nobody may be writing them now. Each folder
// is read once, whatever the number of files in it.
func RemoveLeftovers(names []string) error {
	prefixes := map[string]map[string]bool{} // by folder
	for _, name := range names {
		dir, base := filepath.Split(target(name))
		if prefixes[dir] == nil {
			prefixes[dir] = map[string]bool{}
		}
		prefixes[dir][temporaryPrefix(base)] = true
	}
	var errs []error
	for dir, known := range prefixes {
		errs = append(errs, removeLeftovers(dir, known))
	}
	return errors.Join(errs...)
}

func removeLeftovers(dir string, known map[string]bool) error {
	folder, err := os.Open(cmp.Or(dir, ".")) // with its separator: what is no folder, such as a pipe, is not opened
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	errs := []error{err}
	for _, name := range names {
		if known[prefixOfTemporary(name)] {
			errs = append(errs, os.Remove(dir+name))
		}
	}
	return errors.Join(errs...)
}
