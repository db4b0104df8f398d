package flowfast_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// Options that can't be, alone or together, are errors that say which; Open has the
// same ones.
func TestOptionsCheck(t *testing.T) {
	at := time.Unix(7, 0)
	both := flowtable.Rules{TCPEnd: flowtable.EndFIN | flowtable.EndRST}
	var sctp decode.Protocols
	if err := sctp.UnmarshalText([]byte("sctp")); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]flowfast.Options{
		"idle timeout -1ns":     {IdleTimeout: -1},
		"active timeout -1ns":   {Rules: flowtable.Rules{ActiveTimeout: -1}},
		"check every -1":        {CheckEvery: -1},
		"check -1 flows":        {CheckMost: -1},
		"-1 flows at most":      {MaxFlows: -1},
		"1 bytes of memory":     {MaxMemory: 1},
		"flush after -1ns":      {Flush: -1},
		"disorder of -1ns":      {Disorder: -1},
		"resolution -1ns":       {Resolution: -1},
		"-1 workers":            {Workers: -1},
		"quantiles":             {Features: features.Options{Quantiles: []float64{-0.1}}},
		"taken from other runs": {Origins: true},
		"anonymize":             {AnonymizeKey: make([]byte, 31)},
		"no packet comes":       {Choice: flowfast.Choice{From: at, To: at}},
		"by fin-rst: none of":   {Keys: flowtable.Keys{OneWay: true}, Rules: both},
		"by fin-rst: TCP is no": {Protocols: sctp, Rules: both},
	} {
		err := o.Check()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
		if _, again := flowfast.Open(o, "testdata/flags.pcap"); again == nil || again.Error() != err.Error() {
			t.Errorf("Open: error %v, want %v", again, err)
		}
	}
	if err := (flowfast.Options{}).Check(); err != nil {
		t.Error(err)
	}
	// What columns ask for makes way.
	for _, o := range []flowfast.Options{{Keys: flowtable.Keys{OneWay: true}}, {Protocols: sctp}} {
		if err := o.For(flowtable.Demand{Rules: both}).Check(); err != nil {
			t.Error(err)
		}
	}
}
