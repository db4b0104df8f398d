package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const mit = `MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`

// TestLicence wants licences by their names in SPDX's list, and no others.
func TestLicence(t *testing.T) {
	apache, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		notices []notice
		want    string
	}{
		{[]notice{{"LICENSE", []byte(mit)}}, "MIT"},
		{[]notice{{"LICENSE", apache}, {"sub/LICENSE.md", []byte(mit)}, {"NOTICE", []byte("By somebody.")}}, "Apache-2.0 AND MIT"},
		{[]notice{{"LICENSE", []byte(mit)}, {"PATENTS", []byte("Additional IP Rights Grant (Patents)\n")}}, "MIT"},
		{[]notice{{"COPYING", []byte("All is mine.")}}, "NOASSERTION"},
	} {
		if got := (&module{notices: test.notices}).licence(); got != test.want {
			t.Errorf("%v: %s, want %s", test.notices[0].name, got, test.want)
		}
	}
}

// TestSBOM wants a list that SPDX's own library reads, with an entry for each module
// and the digest of the binary.
func TestSBOM(t *testing.T) {
	b := build{version: "1.2.3", arch: "amd64", time: time.Unix(0, 0).UTC(), stage: t.TempDir()}
	if err := os.WriteFile(b.path("flowfast"), []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	modules := []module{{"example.org/a_b", "v1.0.0", []notice{{"LICENSE", []byte(mit)}}}, {"std", "1.26.8", nil}}
	if err := b.writeSBOM(modules); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(b.path("flowfast.spdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var doc spdx.Document
	if err := spdxjson.ReadInto(f, &doc); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range doc.Packages {
		names = append(names, p.PackageName+" "+p.PackageVersion+" "+p.PackageLicenseDeclared)
		if !regexp.MustCompile(`^[A-Za-z0-9.-]+$`).MatchString(string(p.PackageSPDXIdentifier)) {
			t.Errorf("identifier %q", p.PackageSPDXIdentifier)
		}
	}
	if want := []string{"flowfast 1.2.3 Apache-2.0", "example.org/a_b v1.0.0 MIT", "std 1.26.8 NOASSERTION"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	// FIPS 180-4: the digest of "abc".
	if sums := doc.Packages[0].PackageChecksums; len(sums) != 1 || sums[0].Algorithm != common.SHA256 || !strings.HasPrefix(sums[0].Value, "ba7816bf8f01cfea") {
		t.Errorf("digests %v", sums)
	}
	if len(doc.Relationships) != 3 || doc.CreationInfo.Created != "1970-01-01T00:00:00Z" {
		t.Errorf("%d relationships, of %s", len(doc.Relationships), doc.CreationInfo.Created)
	}
}
