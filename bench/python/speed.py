#!/usr/bin/env python3
"""From a capture to a finished pandas frame: flowfast beside NFStream and cicflowmeter.

    make bench-python-install bench-python [SPEED="--scale 0.1"]
    python speed.py --venvs FOLDER --flowfast PROGRAM --generate PROGRAM [--scale X] [--runs N]

Each program runs in a process of its own, in turn with the others, on the same
capture, which is read once before. What it costs is what the system says of the
process and of those that it started and waited for: elapsed time, CPU time (user
and system), and the peak of memory of the largest of them. CPU time for each packet is without
the start, which is the same program on a capture of two packets; for flowfast it
is measured on a capture of half a million packets and more. Then, in one process: what .arrow() costs beyond the command, and when the first batch
of a large capture is there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

NFSTREAM = """
import sys
from nfstream import NFStreamer
frame = NFStreamer(source=sys.argv[1], statistical_analysis=%r, n_dissections=0, decode_tunnels=False).to_pandas()
print(*frame.shape)
"""

CICFLOWMETER = """
import os, subprocess, sys, tempfile
import pandas
with tempfile.TemporaryDirectory() as folder:
    out = os.path.join(folder, "flows.csv")
    subprocess.run([os.path.join(os.path.dirname(sys.executable), "cicflowmeter"), "-f", sys.argv[1], "-c", out],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(*pandas.read_csv(out).shape)
"""

FLOWFAST = """
import sys
import flowfast
print(*flowfast.read(sys.argv[1], profile=%r, **%r).pandas().shape)
"""
CORE = 28  # columns that NFStream has without statistical_analysis


class Peer(NamedTuple):
    """What is compared: programs, and the part of a workload that they are given."""

    venv: str
    name: str
    program: str
    profile: str  # of flowfast
    columns: int | None  # of the profile, the first ones
    part: float


PEERS = {
    "nfstream": Peer("nfstream", "NFStream 6.6.0", NFSTREAM % True, "nfstream", None, 0.5),
    "nfstream-core": Peer("nfstream", "NFStream 6.6.0 without statistical_analysis", NFSTREAM % False, "nfstream", CORE, 0.5),
    "cicflowmeter": Peer("cicflowmeter", "cicflowmeter 0.2.0, scapy 2.5.0", CICFLOWMETER, "cicflowmeter-python", None, 0.01),
}
WORKLOADS = ("benign", "slow")
PART = 0.5  # on which flowfast's CPU time for each packet is measured


def cost(python: Path, program: str, capture: Path, environment: dict[str, str]) -> tuple[float, float, float, str]:
    """Return seconds, seconds of CPU, MiB, and what the program says."""
    with capture.open("rb") as file:  # a piece at a time: a child begins with the peak of its parent
        while file.read(1 << 20):
            pass
    before = time.perf_counter()
    child = subprocess.Popen([python, "-W", "ignore", "-c", program, capture], stdout=subprocess.PIPE, env=environment)
    assert child.stdout is not None
    said = child.stdout.read().decode()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - before
    if status != 0:
        sys.exit(f"{python} ended with {child.returncode}:\n{program}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said.strip()


def generate(program: str, name: str, scale: float, folder: Path) -> Path:
    path = folder / f"{name}-{scale:g}.pcap"
    with path.open("wb") as file:
        subprocess.run([program, "-scale", f"{scale:g}", name], check=True, stdout=file)
    return path


def packets(flowfast: str, capture: Path) -> int:
    told = subprocess.run([flowfast, "info", "--json", capture], check=True, capture_output=True).stdout
    return int(json.loads(told)["captures"][0]["packets"])


def medians(runs: list[tuple[float, float, float, str]]) -> tuple[float, float, float]:
    wall, cpu, mib = (statistics.median(run[i] for run in runs) for i in range(3))  # type: ignore[misc]
    return wall, cpu, mib


def compare(given: argparse.Namespace, peer: str, folder: Path) -> None:
    """Write a table of flowfast and one peer."""
    venv, name, program, profile, columns, part = PEERS[peer]
    options = {}
    if columns is not None:
        listed = subprocess.run([given.flowfast, "columns", "--names", "--profile", profile], check=True, capture_output=True, text=True).stdout
        options["columns"] = listed.split()[:columns]
    ours = given.venvs / "flowfast" / "bin" / "python", FLOWFAST % (profile, options)
    theirs = given.venvs / venv / "bin" / "python", program
    environment = {**os.environ, "FLOWFAST_BINARY": given.flowfast}
    print("| workload | packets | program | flows × columns | wall s | CPU s | of them start s | peak MiB | ns CPU/packet | wall ÷ | CPU ÷ | CPU/packet ÷ |")
    print("| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |")
    nothing = generate(given.generate, WORKLOADS[0], 0.000002, folder)
    for workload in WORKLOADS:
        capture = generate(given.generate, workload, part * given.scale, folder)
        large = generate(given.generate, workload, PART * given.scale, folder)
        kinds = {"ours": (ours, capture), "ours, start": (ours, nothing), "ours, large": (ours, large),
                 "theirs": (theirs, capture), "theirs, start": (theirs, nothing)}  # fmt: skip
        runs: dict[str, list[tuple[float, float, float, str]]] = {kind: [] for kind in kinds}
        for _ in range(given.runs):
            for kind, ((python, code), path) in kinds.items():
                runs[kind].append(cost(python, code, path, environment))
        found = {kind: medians(values) for kind, values in runs.items()}
        number, of_large = packets(given.flowfast, capture), packets(given.flowfast, large)
        each = {"ours": (found["ours, large"][1] - found["ours, start"][1]) / of_large * 1e9,
                "theirs": (found["theirs"][1] - found["theirs, start"][1]) / number * 1e9}  # fmt: skip
        for kind, of in (("ours", f"flowfast, profile {profile}"), ("theirs", name)):
            wall, cpu, mib = found[kind]
            rows, width = runs[kind][0][3].split()
            ratios = "| | |"
            if kind == "theirs":
                ratios = f"| {wall / found['ours'][0]:.1f} | {cpu / found['ours'][1]:.1f} | {each['theirs'] / each['ours']:.0f}"
            print(f"| {workload} | {number} | {of} | {rows} × {width} | {wall:.2f} | {cpu:.2f} | {found[f'{kind}, start'][1]:.2f} | {mib:.0f} | {each[kind]:.0f} {ratios} |", flush=True)
        capture.unlink()
        large.unlink(missing_ok=True)


# Runs in the environment of flowfast: capture, command, number of runs.
OVERHEAD = """
import resource, subprocess, statistics, sys, time
import flowfast
capture, command, number = sys.argv[1], sys.argv[2], int(sys.argv[3])

def cpu():
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))

