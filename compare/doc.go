// Package compare tells how two tables of flows differ, flow by flow.
//
// A table is what flowfast writes, in any of its formats, or CSV of CICFlowMeter,
// NFStream or PyFlowMeter. Rows of two tables are of the same flow if they have the
// same two endpoints, in either order, the same protocol, and start times that
// differ by no more than a slack; rows of one five-tuple are paired in the order of
// time. The columns that both tables have are then compared value by value.
//
// Memory is bounded: rows are sorted into parts by a hash of their five-tuple, what
// is more than a share of memory goes to temporary files, and one part of both
// tables is looked at after the other. A part is a 64th of the rows, if they are
// not all of few five-tuples.
package compare
