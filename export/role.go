package export

import (
	"fmt"
	"slices"
	"strings"
)

// A Role says what a column tells of a flow, and so whether a model may learn from it.
type Role uint8

const (
	// RoleFeature is behaviour: what was sent, how much of it, how fast.
	RoleFeature Role = iota
	// RoleIdentifier names the flow, its capture or its endpoints: addresses, ports,
	// names made of them, the number of the row.
	RoleIdentifier
	// RoleTime is a place on the clock or in the capture. Why a flow ended is among
	// it: the end of the capture is a reason.
	RoleTime
	// RoleHost is a property of a machine or of a path rather than of behaviour: TTL,
	// what TCP options and windows tell of a system, round-trip times, VLANs.
	RoleHost
	// RoleLabel is what is to be predicted, what comes with it, and which split the
	// flow is in.
	RoleLabel
)

var roleNames = [...]string{"feature", "identifier", "time", "host", "label"}

// String returns the name of the role: "feature", "identifier", "time", "host" or
// "label".
func (r Role) String() string { return roleNames[r] }

// Roles returns the names of all roles.
func Roles() []string { return slices.Clone(roleNames[:]) }

// roleNamed returns the role of a name.
func roleNamed(name string) (Role, error) {
	i := slices.Index(roleNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("no role %q; there are %s", name, strings.Join(roleNames[:], ", "))
	}
	return Role(i), nil
}

// as gives columns a role.
func as(r Role, columns ...*Column) []*Column {
	for _, c := range columns {
		c.Role = r
	}
	return columns
}