def measure(function):
    start, used = time.perf_counter(), cpu()
    function()
    return time.perf_counter() - start, cpu() - used

def bare():
    with open("/dev/null", "wb") as sink:
        subprocess.run([command, "-q", "--format=arrows", capture, "-"], stdout=sink, check=True)

def csv():
    with open("/dev/null", "wb") as sink:
        subprocess.run([command, "-q", capture, "-"], stdout=sink, check=True)

def first():
    with flowfast.stream(capture, idle_timeout=1) as batches:
        next(batches)

flowfast.read(capture).arrow()
runs = {bare: [], (lambda: flowfast.read(capture).arrow()): [], csv: [], first: []}
for _ in range(number):
    for function, found in runs.items():
        found.append(measure(function))
for found in runs.values():
    print(*(statistics.median(column) for column in zip(*found)))
"""


# By workload, the part of it: the rows of dos are larger than the capture.
LARGE = {"benign": 1.5, "slow": 1.5, "dos": 0.3}


def overhead(given: argparse.Namespace, folder: Path) -> None:
    print("| workload | packets | bytes | command to arrows, wall and CPU s | .arrow(), wall and CPU s | wall ÷ | CPU ÷ | command to CSV, wall and CPU s | first batch s, idle_timeout=1 |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    for workload, part in LARGE.items():
        capture = generate(given.generate, workload, part * given.scale, folder)
        python = given.venvs / "flowfast" / "bin" / "python"
        done = subprocess.run([python, "-c", OVERHEAD, capture, given.flowfast, str(given.runs)], check=True, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "FLOWFAST_BINARY": given.flowfast})  # fmt: skip
        bare, arrow, csv, first = ([float(v) for v in line.split()] for line in done.stdout.splitlines())
        print(f"| {workload} | {packets(given.flowfast, capture)} | {capture.stat().st_size} | {bare[0]:.2f} {bare[1]:.2f} | "
              f"{arrow[0]:.2f} {arrow[1]:.2f} | {arrow[0] / bare[0]:.2f} | {arrow[1] / bare[1]:.2f} | {csv[0]:.2f} {csv[1]:.2f} | {first[0]:.3f} |", flush=True)  # fmt: skip
        capture.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--venvs", type=Path, required=True, help="folder with the environments flowfast, nfstream and cicflowmeter")
    parser.add_argument("--flowfast", required=True, help="the command")
    parser.add_argument("--generate", required=True, help="the program of bench/cmd/generate")
    parser.add_argument("--scale", type=float, default=1, help="part of the usual size of the captures")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program, of which the medians are told")
    parser.add_argument("--only", choices=(*PEERS, "arrow"), action="append", help="one of the tables; can be given several times")
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.0f} at the start; {' '.join(sys.argv[1:])}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for peer in PEERS:
            if given.only is None or peer in given.only:
                compare(given, peer, Path(folder))
                print()
        if given.only is None or "arrow" in given.only:
            overhead(given, Path(folder))


if __name__ == "__main__":
    main()
