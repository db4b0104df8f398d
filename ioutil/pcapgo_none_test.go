//go:build !pcapgo

package ioutil

// peers is empty: pcapgo needs golang.org/x/net, which only the tag pcapgo asks
// for.
var peers []peer
