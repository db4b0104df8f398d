// Package reference compares rows with those that the reference computes from
// tshark's dissection. Only tests use it.
package reference

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// most is how many differences are described.
const most = 5

var (
	iatTolerance = big.NewRat(1, 128)
	step         = big.NewRat(1, 1_000_000)
	halfNano     = big.NewRat(1, 2_000_000_000)
)

// Compare compares rows in CSV with the rows expected, in order. All columns
// must be equal as numbers, but for inter-arrival quartiles: those may be off
// by 1/128 of the expected value and a microsecond. It returns a description
// of the first differences; none mean that the rows agree.
func Compare(want, got io.Reader) []string {
	w, err := csv.NewReader(want).ReadAll()
	if err != nil {
		return []string{"expected rows: " + err.Error()}
	}
	g, err := csv.NewReader(got).ReadAll()
	if err != nil {
		return []string{"rows: " + err.Error()}
	}
	if len(g) == 0 || len(w) == 0 || !equal(w[0], g[0]) {
		return []string{"the headers differ"}
	}
	var differences []string
	if len(w) != len(g) {
		differences = append(differences, fmt.Sprintf("%d rows, want %d", len(g)-1, len(w)-1))
	}
	for i := 1; i < min(len(w), len(g)) && len(differences) < most; i++ {
		for k, column := range w[0] {
			if !agree(column, w[i][k], g[i][k]) {
				differences = append(differences, fmt.Sprintf("row %d (%s:%s > %s:%s/%s) %s: %s, want %s",
					i, w[i][0], w[i][1], w[i][2], w[i][3], w[i][4], column, g[i][k], w[i][k]))
				break
			}
		}
	}
	return differences
}

func equal(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") }

func agree(column, want, got string) bool {
	if column == "src_ip" || column == "dst_ip" {
		return want == got
	}
	w, ok := new(big.Rat).SetString(want)
	if !ok {
		return false
	}
	g, ok := new(big.Rat).SetString(got)
	if !ok {
		return false
	}
	off := new(big.Rat).Sub(w, g)
	off.Abs(off)
	allowed := new(big.Rat)
	switch {
	case strings.Contains(column, "_iat_") && !strings.HasSuffix(column, "_min") && !strings.HasSuffix(column, "_max"):
		allowed.Mul(w, iatTolerance)
		allowed.Add(allowed, step)
	case column == "start_time" || column == "duration" || strings.Contains(column, "_iat_"):
		allowed.Set(halfNano)
	}
	return off.Cmp(allowed) <= 0
}
