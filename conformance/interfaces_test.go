package conformance

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flowfast/flowfast"
)

// Capinfos lists, below each section, the interfaces of all sections.
var (
	capinfosFile      = regexp.MustCompile(`(?m)^File name: +(.*)$`)
	capinfosInterface = regexp.MustCompile(`(?m)^Interface #\d+ info:\n(( +.*\n)+)`)
	capinfosValue     = regexp.MustCompile(`(?m)^ +(Name|Description|Capture length|Time ticks per second) = (.*)$`)
)

// TestInterfaces holds the interfaces of pcapng files against what capinfos tells of
// them.
func TestInterfaces(t *testing.T) {
	dir := shared(t)
	files, err := filepath.Glob(filepath.Join(dir, "captures", "*.pcapng"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d captures, %v", len(files), err)
	}
	out, _ := exec.Command("capinfos", append([]string{"-M"}, files...)...).Output() // its status tells of damaged ones
	told := 0
	for _, part := range strings.SplitAfter("\n"+string(out), "\nFile name:")[1:] {
		part = "File name:" + part
		name := capinfosFile.FindStringSubmatch(part)[1]
		sections := strings.Split(part, "\nSection ")
		var want strings.Builder
		for _, in := range capinfosInterface.FindAllStringSubmatch(sections[len(sections)-1], -1) {
			value := map[string]string{}
			for _, m := range capinfosValue.FindAllStringSubmatch(in[1], -1) {
				value[m[1]] = m[2]
			}
			fmt.Fprintf(&want, "%q %q %s %s\n", value["Name"], value["Description"], value["Capture length"], value["Time ticks per second"])
		}
		run, err := flowfast.Open(flowfast.Options{}, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, err := range run.Flows(context.Background()) {
			if err != nil {
				t.Logf("%s: %v", name, err)
			}
		}
		var got strings.Builder
		for _, in := range run.Summary().Captures[0].Interfaces {
			fmt.Fprintf(&got, "%q %q %d %.0f\n", in.Name, in.Description, in.SnapLen, 1/in.Resolution)
		}
		if got.String() != want.String() {
			t.Errorf("%s: interfaces\n%swant those of capinfos\n%s", name, got.String(), want.String())
		}
		told++
	}
	if told < len(files)/2 {
		t.Errorf("capinfos told of %d of %d captures", told, len(files))
	}
}
