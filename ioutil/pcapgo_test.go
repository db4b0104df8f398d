package ioutil

import (
	"io"
	"time"

	oldlayers "github.com/google/gopacket/layers"
	oldgo "github.com/google/gopacket/pcapgo"
	newlayers "github.com/gopacket/gopacket/layers"
	newgo "github.com/gopacket/gopacket/pcapgo"
)

// peers are google/gopacket of 2020, kept from what makes it panic or take
// gigabytes, and its living fork.
var peers = []peer{
	{"google/gopacket", func(format string, r io.Reader) ([]kept, error) {
		if format == "pcap" {
			p, err := oldgo.NewReader(r)
			if err != nil {
				return nil, err
			}
			p.SetSnaplen(1 << 20)
			return collect(func() (kept, error) {
				data, ci, err := p.ReadPacketData()
				return keep(ci.Timestamp, data, ci.Length, uint32(p.LinkType())), err
			})
		}
		p, err := oldgo.NewNgReader(r, oldgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, err
		}
		return collect(func() (kept, error) {
			data, ci, err := p.ReadPacketData()
			if err != nil {
				return kept{}, err
			}
			return keep(ci.Timestamp, data, ci.Length, uint32(ci.AncillaryData[0].(oldlayers.LinkType))), nil
		})
	}},
	{"gopacket/gopacket", func(format string, r io.Reader) ([]kept, error) {
		if format == "pcap" {
			p, err := newgo.NewReader(r)
			if err != nil {
				return nil, err
			}
			p.SetSnaplen(1 << 20)
			return collect(func() (kept, error) {
				data, ci, err := p.ReadPacketData()
				return keep(ci.Timestamp, data, ci.Length, uint32(p.LinkType())), err
			})
		}
		p, err := newgo.NewNgReader(r, newgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, err
		}
		return collect(func() (kept, error) {
			data, ci, err := p.ReadPacketData()
			if err != nil {
				return kept{}, err
			}
			return keep(ci.Timestamp, data, ci.Length, uint32(ci.AncillaryData[0].(newlayers.LinkType))), nil
		})
	}},
}

func collect(next func() (kept, error)) ([]kept, error) {
	var all []kept
	for {
		k, err := next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, k)
	}
}

func keep(at time.Time, data []byte, length int, linkType uint32) kept {
	k := kept{Data: string(data), OrigLen: uint32(min(length, maxOrigLen)), LinkType: linkType & 0xff} // a link type of theirs has 8 bits
	if !at.IsZero() {
		k.Time = at.UnixNano()
	}
	return k
}
