#!/usr/bin/env python3
"""Takes the machine's description out of a pcapng file's section headers, in place.

    anonymous.py FILE

Removes the options shb_hardware (2) and shb_os (3), and if_os (12) and
if_hardware (15) of interfaces, in a little-endian file (pcapng draft, 4.1 and 4.2).
"""
import struct
import sys

SECTION, INTERFACE = 0x0A0D0D0A, 1
FIXED = {SECTION: 24, INTERFACE: 16}
DROP = {SECTION: (2, 3), INTERFACE: (12, 15)}


def without(block, kind):
    out, at = block[:FIXED[kind]], FIXED[kind]
    while at + 4 <= len(block) - 4:
        code, n = struct.unpack_from("<HH", block, at)
        size = 4 + (n + 3) // 4 * 4
        if code not in DROP[kind]:
            out += block[at:at + size]
        at += size
    size = len(out) + 4
    return out[:4] + struct.pack("<I", size) + out[8:] + struct.pack("<I", size)


def main():
    with open(sys.argv[1], "rb") as f:
        b = f.read()
    out, at = b"", 0
    while at < len(b):
        kind, size = struct.unpack_from("<II", b, at)
        block = b[at:at + size]
        out += without(block, kind) if kind in FIXED else block
        at += size
    with open(sys.argv[1], "wb") as f:
        f.write(out)


main()
