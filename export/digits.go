package export

// A text is the four bytes that are stored at once for a short text, a comma
// or a point behind it included.
type text [4]byte

// The numbers 0 to 999 in decimal, with a comma behind them. With groups of
// three digits a number takes a third of the divisions and stores; the tables
// have 9 KB.
var short, shortSize, three = digits()

// digits returns the numbers without leading zeros, the lengths of those texts, 2 to 4,
// and the numbers with three digits each.
func digits() (short [1000]text, size [1000]uint8, three [1000]text) {
	for i := range short {
		three[i] = text{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10), ','}
		from := 2 // of those digits
		for most := 9; i > most; most = 10*most + 9 {
			from--
		}
		size[i] = uint8(copy(short[i][:], three[i][from:]))
	}
	return short, size, three
}

// The decimals of a number of quarters, with a comma behind them: of a whole
// number, and of nanoseconds, which have decimals already.
var (
	quarters     = [4]text{{','}, {'.', '2', '5', ','}, {'.', '5', ','}, {'.', '7', '5', ','}}
	quartersSize = [4]uint8{1, 4, 3, 4}
	decimals     = [4]text{{','}, {'2', '5', ','}, {'5', ','}, {'7', '5', ','}}
	decimalsSize = [4]uint8{1, 3, 2, 3}
)

// digits8 returns the eight digits of a number below 10^8, the first in the lowest byte.
// Each step divides all parts of the number at once, by factors that are exact for what
// such a part can be.
func digits8(v uint64) uint64 {
	v = v<<32 - v/10_000*(10_000<<32-1) // v/10_000 | v%10_000<<32
	hundreds := v * 10486 >> 20 & 0x0000_007f_0000_007f
	v = v<<16 - hundreds*(100<<16-1)
	tens := v * 103 >> 10 & 0x000f_000f_000f_000f
	v = v<<8 - tens*(10<<8-1)
	return v + 0x3030_3030_3030_3030
}
