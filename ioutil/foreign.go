package ioutil

import (
	"bytes"
	"fmt"
)

// foreign names what people give in place of a capture, by its first bytes, and what
// to do about it.
var foreign = []struct{ magic, name, way string }{
	{"PK\x03\x04", "a zip archive", "unzip it first"},
	{"PK\x05\x06", "a zip archive", "unzip it first"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first (7z x)"},
	{"Rar!\x1a\x07", "a rar archive", "unpack it first (unrar x)"},
	{"\x1f\x9d", "compress (.Z) data", "uncompress it first"},
	{"LZIP", "lzip data", "unpack it first (lzip -d)"},
	{"GMBU", "a Microsoft Network Monitor capture", convert},
	{"RTSS", "a Microsoft Network Monitor capture", convert},
	{"TRSNIFF ", "a Sniffer capture", convert},
	{"XCP\x00", "a NetXray or Sniffer capture", convert},
	{"btsnoop\x00", "a Bluetooth (btsnoop) capture", convert},
	{"\x7fver", "an EtherPeek or OmniPeek capture", convert},
	{"Observer", "an Observer capture", convert},
	{"iptrace ", "an AIX iptrace capture", convert},
	{"\x05VNF", "a Visual Networks capture", convert},
	{"\xaa\xaa\xaa\xaa", "a 5Views capture", convert},
	{"PAR1", "a Parquet file", "give the capture that it was made from"},
	{"ARROW1", "an Arrow file", "give the capture that it was made from"},
}

const convert = "convert it first (editcap -F pcap IN OUT)"

// stranger says what a file is that is not a capture; b is its beginning.
func stranger(b []byte) string {
	head := b[:min(len(b), headLen)]
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return fmt.Sprintf("not a capture that can be read, but %s: %s", f.name, f.way)
		}
	}
	if len(b) >= 262 && string(b[257:262]) == "ustar" {
		return "not a capture that can be read, but a tar archive: unpack it first (tar -xf)"
	}
	return fmt.Sprintf("not a capture, begins with %s: want %s", show(head), accepted)
}
