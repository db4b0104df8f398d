// Package intake turns captures into batches for flow tables: it opens them, lifts
// their packets out in pieces, has these decoded on any goroutine, and admits them
// in the order of the capture.
//
// # Terms
//
//	input    what packets are read from: a capture file, a stream, a source
//	span     a part of a capture that begins and ends between records; see ioutil
//	piece    a batch on its way: Take, Decode, Admit
//	cutter   what Take and Admit share: where the next span comes from
//	overlap  captures that are joined and of which several are read in turn
//
// # The way of a piece
//
// [Piece.Take] gives it the next span of the capture, [Piece.Decode] reads the
// packets of that as far as their keys, and [Piece.Admit] completes it with what
// must be read in order, and hands the batch to the flow tables' gate. What can't
// be cut into spans is read by Admit alone.
package intake
