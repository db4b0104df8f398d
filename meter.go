package flowfast

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/flowfast/flowfast/flowtable"
)

// checkMeter returns an error if an option is set that says how flow tables make
// flows and there is a meter in their place, which has rules of its own.
func (o Options) checkMeter() error {
	if o.Meter == nil {
		return nil
	}
	// What a run with a meter goes by.
	o.Meter, o.MaxFlows, o.MaxMemory, o.Workers = nil, 0, 0, 0
	o.Choice, o.Keys.Sample, o.Flush = Choice{}, 0, 0
	o.AnonymizeKey, o.Labeler = nil, nil
	rest := reflect.ValueOf(o)
	for i := range rest.NumField() {
		if !rest.Field(i).IsZero() {
			return fmt.Errorf("the option %s is for flow tables, and the run has a meter instead", rest.Type().Field(i).Name)
		}
	}
	return nil
}

// meteredRows are rows of the flows of a meter.
type meteredRows interface {
	// Of tells if the rows are of the flows of this meter, which may be nil.
	Of(flowtable.Meter) bool
}

// checkMetered returns an error if rows are not of the flows of a meter, or of flow
// tables if that is nil.
func checkMetered(rows Rows, m flowtable.Meter) error {
	own, ok := rows.(meteredRows)
	if _, columns := rows.(checkedRows); columns && m != nil {
		return errors.New("the columns need flow tables, and the run has a meter instead")
	}
	if ok && !own.Of(m) {
		return errors.New("the rows need the flows of a meter, and the run has none")
	}
	return nil
}

// warnings returns what a meter has to say at the end.
func (r *Run) warnings() []string {
	for _, c := range r.engine.Tables {
		if m, ok := c.(interface{ Warnings() []string }); ok {
			return m.Warnings()
		}
	}
	return nil
}
