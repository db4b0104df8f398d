package flowfast_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImportsPointOneWay lists what every package imports from the project.
func TestImportsPointOneWay(t *testing.T) {
	const module = "github.com/flowfast/flowfast"
	allowed := map[string][]string{
		"":                 {"/decode", "/features", "/flowtable", "/internal/cryptopan", "/internal/engine", "/internal/intake", "/ioutil", "/live"},
		"/internal/engine": {"/features", "/flowtable"},
		"/internal/intake": {"/decode", "/flowtable", "/ioutil"},
		"/ioutil":          nil,
		"/live":            {"/ioutil"},
		"/decode":          nil,
		"/internal/slab":   nil,
		"/stats":           {"/internal/slab"},
		"/features":        {"/decode", "/internal/slab", "/stats"},
		"/flowtable":       {"/decode", "/features", "/internal/slab", "/stats"},
		"/export":          {"/decode", "/features", "/flowtable", "/stats"},
		"/legacy":          {"/decode", "/flowtable", "/ioutil"},
		"/labels":          {"/decode", "/export", "/flowtable"},
		"/block":           {"/decode", "/features", "/flowtable"},
		"/report":          {"", "/decode", "/features", "/flowtable"},
		"/compare":         {"/decode", "/report"}, // report for the looks of its page
		"/cmd/flowfast":    {"", "/block", "/compare", "/decode", "/docs", "/export", "/features", "/flowtable", "/ioutil", "/labels", "/legacy", "/live", "/report"},
		"/docs":            nil,
	}
	for folder, want := range allowed {
		out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, module+folder).Output()
		if err != nil {
			t.Fatalf("%s: %v", folder, err)
		}
		for line := range strings.Lines(string(out)) {
			imported, ours := strings.CutPrefix(strings.TrimSpace(line), module)
			if ours && !slices.Contains(want, imported) {
				t.Errorf("%s imports %s", module+folder, module+imported)
			}
		}
	}
}
