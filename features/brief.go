package features

// touched is of how many records Touch loads what there is, at most.
const touched = 32

// AddBrief is Add for a packet of which features need no more than its time and size, as
// they do of most: the groups that need more are not asked for, and the flow has two
// packets or more. It returns false if it has done nothing.
func (s *Store) AddBrief(ref uint32, at int64, size uint32, direction int) bool {
	if !s.brief {
		return false
	}
	large := s.smalls.At(ref).large
	if large == 0 {
		return false
	}
	samples := s.samplesOf(large)
	s.countTimed(large, &samples, at, size, direction)
	return true
}

// A Next is a record that a packet of a direction is about to be added to; 0 stands for
// none.
type Next struct {
	Ref       uint32
	Direction uint32
}

// Touch loads what Add will look for of records that packets come for, so that memory is
// waited for once.
func (s *Store) Touch(all []Next) {
	if s.set&kept == 0 {
		return
	}
	var larges [touched]uint32
	all = all[:min(len(all), touched)]
	for k, n := range all {
		if n.Ref != 0 {
			larges[k] = s.smalls.At(n.Ref).large
		}
	}
	sizes, intervals := s.set&Sizes != 0, s.set&Intervals != 0
	for k := range all {
		large, d := larges[k], int(all[k].Direction)
		if large == 0 {
			continue
		}
		of := s.samples.At(large)
		if sizes {
			s.touched += of[s.begins.sizes+d].N
		}
		if intervals {
			s.touched += of[s.begins.intervals+d].N + of[s.begins.intervals+2].N
		}
		if s.set&spanned != 0 {
			s.touched += uint64(s.spans.At(large).last[2])
		}
	}
}
