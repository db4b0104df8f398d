"""Spark, which has a target of its own: make spark.

FLOWFAST_SPARK names the masters that are tried: local[2], local-cluster[2,1,1024] and standalone.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowfast

MASTERS = os.environ.get("FLOWFAST_SPARK", "").split()
LOCAL = [m for m in MASTERS if m != "standalone"]  # test_spark_standalone.py has that
DATA = Path(__file__).parents[2] / "testdata"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Spark has processes and files of its own while it runs."""
    yield


@pytest.fixture(scope="module", params=LOCAL)
def spark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    calls = tmp_path_factory.mktemp("calls")
    wrapper = tmp_path_factory.mktemp("bin") / "flowfast"
    wrapper.write_text(_WRAPPER.format(binary=flowfast.binary(), calls=calls))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    builder = SparkSession.builder.master(request.param).config("spark.ui.enabled", "false")
    builder = builder.config("spark.executorEnv.FLOWFAST_BINARY", str(wrapper)).config("spark.executorEnv.PYTHONPATH", os.pathsep.join(sys.path))
    builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.task.maxFailures", "4")
    # These jobs are over before the second compiler of the JVM has paid: it took a third of their CPU time.
    builder = builder.config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
    before = os.environ.get("FLOWFAST_BINARY")
    os.environ["FLOWFAST_BINARY"] = str(wrapper)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    session.calls = calls
    yield session
    session.stop()
    os.environ.pop("FLOWFAST_BINARY") if before is None else os.environ.update(FLOWFAST_BINARY=before)


# A program in front of the command that kills the executor that runs it, once, where a
# file says so.
_WRAPPER = """#!/bin/sh
if mv {calls}/kill-$1 {calls}/killed-$1 2>/dev/null; then
  pid=$$
  while [ "$pid" -gt 1 ]; do
    pid=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$pid/stat)
    if tr '\\0' ' ' </proc/$pid/cmdline | grep -q CoarseGrainedExecutorBackend; then kill -9 "$pid"; sleep 60; fi
  done
fi
exec {binary} "$@"
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of captures, plain and compressed, of which one is damaged."""
    folder = tmp_path_factory.mktemp("archive")
    for name in ("web", "reuse", "dns", "fragments", "any-sll", "options"):
        for found in DATA.glob(f"{name}.pcap*"):
            shutil.copy(found, folder / found.name)
    plain = flowfast_pcap(60)
    (folder / "udp.pcap.gz").write_bytes(gzip.compress(plain))
    (folder / "zz-damaged.pcap").write_bytes(plain + b"\0" * 4 + b"\xff" * 64)
    return folder


def flowfast_pcap(n: int) -> bytes:
    b = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0"
    for i in range(n):
        udp = (1000 + i % 3).to_bytes(2, "big") + b"\0\x50\0\x08\0\0"
        frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc6\x33\x64\1" + udp
        b += (1_795_433_932 + 10 * i).to_bytes(4, "little") + b"\0\0\0\0" + len(frame).to_bytes(4, "little") * 2 + frame
    return b


def joined(folder: Path, **options: Any) -> pa.Table:
    files = sorted(str(f) for f in folder.iterdir())
    try:
        return flowfast.read(files, join=True, **options).arrow()
    except flowfast.CaptureError as error:
        return error.partial.arrow()


def rows(table: pa.Table) -> list[str]:
    """Return rows as text in order, times as nanoseconds."""
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(i, field.name, table.column(i).cast(pa.int64()))
    return sorted(json.dumps(row) for row in table.to_pylist())


def written(folder: Path, buckets: int) -> list[pa.Table]:
    """Return the parts of a data set, which are whole and no more than these."""
    parts = sorted(p for p in (folder / "data").iterdir() if not p.name.startswith("_"))
    assert [p.name for p in parts] == [f"part-{b:05d}-000.parquet" for b in range(buckets)]
    return [pq.read_table(p) for p in parts]


LABELS = """default: other
rules:
  - {name: web, label: web, where: dst_port == 80}
"""


