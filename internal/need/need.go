// Package need says what becomes of a test that lacks what it compares with.
package need

import (
	"os"
	"testing"
)

// Required tells if a test is to fail where something that it needs is missing: if
// FLOWFAST_CONFORMANCE is "required", as it is in CI.
func Required() bool { return os.Getenv("FLOWFAST_CONFORMANCE") == "required" }

// Missing ends a test that can't be made, for a reason: it fails if it is
// required, and is skipped otherwise. What names what is not checked then.
func Missing(t testing.TB, what string, why any) {
	t.Helper()
	if Required() {
		t.Fatal(why)
	}
	t.Skipf("%s NOT CHECKED: %v", what, why)
}
