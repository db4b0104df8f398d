package flowfast

// Progress says how far a run has come.
type Progress struct {
	// Read is the number of bytes read of the capture files, as they are stored.
	Read int64
	// Packets is the number of packets read, Open that of open flows, Flows that of
	// flows given out.
	Packets, Open, Flows int64
	// Classes are those of the packets read.
	Classes Classes
}

// Progress says how far the run has come. It may be called from any goroutine.
func (r *Run) Progress() Progress {
	in := r.intake.Progress()
	return Progress{
		Read:    in.Read,
		Packets: in.Packets,
		Open:    r.engine.Open(),
		Flows:   r.engine.Flows(),
		Classes: classesOf(&in.Classes),
	}
}
