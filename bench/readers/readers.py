#!/usr/bin/env python3
"""Which programs read the files of flowfast, and what they lose.

    make readers-install readers            the table of docs/readers.md
    python readers.py [--flowfast PROGRAM] [NAME...]

A capture with nanoseconds is made, flowfast writes it as Parquet and as an Arrow
file, and each reader that is installed opens it in a process of its own and says
what it finds: the rows, the first time of day to the nanosecond, its zone, a port
over 32,767, a sum, a list, the definitions of columns. That is compared with what
went into the capture. A reader that is missing is listed as missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import python_readers

HERE = Path(__file__).resolve().parent
FIRST = 1_700_000_000_123_456_789  # nanoseconds
PORT = 54_321
PAYLOADS = (11, 22, 33)  # bytes in the packets of each flow
FLOWS = 3


def capture() -> bytes:
    """Return a capture of some UDP flows of three packets, with nanoseconds."""
    out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    for number in range(FLOWS):
        for k, size in enumerate(PAYLOADS):
            payload = bytes(size)
            udp = struct.pack(">HHHH", PORT + number, 53, 8 + size, 0) + payload
            ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x0A000001, 0xC0000201)
            frame = b"\2" * 12 + b"\x08\x00" + ip + udp
            seconds, nanos = divmod(FIRST + number * 1_000_000_001 + k * 1_000, 1_000_000_000)
            out += struct.pack("<IIII", seconds, nanos, len(frame), len(frame)) + frame
    return out


def wanted() -> dict[str, object]:
    sizes = [14 + 20 + 8 + size for size in PAYLOADS]
    return {"rows": FLOWS, "time": FIRST, "port": PORT, "bytes": FLOWS * sum(sizes), "list": sizes[:2]}


UNITS = ("ns", "us")
FORMATS = ("parquet", "arrow")


def files(flowfast: str, folder: Path) -> dict[tuple[str, str], Path]:
    """Write the capture by format and unit of time."""
    (folder / "flows.pcap").write_bytes(capture())
    made = {}
    for unit in UNITS:
        for format in FORMATS:
            path = made[format, unit] = folder / f"flows-{unit}.{format}"
            subprocess.run([flowfast, "-q", "--splt=2", f"--time-unit={unit}", folder / "flows.pcap", path], check=True)
    return made


def said(found: dict[str, object], unit: str) -> list[str]:
    """Return what a reader lost of a file, in words."""
    want, lost = wanted(), []
    for name in ("rows", "port", "bytes"):
        if found.get(name) != want[name]:
            lost.append(f"{name}: {found.get(name)} for {want[name]}")
    time = found.get("time")
    if time != (FIRST // 1_000 * 1_000 if unit == "us" else FIRST):
        kept = next((kept for kept, size in (("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000))
                     if isinstance(time, int) and abs(time - FIRST) < size), None)
        lost.append(f"times are whole {kept}" if kept else f"time is {time}")
    if not found.get("zone"):
        lost.append("UTC")
    if found.get("list") != want["list"]:
        lost.append("lists" if found.get("list") is None else f"lists: {found['list']}")
    if not found.get("definitions"):
        lost.append("definitions")
    return lost


def run(command: list[str], path: Path) -> dict[str, object]:
    """Return what a reader says, or its error."""
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False, timeout=600)
    lines = done.stdout.splitlines()
    if done.returncode == 0 and lines:
        return dict(json.loads(lines[-1]))
    # The last line that says something: Java's and Python's traces end in it, or begin with it.
    told = [line.strip() for line in done.stderr.splitlines() if "Error" in line or "Exception" in line or "ILLEGAL" in line]
    return {"error": (told or done.stderr.splitlines() or [f"status {done.returncode}"])[-1][:200]}


def commands() -> dict[str, tuple[list[str], str]]:
    """Return how each reader is run, and the format that it reads."""
    found = {name: ([sys.executable, str(HERE / "python_readers.py"), name], reader.format)
             for name, reader in python_readers.READERS.items()}
    for name, format in (("hyparquet", "parquet"), ("apache-arrow", "arrow"), ("parquet-wasm", "parquet")):
        found[f"{name} (JavaScript)"] = (["node", str(HERE / "readers.mjs"), name], format)
    found["nanoparquet (R)"] = (["Rscript", "--vanilla", str(HERE / "readers.R"), "nanoparquet"], "parquet")
    found["arrow (R)"] = (["Rscript", "--vanilla", str(HERE / "readers.R"), "arrow"], "parquet")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--flowfast", default=os.environ.get("FLOWFAST_BINARY", "flowfast"), help="the command (default FLOWFAST_BINARY, or on PATH)")
    parser.add_argument("names", nargs="*", help="readers (default all)")
    given = parser.parse_args()
    flowfast = shutil.which(given.flowfast)
    if flowfast is None:
        parser.error(f"there is no program {given.flowfast}")
    readers = commands()
    for name in given.names:
        if name not in readers:
            parser.error(f"no reader {name!r}; there are {', '.join(readers)}")
    print("| reader | version | lost, `--time-unit ns` | lost, `--time-unit us` |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        made = files(flowfast, Path(folder))
        for name in given.names or readers:
            command, format = readers[name]
            found = {unit: run(command, made[format, unit]) for unit in UNITS}
            version = next((str(f["version"]) for f in found.values() if "version" in f), "")
            print(f"| {name} | {version} | {' | '.join(cell(found[unit], unit) for unit in UNITS)} |", flush=True)


def cell(found: dict[str, object], unit: str) -> str:
    if found.get("missing"):
        return "not installed"
    if "error" in found:
        return f"**all**: `{found['error']}`"
    return ", ".join(said(found, unit)) or "nothing"


if __name__ == "__main__":
    main()
