package ioutil

import (
	"errors"
	"fmt"
	"io"
)

// A FormatError reports a capture that breaks the rules of its format, or that
// can't be read further. The packets before it have been delivered.
type FormatError struct {
	File   string // as the user wrote it
	Offset int64  // of the record or block, counted after decompression
	Err    error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: offset %d: %v", e.File, e.Offset, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }

// ErrInterrupted is why a Read ended that [Capture.Interrupt] ended.
var ErrInterrupted = errors.New("interrupted")

// A TruncatedError reports a capture that ends in the middle of a record, as
// one does whose writer was killed. The packets before it have been delivered.
type TruncatedError struct {
	File   string // as the user wrote it
	Offset int64  // of the incomplete record or block, counted after decompression
	Have   int64  // bytes of it that are there, at least 1
	Want   int64  // bytes it would have; if its header is cut as well, the least it could have
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("%s: offset %d: the capture ends in the middle of a record: %d of %d bytes are there",
		e.File, e.Offset, e.Have, e.Want)
}

// Unwrap returns [io.ErrUnexpectedEOF].
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }
