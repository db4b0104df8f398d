"""What flowfast.spark.write costs: CPU time of the processes of a job, against that of one machine's.

    make bench-spark

Small jobs come first in each session, which start the workers and have the JVM load
and compile what jobs have in common: that is the engine's start, and is left out.
Commands, Python and JVM are told apart by their processes, and the compiler of the
JVM, which goes on for some jobs more, by its threads; the last line has the medians. The bytes of the shuffle are
those of its files. Memory is the largest sum of a worker of Python and its command,
looked at every 20 ms, in a run of its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
KINDS = ("command", "python", "jvm", "compiler")


class Process:
    """A process as /proc has it."""

    def __init__(self, pid: int) -> None:
        stat = Path(f"/proc/{pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2 :].split()
        self.pid, self.parent = pid, int(fields[1])
        self.own = (int(fields[11]) + int(fields[12])) / TICK
        self.waited = (int(fields[13]) + int(fields[14])) / TICK
        self.resident = int(fields[21]) * PAGE
        self.line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")

    @property
    def kind(self) -> str:
        if "pyspark" in self.line and "daemon" in self.line or "pyspark.worker" in self.line:
            return "python"
        return "jvm" if "java" in self.line.split("\0")[0] else "command"


def below(root: int) -> list[Process]:
    """Return the processes that a process has started, and theirs."""
    found: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                p = Process(int(name))
            except (OSError, ValueError):
                continue
            found.setdefault(p.parent, []).append(p)
    all_of, left = [], [root]
    while left:
        children = found.get(left.pop(), [])
        all_of += children
        left += [c.pid for c in children]
    return all_of


def spent() -> dict[str, float]:
    """Return the CPU seconds of the processes of Spark by kind, and of the threads of the JVM that compile."""
    sums = dict.fromkeys(KINDS, 0.0)
    for p in below(os.getpid()):
        sums[p.kind] += p.own
        sums["command" if p.kind == "python" else p.kind] += p.waited
        if p.kind == "jvm":
            compiling = sum(thread_time(t) for t in Path(f"/proc/{p.pid}/task").iterdir())
            sums["jvm"] -= compiling
            sums["compiler"] += compiling
    return sums


def thread_time(task: Path) -> float:
    """Return the CPU seconds of a thread if it compiles, 0 if not."""
    try:
        stat = (task / "stat").read_text()
    except OSError:
        return 0
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / TICK if " CompilerThre" in stat else 0


def largest(job: Callable[[], Any]) -> int:
    """Return the bytes of the largest worker with its command while a job runs."""
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            of = below(os.getpid())
            for p in of:
                if p.kind == "python":
                    most = max(most, p.resident + sum(c.resident for c in of if c.parent == p.pid and c.kind == "command"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        job()
    finally:
        done.set()
        watcher.join()
    return most


def files(source: str) -> list[str]:
    return sorted(map(str, Path(source).iterdir())) if os.path.isdir(source) else [source]


def alone(command: str, capture: str, profile: str, folder: Path) -> float:
    """Return the CPU seconds of one machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([command, "--quiet", "-j1", "--join", "--profile", profile, *files(capture), str(folder / "rows.parquet")], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--small", required=True, help="a capture for the first job of a session")
    parser.add_argument("--buckets", type=int, default=16)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--warm", type=int, default=3, help="small jobs that come first")
    parser.add_argument("--memory", action="store_true", help="measure memory as well")
    parser.add_argument("--profile", default="default")
    parser.add_argument("--unnumbered", action="store_true", help="leave out columns that number all rows")
    parser.add_argument("captures", nargs="+", help="captures, or folders of them")
    arguments = parser.parse_args()
    from pyspark.sql import SparkSession

    import flowfast.spark

    os.environ["PYSPARK_PYTHON"] = sys.executable
    folder = Path(tempfile.mkdtemp(prefix="flowfast-cluster-"))
    builder = SparkSession.builder.master("local[2]").config("spark.local.dir", str(folder / "spark"))
    builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    # Threads that compile stay, so that their time does.
    builder = builder.config("spark.driver.extraJavaOptions", "-XX:-UseDynamicNumberOfCompilerThreads")
    try:
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        number = 0
        options = {"profile": arguments.profile, "unnumbered": arguments.unnumbered}

        def job(source: str) -> None:
            nonlocal number
            number += 1
            flowfast.spark.write(spark, source, folder / f"out-{number}", buckets=arguments.buckets, **options)
            shutil.rmtree(folder / f"out-{number}")

        def shuffled() -> dict[Path, int]:
            # Spark removes files of jobs that are over when it likes.
            return {f: f.stat().st_size for f in (folder / "spark").rglob("shuffle_*.data")}

        for _ in range(arguments.warm):
            job(arguments.small)
        for capture in arguments.captures:
            runs = []
            for _ in range(arguments.runs):
                one = alone(flowfast.binary(), capture, arguments.profile, folder)
                before, there = spent(), shuffled()
                job(capture)
                after = spent()
                runs.append({"one": one, **{k: after[k] - before[k] for k in after}, "shuffle": sum(n for f, n in shuffled().items() if f not in there)})
            size = sum(map(os.path.getsize, files(capture)))
            print(f"{os.path.basename(capture)}: shuffle {runs[-1]['shuffle'] / size:.4f} of the capture")
            for r in [*runs, {k: statistics.median(r[k] for r in runs) for k in runs[0]}]:
                job_of = r["command"] + r["python"] + r["jvm"]
                print(
                    f"   one machine {r['one']:.2f} CPU s, commands {r['command']:.2f}, Python {r['python']:.2f}, JVM {r['jvm']:.2f}: "
                    f"ratio {job_of / r['one']:.2f}, with its compiler {r['compiler']:.2f}, {(job_of + r['compiler']) / r['one']:.2f}",
                    flush=True,
                )
            if arguments.memory:
                print(f"   memory of a task {largest(lambda: job(capture)) / (1 << 20):.0f} MiB", flush=True)  # noqa: B023
        spark.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
