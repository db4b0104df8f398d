#!/usr/bin/env python3
"""Every column of a profile for every flow of a capture, computed naively.

    columns.py --profile full|cicflowmeter|cicflowmeter-python|pyflowmeter CAPTURE > rows.csv
    columns.py [options] CAPTURE + [options] CAPTURE...
    columns.py --selftest

A reference that shares nothing with the program it checks: tshark finds the
layers, the flows are lists of packets, and the columns follow from the lists by
their definitions, which stand at the top of each module. Python 3.9 or newer
and tshark 4.0; --selftest also holds the statistics against numpy and scipy
where they are installed.

Several runs in one command, with a + between, dissect a capture that they have
in common only once.

The rows of pyflowmeter end with three columns that the profile lacks, so that
they can be matched: src_ip, dst_ip, start_time.
"""
import argparse
import csv
import sys
from fractions import Fraction

import cicflowmeter
import dissect
import exact
import flows
import full
import pycicflowmeter
import pyflowmeter


def rows(profile, packets, timeout=None, quantiles=(), splt=0, parts=()):
    """The rows of a profile; timeout in seconds (a Fraction), None for the profile's own."""
    def ns(default):
        return int((default if timeout is None else timeout) * 10**9)

    if profile == "full":
        for f in flows.flows(packets, ns(600)):
            yield full.row(f, splt, quantiles)
    elif profile == "pyflowmeter":
        for f in flows.flows(packets, ns(600), parts):
            row = pyflowmeter.row(f)
            row["src_ip"], row["dst_ip"] = dissect.address(f.src[0]), dissect.address(f.dst[0])
            row["start_time"] = exact.decimal(f.start)
            yield row
    elif profile == "cicflowmeter-python":
        for f in pycicflowmeter.flows(packets, ns(240) // 1000):
            yield pycicflowmeter.row(f)
    else:
        for f in cicflowmeter.flows(packets, ns(120) // 1000):
            yield cicflowmeter.row(f)


def write(out, lines):
    writer = None
    for row in lines:
        if writer is None:
            writer = csv.DictWriter(out, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("capture", nargs="?")
    parser.add_argument("--profile", choices=("full", "cicflowmeter", "cicflowmeter-python", "pyflowmeter"), default="full")
    parser.add_argument("--timeout", type=Fraction, help="idle timeout in seconds (600; cicflowmeter: 120; cicflowmeter-python: 240)")
    parser.add_argument("--quantiles", default="", help="more quantiles (full), as 0.05,0.95")
    parser.add_argument("--splt", type=int, default=0, help="packets in the splt_ columns (full)")
    parser.add_argument("--key", default="", help="parts of the encapsulation in the key (pyflowmeter), as vlan,mpls,tunnel")
    parser.add_argument("--output", help="file for the rows, in place of standard output")
    parser.add_argument("--selftest", action="store_true")
    runs = [[]]
    for word in sys.argv[1:]:
        if word == "+":
            runs.append([])
        else:
            runs[-1].append(word)
    for args in [parser.parse_args(run) for run in runs]:
        if args.selftest:
            import selftest
            sys.exit(selftest.main())
        if not args.capture:
            parser.error("no capture")
        quantiles = [q for q in args.quantiles.split(",") if q]
        parts = [part for part in args.key.split(",") if part]
        lines = rows(args.profile, dissect.packets(args.capture), args.timeout, quantiles, args.splt, parts)
        if args.output:
            with open(args.output, "w", newline="") as f:
                write(f, lines)
        else:
            write(sys.stdout, lines)


if __name__ == "__main__":
    main()
