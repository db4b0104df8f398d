"""What tasks of Spark do, without Spark; test_spark.py has that."""

from __future__ import annotations

import gc
import gzip
import hashlib
import importlib
import json
import random
import sys
import zipfile
import zipimport
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import HEAD, packet

import flowfast
from flowfast import _cluster, _numbered, _pieces, spark


@pytest.fixture
def archive(tmp_path: Path, make: Callable[[int], bytes]) -> Path:
    """Return a folder of rotated captures, whose flows cross them, and of which one is damaged."""
    folder = tmp_path / "archive"
    (folder / "deep").mkdir(parents=True)
    flows = [packet(20 * k)[:16] + packet(k if k % 3 == 0 else k % 40)[16:] for k in range(3000)]
    (folder / "a.pcap").write_bytes(HEAD + b"".join(flows[:1000]))
    (folder / "deep" / "b.pcap.gz").write_bytes(gzip.compress(HEAD + b"".join(flows[1000:2500])))
    (folder / "deep" / "c.pcap").write_bytes(HEAD + b"".join(flows[2500:]) + b"\0" * 4 + b"\xff" * 60)
    (folder / "notes.txt").write_text("no capture")
    (folder / "_b.pcap").write_text("hidden")
    return folder


def names(found: list[_cluster.Capture], folder: Path) -> list[str]:
    return [c.name.removeprefix(f"{folder}/") for c in found]


