package conformance

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLabels has a naive reference in Python label the flows of the shared captures by
// random rule files. FLOWFAST_LABEL_FILES is how many. (labels.py does it.)
func TestLabels(t *testing.T) {
	captures := sharedFolder(t, "captures")
	python, missing := pythonWith("zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin')")
	if missing != "" {
		unchecked(t, "LABELS", missing)
	}
	folder := t.TempDir()
	flowfast := filepath.Join(folder, "flowfast")
	command(t, "go", "build", "-o", flowfast, "../cmd/flowfast")
	files := cmp.Or(os.Getenv("FLOWFAST_LABEL_FILES"), "3")
	out := command(t, python, "labels.py", flowfast, captures, folder, "9", files)
	if !strings.HasSuffix(out, " by a rule, 0 differ\n") || strings.Contains(out, " 0 by a rule") {
		t.Error(out)
	}
}

// TestCommunityID wants the Community ID of every flow of the shared captures to be that
// of the reference implementation (communityid on PyPI). (community.py does it.)
func TestCommunityID(t *testing.T) {
	captures := sharedFolder(t, "captures")
	python, missing := pythonWith("communityid")
	if missing != "" {
		unchecked(t, "COMMUNITY ID", missing)
	}
	folder := t.TempDir()
	flowfast := filepath.Join(folder, "flowfast")
	command(t, "go", "build", "-o", flowfast, "../cmd/flowfast")
	if out := command(t, python, "community.py", flowfast, captures, folder); !strings.HasSuffix(out, " compared, 0 differ\n") {
		t.Error(out)
	}
}
