package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What is said of parts that many machines have made is what --dataset says of the
// same rows, but for what belongs to a capture of its own.
func TestDescribeJoined(t *testing.T) {
	dir := t.TempDir()
	in, one, blocks, many := filepath.Join(dir, "in"), filepath.Join(dir, "one"), filepath.Join(dir, "blocks"), filepath.Join(dir, "many")
	writeTree(t, in, map[string][]byte{"sub/a|b.pcap": append(someCapture(200, 5), strings.Repeat("damage", 9)...)})
	writeTree(t, dir, map[string][]byte{"rules.yaml": []byte("default: other\nrules:\n  - {label: \"low, odd\", where: src_port < 1100}\n")})
	if err := os.Mkdir(many, 0o777); err != nil {
		t.Fatal(err)
	}
	capture, rules := filepath.Join(in, "sub", "a|b.pcap"), "--labels="+filepath.Join(dir, "rules.yaml")
	must := func(stdin []byte, want int, args ...string) []byte {
		t.Helper()
		var out, said bytes.Buffer
		if status := run(args, streams{bytes.NewReader(stdin), &out, &said}); status != want {
			t.Fatalf("flowfast %s: status %d, want %d: %s", strings.Join(args, " "), status, want, &said)
		}
		return out.Bytes()
	}
	must(nil, 1, "-q", "-r", "--dataset", "-t", "7", "--profile", "nfstream", "--columns", "-id", "--from", "1970-01-01T00:00:07Z", rules, in, one)

	summary := filepath.Join(dir, "summary.json")
	report := func() (r report) {
		t.Helper()
		b, err := os.ReadFile(summary)
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	must(nil, 1, "partition", "-q", "--summary", summary, "--buckets", "3", "--profile", "nfstream", "--from", "1970-01-01T00:00:07Z", rules, "-o", blocks, capture)
	told := joinedDataset{Name: "in", Captures: []joinedCapture{{"sub/a|b.pcap", 13_000, report()}}}
	for bucket := range 3 {
		part := fmt.Sprintf("data/%s", partName(bucket, 0))
		must(nil, 0, "flows", "-q", "--summary", summary, "-t", "7", "--profile", "nfstream", "--unnumbered", rules,
			filepath.Join(blocks, fmt.Sprintf("bucket-%05d", bucket)), filepath.Join(dir, "rows.parquet"))
		told.Parts = append(told.Parts, joinedPart{partFile{pathText(part), 7, "00"}, report()})
	}
	b, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	describe := []string{"describe-dataset", "-t", "7", "--profile", "nfstream", "--unnumbered", "--from", "1970-01-01T00:00:07Z", rules, many}
	must(b, 0, describe...)

	read := func(folder string) (c croissant) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(folder, descriptionName))
		if err == nil {
			err = json.Unmarshal(b, &c)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	got, want := read(many), read(one)
	labels := func(c croissant) any { return c.RecordSets[len(c.RecordSets)-1] }
	if got, want := labels(got), labels(want); !reflect.DeepEqual(got, want) {
		t.Errorf("labels: got %+v, want %+v", got, want)
	}
	if len(got.Distribution) != 1+3+1 {
		t.Errorf("%d files, want a set, three parts and the manifest", len(got.Distribution))
	}
	g, w := &got.Flowfast, &want.Flowfast
	w.Columns = slices.DeleteFunc(w.Columns, func(c describedColumn) bool { return c.Name == captureTitle })
	g.Command, w.Command, got.Distribution, want.Distribution = "", "", nil, nil
	got.Description, want.Description, got.RecordSets, want.RecordSets = "", "", nil, nil
	if got, want := encoded(got), encoded(want); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	page, err := os.ReadFile(filepath.Join(many, descriptionPage))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"    flowfast -r --join --idle-timeout 7 ", " --columns -id ", " INPUT OUTPUT.parquet\n", "3 buckets", "| bytes | packets | |\n",
		`| sub/a\|b.pcap | 13,000 | 200 | damaged: offset `, "Flows of 1 capture as one stream in the order of time",
	} {
		if !strings.Contains(string(page), text) {
			t.Errorf("the page has no %q", text)
		}
	}
	before := files(t, many)
	must(b[:len(b)-1], 1, describe...)
	must(append(b, '1'), 1, describe...)
	if after := files(t, many); !reflect.DeepEqual(before, after) {
		t.Error("what can't be read has changed the files")
	}
}