def test_find(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = ["a.pcap", "deep/b.pcap.gz", "deep/c.pcap"]
    assert names(_cluster.find(archive, None), archive) == every
    assert names(_cluster.find(f"{archive}/*.pcap", None), archive) == ["_b.pcap", "a.pcap"]
    assert names(_cluster.find(f"{archive}/*/*.gz", None), archive) == every[1:2]
    assert names(_cluster.find([archive / "deep", f"{archive}/a.pcap", f"{archive}/a*"], None), archive) == every
    assert _cluster.find(archive / "a.pcap", None)[0].size == (archive / "a.pcap").stat().st_size
    assert [c.name for c in _cluster.find(f"file://{archive}/deep/*.gz", None)] == [f"file://{archive}/deep/b.pcap.gz"]
    monkeypatch.chdir(archive)
    assert [c.name for c in _cluster.find("deep/*", None)] == every[1:]
    with pytest.raises(FileNotFoundError, match="nothing"):
        _cluster.find("nothing/*.pcap", None)


def test_groups() -> None:
    captures = [_cluster.Capture(str(n), "", n % 7, None) for n in range(30_000)]
    of = _pieces.pieces(captures, None)
    tasks = _pieces.groups(of)
    assert sum(tasks, []) == list(range(30_000)) and len(tasks) < 20_000
    assert _pieces.groups(of[:5]) == [[0], [1], [2], [3], [4]]


def test_pieces() -> None:
    captures = [_cluster.Capture(name, "", 1000, None) for name in ("a.pcap", "b.pcap.GZ", "c.pcapng")]
    assert [(p.capture.name[0], p.part, p.of) for p in _pieces.pieces(captures, 400)] == [
        ("a", 1, 2), ("a", 2, 2), ("b", 1, 1), ("c", 1, 2), ("c", 2, 2)
    ]  # fmt: skip
    assert [p.of for p in _pieces.pieces(captures, None)] == [p.of for p in _pieces.pieces(captures, 501)] == [1, 1, 1]
    with pytest.raises(ValueError, match="0 bytes"):
        _pieces.pieces(captures, 0)


def test_whole() -> None:
    """Parts that count are those of flowfast flows."""

    def said(part: int, through: int, packets: int, *errors: str) -> dict[str, object]:
        return {"captures": [part], "packets": packets, "errors": list(errors), "part": {"part": part, "parts": 4, "through": through}}

    assert [s["packets"] for s in _pieces.whole([said(1, 1, 5), said(2, 3, 7), said(3, 3, 90, "no record"), said(4, 4, 9)])] == [21]
    first, second = _pieces.whole([said(1, 1, 5), said(2, 2, 7, "damaged"), said(3, 3, 90), said(4, 4, 90), {"packets": 8, "errors": []}])
    assert (first["packets"], first["errors"], first["captures"], second) == (12, ["damaged"], [1], {"packets": 8, "errors": []})


def test_spark_hash() -> None:
    # select hash(0), hash(1), hash(42), hash(-1) in Spark 4.0.1
    assert [_cluster._spark_hash(v) for v in (0, 1, 42, -1)] == [933211791, -559580957, 29417773, -1604776387]
    assert sorted(_cluster._spark_hash(_cluster.partition_key(b, 9)) % 9 for b in range(9)) == list(range(9))


def test_begin_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No task has Python read zip files anew that it has modules of, nor collect what its modules hold."""
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packed:
        packed.writestr("flowfast_packed.py", "value = 7")
        packed.writestr("flowfast_late.py", "value = 8")
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))
    assert importlib.import_module("flowfast_packed").value == 7
    assert str(tmp_path / "packed.zip") in sys.path_importer_cache
    try:
        _cluster.begin_task()
        assert gc.get_freeze_count() > 1000
        before = gc.get_freeze_count()
        held = [[] for _ in range(1000)]
        _cluster.begin_task()  # what is made later can be garbage
        assert gc.get_freeze_count() <= before and held
    finally:
        gc.unfreeze()
    assert [p for p, f in sys.path_importer_cache.items() if isinstance(f, zipimport.zipimporter)] == []
    assert importlib.import_module("flowfast_late").value == 8


def shuffled(of: list[_pieces.Piece], given: dict[str, object], buckets: int, told: Any = None) -> pa.Table:
    """Map, shuffle in any order, and reduce."""
    job = _cluster.commands("flows", buckets, given, frozenset())
    pieces: dict[int, list[tuple[object, ...]]] = {}
    for number, piece in enumerate(of):
        for row in spark._blocks(job, piece, number, list(range(buckets)), told):
            pieces.setdefault(row[0], []).append(row)
    columns, numbers = job.schema()
    tables = []
    for rows in pieces.values():
        random.Random(1).shuffle(rows)
        batch = pa.RecordBatch.from_pylist(
            [dict(zip(("key", "bucket", "capture", "size", "at", "data"), r, strict=True)) for r in rows]
        )
        if numbers and buckets > 1:
            bare = pa.schema([f for f in spark._arrow_schema(columns, True) if f.name not in numbers])
            gathered = spark._gather(iter([batch]))
            of_rows = spark._made(job, gathered, {}, f"--order={buckets}")
            tables += list(_numbered.ranged(of_rows, bare, list(range(buckets)), lambda: {7: "told"}))
        else:
            tables += list(spark._rows(job, True)(iter([batch])))
    if numbers and buckets > 1:
        tables = in_ranges(tables, buckets, spark._arrow_schema(columns, True))
    assert tables[0].schema.names == columns.names and bool(numbers) == (given["profile"] == "nfstream")
    return pa.Table.from_batches(tables)


@pytest.mark.parametrize("buckets", [1, 5])
@pytest.mark.parametrize("profile", ["default", "nfstream"])
def test_equal(archive: Path, profile: str, buckets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "_PIECE", 300)
    given = {"profile": profile, "idle_timeout": 2.5, "end_reason": True}
    captures = _cluster.find(archive, None)
    got = shuffled(_pieces.pieces(captures, None), given, buckets)
    with pytest.raises(flowfast.CaptureError) as failed:
        flowfast.read([c.path for c in captures], join=True, **given)
    want = failed.value.partial.arrow()
    want = want.cast(spark._arrow_schema(want.schema, True))
    assert sorted(map(str, got.to_pylist())) == sorted(map(str, want.to_pylist()))
    assert len(got) > 500 or profile != "default"


@pytest.mark.parametrize("seed", range(8))
def test_numbers(tmp_path: Path, seed: int) -> None:
    """Rows are numbered as one machine numbers them, where many packets have the same time."""
    r = random.Random(seed)
    files = [tmp_path / f"{r.choice('abc')}{n}.pcap" for n in range(4)]
    packets: list[list[bytes]] = [[] for _ in files]
    number = 0
    for _ in range(800):
        number += r.choice((0, 0, 0, 1, 40, 3000))
        late = r.choice((0, 0, 0, 0, 2, 50))
        packets[min(3, r.randrange(5) * number // 500_000)].append(packet(max(0, number - late))[:16] + packet(r.randrange(90))[16:])
    for path, frames in zip(files, packets, strict=True):
        path.write_bytes(HEAD + b"".join(frames))
    given = {"profile": "nfstream", "idle_timeout": 30}
    captures = _cluster.find(tmp_path, None)
    got = shuffled(_pieces.pieces(captures, None if seed % 2 else 3000), given, 2 + seed)
    want = flowfast.read(sorted(files), join=True, **given).arrow()
    assert got.to_pylist() == want.cast(spark._arrow_schema(want.schema, True)).to_pylist()
    assert len(got) > 400


class Elsewhere:
    """A file system of fsspec's kind."""

    def open(self, path: str, mode: str, **options: object) -> BinaryIO:
        assert mode == "rb" and options["compression"] is None
        return open(path, mode)


@pytest.mark.parametrize("system", ["local", "arrow", "fsspec"])
def test_parts(archive: Path, tmp_path: Path, system: str) -> None:
    """One capture in parts makes the rows of the whole, from any file system, damage included."""
    from pyarrow import fs

    path = tmp_path / "one.pcap"
    frames = [packet(20 * k)[:16] + packet(k if k % 3 == 0 else k % 40)[16:] for k in range(3000)]
    path.write_bytes(HEAD + b"".join(frames[:2500]) + b"\0" * 4 + b"\xff" * 60 + b"".join(frames[2500:]))
    where = {"local": fs.LocalFileSystem(), "arrow": fs.SubTreeFileSystem("/", fs.LocalFileSystem()), "fsspec": Elsewhere()}[system]
    of = _pieces.pieces([_cluster.Capture("one", str(path), path.stat().st_size, where)], path.stat().st_size // 5)
    assert len(of) == 5
    given = {"profile": "default", "idle_timeout": 2.5}
    told = Told()
    got = shuffled(of, given, 4, told)
    with pytest.raises(flowfast.CaptureError) as failed:
        flowfast.read(path, **given)
    want = failed.value.partial.arrow()
    want = want.cast(spark._arrow_schema(want.schema, True))
    assert sorted(map(str, got.to_pylist())) == sorted(map(str, want.to_pylist())) and len(got) > 500
    (said,) = _pieces.whole(told.values[n] for n in range(5))
    assert said["packets"] == 2500 and len(said["errors"]) == 1 and said["captures"][0]["name"] in ("one", str(path))


def test_part_read_through(tmp_path: Path) -> None:
    """Behind another header of a file all is read by the part that has it, and counted once."""
    path = tmp_path / "two.pcap"
    frames = [packet(20 * k)[:16] + packet(k % 40)[16:] for k in range(900)]
    path.write_bytes(HEAD + b"".join(frames[:400]) + HEAD + b"".join(frames[400:]))
    told = Told()
    of = _pieces.pieces(_cluster.find(path, None), path.stat().st_size // 6)
    got = shuffled(of, {"profile": "default", "idle_timeout": 1}, 3, told)
    assert len(of) == 6 and told.values[2]["part"]["through"] == 6 and told.values[1]["part"]["through"] == 2
    (said,) = _pieces.whole(told.values[n] for n in range(6))
    want = flowfast.read(path, idle_timeout=1)
    assert said["packets"] == want.summary.packets == 900 and len(got) == len(want.arrow())


class Told:
    """What tasks tell the driver."""

    def __init__(self) -> None:
        self.values: dict[int, dict[str, Any]] = {}

    def add(self, of: dict[int, dict[str, Any]]) -> None:
        self.values |= of


def in_ranges(batches: list[pa.RecordBatch], ranges: int, schema: pa.Schema) -> list[pa.RecordBatch]:
    """Sort rows as Spark does, and number them, in batches of a few rows."""
    rows = pa.Table.from_batches(batches)
    numbered = []
    for key in range(ranges):
        own = rows.filter(pc.equal(rows["order_key"], key)).sort_by([(c, "ascending") for c in _numbered.ORDER])
        told: dict[int, str] = {}
        numbered += list(_numbered.numbered(iter(own.to_batches(max_chunksize=7)), schema, told))
        assert told == ({7: "told"} if key == 7 % ranges else {})
        assert len(own) < 0.9 * len(rows)
    return numbered


def test_put(tmp_path: Path) -> None:
    to = _cluster.destination(tmp_path / "out", None)
    to.begin("data")
    for text in (b"one", b"two"):  # a task that runs twice
        to.write("data/part", text)
    with pytest.raises(OSError, match="no more"), _cluster.put(to, "data/other", lambda stream: stream.write(b"half")):
        raise OSError("no more")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out" / "data").iterdir()} == {"part": b"two"}
    (tmp_path / "out" / "data" / "_other.1234").write_bytes(b"left by a task that was killed")
    to.sweep("data")
    assert [p.name for p in (tmp_path / "out" / "data").iterdir()] == ["part"]
    with pytest.raises(FileExistsError):
        to.begin("data")


def test_skew() -> None:
    """A bucket that is far larger than the others is told."""
    even = spark.Report(buckets={b: {"packets": 100 + b} for b in range(8)})
    assert even.warnings == []
    even.buckets[5] = {"packets": 5000, "warnings": ["late"]}
    assert even.warnings[0] == "late"
    assert even.warnings[1].startswith("skew: bucket 5 of 8 has 5000 of 5723 packets; more buckets")


def test_files_that_options_name(tmp_path: Path, archive: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("default: other\nrules:\n  - {name: dns, label: dns, where: dst_port == 53}\n")
    job = _cluster.commands("write", 1, {"labels": rules}, frozenset())
    rules.unlink()
    assert "label" in job.schema()[0].names
    to = _cluster.destination(tmp_path / "out", None)
    to.begin("data")
    rows = list(spark._blocks(job, _pieces.pieces(_cluster.find(archive / "a.pcap", None), None)[0], 0, [0], None))
    batch = pa.RecordBatch.from_pylist([dict(zip(("key", "bucket", "capture", "size", "at", "data"), r, strict=True)) for r in rows])
    done = pa.Table.from_batches(list(spark._files(job, to)(iter([batch])))).to_pylist()
    said = {row["bucket"]: json.loads(row["part"] or row["summary"]) for row in done}
    part = tmp_path / "out" / "data" / "part-00000-000.parquet"
    assert set(pq.read_table(part).column("label").to_pylist()) == {"dns"}
    assert list((tmp_path / "out").rglob("*.*")) == [part]
    assert (said[0]["path"], said[0]["size"]) == ("data/part-00000-000.parquet", part.stat().st_size)

    captures = _cluster.find(archive, None)
    told = json.loads(next(row["summary"] for row in done if row["bucket"] == 0))
    job.describe(to, [(captures[0], said[-1])], [{**said[0], "summary": told}])
    page = (tmp_path / "out" / "DATASET.md").read_text()
    assert "| a.pcap | " in page and "    flowfast -r --join --labels rules.yaml INPUT OUTPUT.parquet\n" in page
    described = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert described["name"] == "archive" and described["flowfast"]["rows"] == told["flows"] > 0
    for file in described["distribution"][1:]:
        content = (tmp_path / "out" / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest() and file["contentSize"] == str(len(content))


def test_arguments() -> None:
    with pytest.raises(TypeError, match="bukkets"):
        _cluster.commands("flows", 1, {"bukkets": 3}, frozenset())
    with pytest.raises(ValueError, match="0 buckets"):
        _cluster.commands("flows", 0, {}, frozenset())
    job = _cluster.commands("flows", 2, {"idle_timeout": 5, "protocols": "all", "profile": "full"}, frozenset())
    assert job.of_partition == ("--protocols=all", "--profile=full")
    assert job.of_flows == ("--idle-timeout=5", "--profile=full")
