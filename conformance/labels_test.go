package conformance

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/internal/need"
)

// TestLabels has a naive reference in Python label the flows of the shared captures by
// random rule files. FLOWFAST_LABEL_FILES is how many. (labels.py does it.)
func TestLabels(t *testing.T) {
	files := cmp.Or(os.Getenv("FLOWFAST_LABEL_FILES"), "3")
	out := besides(t, "zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin')", "labels.py", "9", files)
	if !strings.HasSuffix(out, " by a rule, 0 differ\n") || strings.Contains(out, " 0 by a rule") {
		t.Error(out)
	}
}

// TestCommunityID wants the Community ID of every flow of the shared captures to be that
// of the reference implementation (communityid on PyPI). (community.py does it.)
func TestCommunityID(t *testing.T) {
	if out := besides(t, "communityid", "community.py"); !strings.HasSuffix(out, " compared, 0 differ\n") {
		t.Error(out)
	}
}

// besides returns what a script prints that holds what flowfast writes of the shared
// captures against a reference. It takes the command, the captures, a folder and the
// arguments.
func besides(t *testing.T, modules, script string, args ...string) string {
	captures := sharedFolder(t, "captures")
	python, missing := pythonWith(modules)
	if missing != "" {
		need.Missing(t, script, missing)
	}
	folder := t.TempDir()
	flowfast := filepath.Join(folder, "flowfast")
	command(t, "go", "build", "-o", flowfast, "../cmd/flowfast")
	return command(t, python, append([]string{script, flowfast, captures, folder}, args...)...)
}
