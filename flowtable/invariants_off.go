//go:build !invariants

package flowtable

// invariants turns on the checks of checkInvariants after every batch.
const invariants = false
