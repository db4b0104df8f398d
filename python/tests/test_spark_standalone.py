"""Spark's own cluster manager with two workers, each a host of its own: make spark.

Only there do tasks run twice: the second attempt of a slow one needs another host.
"""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from test_spark import MASTERS, archive, joined, nothing_left, rows, written

import flowfast

__all__ = ["archive", "nothing_left"]
pytestmark = pytest.mark.skipif("standalone" not in MASTERS or sys.platform != "linux", reason="Spark is tried by make spark")


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a master that has two workers."""
    import pyspark

    folder = tmp_path_factory.mktemp("standalone")
    program = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    # Workers know nothing of this checkout.
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "FLOWFAST_BINARY")} | {"PYSPARK_PYTHON": sys.executable}
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, kind: str, *arguments: str) -> Path:
        log = folder / f"{name}.log"
        with open(log, "wb") as to:
            command = [program, f"org.apache.spark.deploy.{kind}", "--webui-port", "0", *arguments]
            started.append(subprocess.Popen(command, stdout=to, stderr=to, env=env, cwd=folder, start_new_session=True))
        return log

    def wait(log: Path, pattern: str) -> str:
        while (found := re.search(pattern, log.read_text())) is None:
            assert started[-1].poll() is None, log.read_text()
            time.sleep(0.1)
        return found[0]

    try:
        log = start("master", "master.Master", "--host", "127.0.0.1", "--port", "0")
        url = wait(log, r"spark://127.0.0.1:\d+")
        for n in (2, 3):
            log = start(f"worker-{n}", "worker.Worker", "--host", f"127.0.0.{n}", "--cores", "1", "--memory", "1g", "-d", str(folder / f"work-{n}"), url)
            wait(log, "Successfully registered with master")
        yield url
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


@pytest.fixture
def spark(master: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a session whose executors have been sent the package, and a command that has one run wait for another."""
    from pyspark.sql import SparkSession

    import flowfast.spark

    calls, real = tmp_path / "calls", flowfast.binary()
    calls.mkdir()
    wrapper = tmp_path / "bin" / "flowfast"
    wrapper.parent.mkdir()
    wrapper.write_text(_WRAPPER.format(binary=real, calls=calls))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
    builder = builder.config("spark.scheduler.minRegisteredResourcesRatio", "1.0").config("spark.executor.memory", "512m")
    builder = builder.config("spark.speculation", "true").config("spark.speculation.interval", "100ms")
    builder = builder.config("spark.speculation.quantile", "0.3").config("spark.speculation.minTaskRuntime", "100ms")
    # What an earlier session of this process asked for stays with its JVM.
    builder = builder.config("spark.executorEnv.FLOWFAST_BINARY", "").config("spark.executorEnv.PYTHONPATH", "")
    session: Any = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    try:
        session.sparkContext.setLogLevel("OFF")
        monkeypatch.setenv("FLOWFAST_BINARY", str(wrapper))
        flowfast.spark.ship(session)
        monkeypatch.setenv("FLOWFAST_BINARY", real)  # for this process
        session.calls = calls
        yield session
    finally:
        session.stop()


# A program in front of the command. Where a file says how many runs there are to be, the
# first one waits for the last.
_WRAPPER = """#!/bin/sh
if [ -e {calls}/wanted-$1 ]; then
  echo $$ >>{calls}/runs-$1
  if mkdir {calls}/slow-$1 2>/dev/null; then
    while [ "$(wc -l <{calls}/runs-$1)" -lt "$(cat {calls}/wanted-$1)" ]; do sleep 0.1; done
  fi
fi
exec {binary} "$@"
"""


@pytest.mark.parametrize("stage", ["none", "partition", "flows"])
def test_twice(spark: Any, archive: Path, tmp_path: Path, stage: str) -> None:
    """A task that runs twice at the same time leaves the rows of one."""
    import flowfast.spark

    tasks = len(list(archive.iterdir())) if stage == "partition" else 3
    if stage != "none":
        (spark.calls / f"wanted-{stage}").write_text(f"{tasks + 1}\n")
    report = flowfast.spark.write(spark, str(archive), tmp_path / "out", buckets=3)
    if stage != "none":
        assert len((spark.calls / f"runs-{stage}").read_text().split()) > tasks
    want = joined(archive)
    assert rows(pa.concat_tables(written(tmp_path / "out", 3))) == rows(want)
    assert not [p.name for p in (tmp_path / "out" / "data").iterdir() if p.name.startswith("_")]
    assert len(report.captures) == len(list(archive.iterdir()))
    assert sum(s["flows"] for s in report.buckets.values()) == len(want)


def test_twice_lazily(spark: Any, archive: Path) -> None:
    """So does one of a data frame, and its report has each capture once."""
    import flowfast.spark

    tasks = len(list(archive.iterdir()))
    got = flowfast.spark.flows(spark, str(archive), buckets=3, nanoseconds=True)
    (spark.calls / "wanted-partition").write_text(f"{tasks + 1}\n")
    assert rows(got.toArrow()) == rows(joined(archive))
    assert len((spark.calls / "runs-partition").read_text().split()) > tasks
    assert len(got.flowfast_report.captures) == tasks
