package ioutil

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

// TestForeign gives files of other formats: each is named, with the way out.
func TestForeign(t *testing.T) {
	var zipped, tarred bytes.Buffer
	z := zip.NewWriter(&zipped)
	must(must(z.Create("a.pcap")).Write(samplePcap()))
	z.Close()
	a := tar.NewWriter(&tarred)
	if err := a.WriteHeader(&tar.Header{Name: "a.pcap", Size: int64(len(samplePcap())), Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	must(a.Write(samplePcap()))
	a.Close()
	for want, data := range map[string][]byte{
		"a zip archive: unzip it first":         zipped.Bytes(),
		"a tar archive: unpack it first":        tarred.Bytes(),
		"a Microsoft Network Monitor capture: ": []byte("GMBU\x00\x02\x01\x00"),
		"a Parquet file: ":                      []byte("PAR1\x15\x04"),
		"a 7z archive: ":                        []byte("7z\xbc\xaf\x27\x1c\x00\x04"),
		`begins with text "plain te"`:           []byte("plain text"),
	} {
		_, err := readFile(t, file(t, data))
		_, err2 := readStream(t, bytes.NewReader(data))
		_, err3 := readStream(t, bytes.NewReader(packers[0].bytes(data)))
		for _, err := range []error{err, err2, err3} {
			if !strings.Contains(text(err), "not a capture") || !strings.Contains(text(err), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
	}
}