@pytest.mark.parametrize("profile", ["default", "full", "cicflowmeter", "nfstream", "labels"])
def test_equal(spark: Any, archive: Path, tmp_path: Path, profile: str) -> None:
    import flowfast.spark

    options: dict[str, Any] = {"profile": profile, "idle_timeout": 5}
    if profile == "labels":
        (tmp_path / "rules.yaml").write_text(LABELS)
        options = {"labels": tmp_path / "rules.yaml"}
    got = flowfast.spark.flows(spark, f"{archive}/*", buckets=3, nanoseconds=True, **options)
    table = got.toArrow()
    want = joined(archive, **options)
    assert table.column_names == want.column_names and ("id" in table.column_names) == (profile == "nfstream")
    assert rows(table) == rows(want)
    assert len(table) > 100
    assert len(got.flowfast_report.captures) == len(list(archive.iterdir()))
    assert "zz-damaged" in "".join(got.flowfast_report.errors)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of all recorded captures that can be read to their end."""
    shared = DATA.parents[1] / "shared" / "captures"
    if not shared.is_dir():
        pytest.skip("there are no shared captures beside this checkout")
    folder = tmp_path_factory.mktemp("recorded")
    for found in sorted(shared.iterdir()):
        try:
            flowfast.read(found)
        except flowfast.Error:
            continue
        (folder / found.name).symlink_to(found)
    return folder


@pytest.mark.parametrize("profile", ["default", "full", "cicflowmeter", "nfstream"])
def test_recorded(spark: Any, recorded: Path, profile: str) -> None:
    """All recorded captures are one archive."""
    import flowfast.spark

    got = flowfast.spark.flows(spark, f"{recorded}/*", buckets=5, nanoseconds=True, profile=profile)
    want = joined(recorded, profile=profile)
    assert rows(got.toArrow()) == rows(want) and len(want) > 1000
    assert got.flowfast_report.errors == [] and len(got.flowfast_report.captures) > 50


def test_numbers(spark: Any, archive: Path, tmp_path: Path) -> None:
    """One bucket knows the numbers of all rows, several have them sorted."""
    import flowfast.spark

    want = joined(archive, profile="nfstream")
    got = flowfast.spark.flows(spark, str(archive), buckets=1, nanoseconds=True, profile="nfstream").toArrow()
    assert rows(got) == rows(want) and got.column_names == want.column_names
    bare = flowfast.spark.flows(spark, str(archive), buckets=4, profile="nfstream", unnumbered=True)
    assert bare.columns == want.column_names[1:]
    one = flowfast.spark.write(spark, str(archive), tmp_path / "one", buckets=1, profile="nfstream")
    many = flowfast.spark.write(spark, str(archive), tmp_path / "many", buckets=7, profile="nfstream")
    parts = written(tmp_path / "many", 7)
    assert rows(pa.concat_tables(parts)) == rows(want)
    ids = [part.column("id").to_pylist() for part in parts]
    assert sum(ids, []) == list(range(len(want)))
    assert parts[0].schema.equals(written(tmp_path / "one", 1)[0].schema, check_metadata=True)
    assert sorted(many.buckets) == list(range(7)) and one.dict()["flows"] == many.dict()["flows"] == len(want)
    assert len(many.captures) == len(one.captures) and many.errors == one.errors
    described = json.loads((tmp_path / "many" / "dataset.json").read_text())
    assert described["flowfast"]["rows"] == len(want)


@pytest.mark.parametrize("profile", ["default", "nfstream"])
def test_parts(spark: Any, tmp_path: Path, profile: str) -> None:
    """One capture that many read makes the rows of one machine."""
    import flowfast.spark
    from pyarrow import fs

    (tmp_path / "in").mkdir()
    capture = tmp_path / "in" / "web.pcap"
    with open(capture, "wb") as out:
        packed = (DATA / "web.pcap.zst").read_bytes()
        out.write(pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read())
    size = capture.stat().st_size // 5
    options: dict[str, Any] = {"profile": profile, "buckets": 3, "part_size": size}
    elsewhere = fs.SubTreeFileSystem("/", fs.LocalFileSystem())
    want = joined(tmp_path / "in", profile=profile)
    got = flowfast.spark.flows(spark, capture, nanoseconds=True, filesystem=elsewhere, **options)
    assert got.rdd.getNumPartitions() == 3
    assert rows(got.toArrow()) == rows(want) and len(want) > 100
    report = flowfast.spark.write(spark, capture, tmp_path / "out", **options)
    assert rows(pa.concat_tables(written(tmp_path / "out", 3))) == rows(want)
    (said,) = report.captures
    one = flowfast.read(capture, profile=profile).summary
    assert (said["packets"], said["classes"]) == (one.packets, one.classes.dict()) and report.errors == []
    described = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert described["flowfast"]["rows"] == len(want)


def test_types(spark: Any, archive: Path) -> None:
    import flowfast.spark

    frame = flowfast.spark.flows(spark, archive / "web.pcap.zst", buckets=2)
    types = {f.name: f.dataType.simpleString() for f in frame.schema}
    assert types["src_ip"] == "string" and types["src_port"] == "int" and types["protocol"] == "smallint"
    assert types["start_time"] == "timestamp" and types["fwd_tot_pkt"] == "bigint" and types["duration"] == "double"
    assert frame.schema["duration"].metadata["unit"] == "seconds"
    assert frame.where("dst_port = 80").count() == flowfast.read(archive / "web.pcap.zst").pandas().query("dst_port == 80").shape[0]


def test_write(spark: Any, archive: Path, tmp_path: Path) -> None:
    import flowfast.spark

    report = flowfast.spark.write(spark, str(archive), tmp_path / "out", buckets=3)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "DATASET.md", "_flowfast-summary.json", "data", "dataset.json", "flowfast-manifest.json"
    ]  # fmt: skip
    parts = written(tmp_path / "out", 3)
    want = joined(archive)
    assert rows(pa.concat_tables(parts)) == rows(want)
    assert parts[0].schema.metadata[b"flowfast.profile"] == want.schema.metadata[b"flowfast.profile"]
    said = json.loads((tmp_path / "out" / "_flowfast-summary.json").read_text())
    assert said["flows"] == len(want) and said["packets"] == sum(c["packets"] for c in said["captures"])
    described = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert described["flowfast"]["rows"] == len(want) and [c["name"] for c in described["flowfast"]["columns"]] == want.column_names
    assert [e for e in report.errors if "zz-damaged" in e] and said["errors"] == report.errors
    with pytest.raises(FileExistsError):
        flowfast.spark.write(spark, str(archive), tmp_path / "out", buckets=3)


@pytest.mark.parametrize("stage", ["partition", "flows"])
def test_executor_killed(spark: Any, archive: Path, tmp_path: Path, stage: str) -> None:
    import flowfast.spark

    if not spark.sparkContext.master.startswith("local-cluster"):
        pytest.skip("this master has no executors of their own")
    spark.sql("select 1").collect()
    (spark.calls / f"killed-{stage}").unlink(missing_ok=True)
    marker = spark.calls / f"kill-{stage}"
    # The driver asks the command as well.
    import threading

    threading.Timer(1, marker.touch).start()
    while not marker.exists() and not (spark.calls / f"killed-{stage}").exists():
        time.sleep(0.1)
    report = flowfast.spark.write(spark, str(archive), tmp_path / "out", buckets=3)
    assert (spark.calls / f"killed-{stage}").exists(), "no executor was killed"
    assert rows(pa.concat_tables(written(tmp_path / "out", 3))) == rows(joined(archive))
    assert len(report.captures) == len(list(archive.iterdir()))


def test_hash() -> None:
    import pyspark.sql.functions as f
    from pyspark.sql import SparkSession

    from flowfast._cluster import partition_key

    session = SparkSession.getActiveSession()
    if session is None:
        pytest.skip("no session")
    keys = [partition_key(b, 7) for b in range(7)]
    got = session.createDataFrame([(k,) for k in keys], "k int").select(f.expr("pmod(hash(k), 7)")).collect()
    assert [r[0] for r in got] == list(range(7))
