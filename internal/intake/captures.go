package intake

import (
	"fmt"
	"io"

	"github.com/flowfast/flowfast/ioutil"
)

// Open has capture files read: several as one stream in the order of time. Of
// several, one that can't be read is an error of [Intake.Errors].
func (in *Intake) Open(files ...string) error {
	if len(files) > 1 {
		in.files, in.errs = byFirstPacket(files)
		in.arguments = files
		return nil
	}
	c, err := ioutil.Open(files[0])
	if err != nil {
		return err
	}
	return in.begin(c, files[0])
}

// Read has a capture read from a stream, with a name for messages.
func (in *Intake) Read(stream io.Reader, name string) error {
	c, err := ioutil.NewCapture(stream, name)
	if err != nil {
		return err
	}
	return in.begin(c, name)
}

// Give has the packets of a source read, with a name for messages.
func (in *Intake) Give(s Source, name string) error { return in.begin(newGiven(s), name) }

// Interrupt ends a wait for packets. Any goroutine may call it.
func (in *Intake) Interrupt() {
	if c := in.progress.capture.Load(); c != nil {
		(*c).Interrupt()
	}
}

// begin makes a capture the one that is read.
func (in *Intake) begin(c input, name string) error {
	err := in.start(c, name)
	if err == nil {
		in.progress.capture.Store(&c)
		in.offer()
	}
	return err
}

// start makes a capture the one that is looked at, if it can be read.
func (in *Intake) start(c input, name string) error {
	if err := in.unknown(c.LinkTypes()); err != nil {
		c.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	if err, all := in.chosen.refused(c.LinkTypes()); all {
		c.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	in.capture, in.name = c, name
	c.SetPatience(in.options.Flush / 2)
	in.opened[c] = len(in.report.Captures)
	in.report.Captures = append(in.report.Captures, Capture{Name: name, Format: c.Format()})
	return nil
}

// next sees that there is a capture to read, and returns false at the end of
// the last.
func (in *Intake) next() bool {
	for in.capture == nil && len(in.files) > 0 {
		f := in.files[0]
		in.files = in.files[1:]
		c, err := ioutil.Open(f.file)
		if err == nil {
			in.order = f.order
			err = in.begin(c, f.file)
		}
		in.fail(err)
	}
	return in.capture != nil
}

// offer has the capture cut into spans where that can be done. A stream behind
// which another capture is to be joined is read in order: they may overlap.
func (in *Intake) offer() {
	if file := in.file(); file != nil {
		in.cutter.offer(file, in.options.Readers, len(in.files) == 0)
	}
}

// reportStrange reports the packets of the capture whose link types are not known,
// or have no filter.
func (in *Intake) reportStrange() {
	if err := in.unknown(in.capture.LinkTypes()); err != nil {
		in.fail(fmt.Errorf("%s: %w", in.name, err))
	} else {
		for _, s := range in.strange.seen {
			in.report.warn("%s: %d packets of the unknown link type %s left out", in.name, s.packets, linkTypeText(s.number))
		}
	}
	in.strange = linkTypes{}
	if err, _ := in.chosen.refused(in.capture.LinkTypes()); err != nil {
		in.fail(fmt.Errorf("%s: packets left out: %w", in.name, err))
	}
}

// close closes the capture, if one is open, when nobody reads its bytes.
func (in *Intake) close() {
	if in.capture == nil {
		return
	}
	in.cutter.withhold()
	in.cutter.reading.Wait()
	of := &in.report.Captures[in.opened[in.capture]]
	of.LinkTypes = in.capture.LinkTypes()
	if file, ok := in.capture.(interface {
		Interfaces() ([]ioutil.Interface, int)
	}); ok {
		of.Interfaces, of.MoreInterfaces = file.Interfaces()
	}
	delete(in.opened, in.capture)
	read, _ := in.capture.Progress()
	in.progress.capture.Store(nil)
	in.progress.earlier.Add(read - in.told)
	in.told = 0
	in.fail(in.capture.Close())
	in.capture = nil
}

func (in *Intake) fail(err error) {
	if err != nil {
		in.errs = append(in.errs, err)
	}
}

// Errors returns what could not be read.
func (in *Intake) Errors() []error { return in.errs }
