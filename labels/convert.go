package labels

import (
	"fmt"
	"io"
)

// Conversions returns the names of what [Convert] reads.
func Conversions() []string { return nil }

// Convert writes what a data set was published with as a file of rules or records.
func Convert(from, file string, to io.Writer) error {
	return fmt.Errorf("--from %q", from)
}
