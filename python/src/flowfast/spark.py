"""Flow tables of many captures on Apache Spark.

    import flowfast.spark
    flows = flowfast.spark.flows(spark, "s3://archive/2026/*.pcap.gz", profile="full")

Captures are read where Spark runs, each by a task of its own. What the rows need of
their packets is shuffled by a hash of the flow key, and a task for each bucket makes
the rows: those of ``flowfast --join`` over all captures. See docs/cluster.md.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._cluster import (
    Commands,
    Destination,
    Digested,
    begin_task,
    commands,
    destination,
    find,
    partition_key,
    put,
    scratch,
)
from ._engine import Engine
from ._errors import EngineError, Error
from ._numbered import numbered, order_fields, ranged, sorted_ranges, write_parquet
from ._pieces import Piece, groups, pieces, whole
from ._summary import added

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Report", "flows", "ship", "write"]

PART_SIZE = 1 << 30  # bytes
_PIECE = 16 << 10  # bytes of a row that is shuffled: an Arrow batch of Spark's has 10,000 rows
_BATCH = 4 << 20  # bytes of the batches that go to Spark
_PRELUDE = struct.Struct("<7sBQ")  # of a block: see package block
_SHUFFLED = "key int, bucket int, capture int, size bigint, at bigint, data binary"
_PARTS = "data"  # the folder of the files, as the command calls it
_SUMMARY = -1  # at: a row that has a capture's summary and no piece of a block


def flows(
    spark: SparkSession,
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    profile: str | None = None,
    splt: int | None = None,
    labels: Any = None,
    buckets: int = 64,
    part_size: int | None = PART_SIZE,
    nanoseconds: bool = False,
    filesystem: Any = None,
    **options: Any,
) -> DataFrame:
    """Return the flows of captures as a Spark data frame, which reads them when it is asked for rows.

    The source is the name of a capture, of a folder, or a pattern such as
    "s3://archive/*.pcap.gz", or a list of such. It is of the file system that the name
    or ``filesystem`` says: one of pyarrow's or fsspec's. Captures are read as one stream in
    the order of time, those of the same time in the order of their names. Other
    keyword arguments are the command's options.

    Each capture is read by a task. Captures that are not compressed are cut into parts of
    ``part_size`` bytes or more, each read by a task, if their file system can read from any
    byte on; None leaves them whole.

    Times have microseconds, as Spark's have; with nanoseconds they are whole numbers of
    nanoseconds since the epoch. A column that numbers all rows, such as id of nfstream,
    has all rows shuffled and sorted with more than one bucket; unnumbered=True leaves it out.

    The data frame's attribute ``flowfast_report`` is a Report, which knows after an action what
    became of the captures that this had read. A capture that can't be read to its end
    stops nobody else.
    """
    job = commands(
        "flows", buckets, {"profile": profile, "splt": splt, "labels": labels, **options}, frozenset({"format", "jobs"})
    )
    columns, numbers = job.schema()
    schema = _arrow_schema(columns, nanoseconds)
    report = Report()
    told = _accumulator(spark)
    rows: Any = _shuffled(spark, job, pieces(find(source, filesystem), part_size), told)
    if numbers and buckets > 1:
        rows = _sorted(job, rows, schema, numbers).mapInArrow(_numbered_rows(schema), _spark_schema(schema))
    else:
        rows = rows.mapInArrow(_rows(job, nanoseconds), _spark_schema(schema))
    report._accumulated = told
    rows.flowfast_report = report
    return rows  # type: ignore[no-any-return,unused-ignore]


def write(
    spark: SparkSession,
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    profile: str | None = None,
    splt: int | None = None,
    labels: Any = None,
    buckets: int = 64,
    part_size: int | None = PART_SIZE,
    filesystem: Any = None,
    output_filesystem: Any = None,
    **options: Any,
) -> Report:
    """Write the flows of captures as Parquet files in a folder, one for each bucket.

    The files are those that the command writes, with the same metadata. Each appears
    under its name, data/part-00000-000.parquet and on, when it is complete, so that a task
    that runs twice leaves the same file. ``DATASET.md`` and ``dataset.json`` say what the
    data set is, as those of ``flowfast -r --dataset`` do. ``_flowfast-summary.json`` comes last, with
    what became of each capture and each bucket. Arguments are those of flows.
    """
    job = commands(
        "write", buckets, {"profile": profile, "splt": splt, "labels": labels, **options}, frozenset({"format", "jobs"})
    )
    captures = find(source, filesystem)
    of = pieces(captures, part_size)
    to = destination(output, output_filesystem)
    to.begin(_PARTS)
    columns, numbers = job.schema()
    rows = _shuffled(spark, job, of, None)
    if numbers and buckets > 1:
        make = _numbered_files(job, to, columns)
        rows = _sorted(job, rows, _arrow_schema(columns, True), numbers)
    else:
        make = _files(job, to)
    done = rows.mapInArrow(make, "bucket int, part string, summary string").collect()
    to.sweep(_PARTS)
    report = Report()
    parts: dict[int, dict[str, Any]] = {}
    for row in done:
        if row.bucket < 0:
            report._captures[-1 - row.bucket] = json.loads(row.summary)
            continue
        if row.part is not None:
            parts[row.bucket] = json.loads(row.part)
        if row.summary is not None:
            report.buckets[row.bucket] = json.loads(row.summary)
    read = [piece.capture for piece in of if piece.part == 1]
    described = [*zip(read, report.captures, strict=True)]
    job.describe(to, described, [{**parts[b], "summary": report.buckets[b]} for b in sorted(parts)])
    to.write("_flowfast-summary.json", json.dumps(report.dict(), indent=2, ensure_ascii=False).encode() + b"\n")
    return report


def ship(spark: SparkSession) -> None:
    """Send this package and its command to the executors, for a cluster that has no wheel installed."""
    from pyspark import SparkFiles

    from ._binary import binary

    folder = os.path.dirname(os.path.abspath(__file__))
    # Executors fetch it when they first have a task, so it has to last as long as the session.
    archive = os.path.join(tempfile.mkdtemp(prefix="flowfast-", dir=SparkFiles.getRootDirectory()), "flowfast-package.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for at, _, names in os.walk(folder):
            for name in sorted(names):
                if name.endswith(".py"):
                    path = os.path.join(at, name)
                    package.write(path, os.path.join("flowfast", os.path.relpath(path, folder)))
    spark.sparkContext.addPyFile(archive)
    spark.sparkContext.addFile(binary())


@dataclasses.dataclass
class Report:
    """What became of captures and buckets."""

    #: The summaries of buckets by number, of write.
    buckets: dict[int, dict[str, Any]] = dataclasses.field(default_factory=dict)
    _captures: dict[int, dict[str, Any]] = dataclasses.field(default_factory=dict)
    _accumulated: Any = None

    @property
    def captures(self) -> list[dict[str, Any]]:
        """The summary of each capture that has been read, in the order of names."""
        told = self._accumulated.value if self._accumulated is not None else self._captures
        return whole(told[number] for number in sorted(told))

    @property
    def errors(self) -> list[str]:
        """What could not be read of captures."""
        return [e for s in self.captures for e in s.get("errors", [])]

    @property
    def warnings(self) -> list[str]:
        """What a reader of the rows should know, skew among it."""
        said = [w for s in (*self.captures, *self.buckets.values()) for w in s.get("warnings", [])]
        packets = {b: s.get("packets", 0) for b, s in self.buckets.items()}
        if total := sum(packets.values()):
            largest = max(packets, key=lambda b: packets[b])
            if packets[largest] > 4 * total / len(packets):
                said.append(
                    f"skew: bucket {largest} of {len(packets)} has {packets[largest]} of {total} packets; more buckets take other "
                    "flows out of it, but the packets of one flow stay together"
                )
        return said

    def dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, with the sums under the keys of one summary."""
        total = added(self.captures) if self.captures else {}
        total.pop("runs", None)
        if self.buckets:
            for key in ("flows", "evicted", "steps_back"):
                total[key] = sum(s.get(key, 0) for s in self.buckets.values())
        return {
            **total,
            "warnings": self.warnings,
            "errors": self.errors,
            "captures": self.captures,
            "buckets": [self.buckets[b] for b in sorted(self.buckets)],
        }


def _accumulator(spark: SparkSession) -> Any:
    """Return an accumulator of summaries by capture, None where a session has none."""
    try:
        context = spark.sparkContext
    except Exception:  # a session of Spark Connect
        return None
    from ._accumulated import Latest

    return context.accumulator({}, Latest())


def _shuffled(spark: SparkSession, job: Commands, of: Sequence[Piece], told: Any) -> DataFrame:
    """Return the blocks of all captures in pieces, a partition for each bucket."""
    tasks = groups(of)
    keys = [partition_key(bucket, job.buckets) for bucket in range(job.buckets)]

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        columns: dict[str, pa.DataType] = {
            "key": pa.int32(), "bucket": pa.int32(), "capture": pa.int32(), "size": pa.int64(), "at": pa.int64(), "data": pa.binary()
        }  # fmt: skip
        begin_task()
        for batch in batches:
            for task in batch.column(0).to_pylist():
                for number in tasks[int(task or 0)]:
                    rows: list[list[Any]] = [[], [], [], [], [], []]
                    size = 0
                    for row in _blocks(job, of[number], number, keys, told):
                        for column, value in zip(rows, row, strict=True):
                            column.append(value)
                        size += len(row[-1])
                        if size >= _BATCH:
                            yield _batch(rows, columns)
                            rows, size = [[], [], [], [], [], []], 0
                    yield _batch(rows, columns)

    pieces = spark.range(0, len(tasks), 1, len(tasks)).mapInArrow(read, _SHUFFLED)
    return pieces.repartition(job.buckets, "key")


def _batch(values: Sequence[Sequence[Any]], columns: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    import pyarrow as pa

    arrays: list[pa.Array[Any]] = [pa.array(v, type=t) for v, t in zip(values, columns.values(), strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _blocks(job: Commands, piece: Piece, number: int, keys: list[int], told: Any) -> Iterator[tuple[Any, ...]]:
    """Read a capture, or a part of it, and give the pieces of its blocks."""
    capture = piece.capture
    with piece.open() as (options, name, stream), job.files() as files:
        engine = Engine(
            ["partition", "--quiet", "--output=-", f"--name={capture.name}", *options, *job.partition(files), "--", name],
            stdin=stream,
            own_stdin=False,
            rows=True,
        )
        try:
            for bucket in range(job.buckets):
                prelude = engine.rows.read(_PRELUDE.size)
                if len(prelude) < _PRELUDE.size:
                    break  # the status says why
                size = _PRELUDE.unpack(prelude)[2] + len(prelude)
                at = 0
                while at < size:
                    data = prelude + engine.rows.read(min(_PIECE, size - at) - len(prelude))
                    if not data or at == 0 and len(data) < len(prelude):
                        raise EngineError(f"{capture.name}: flowfast has ended in the middle of a block")
                    yield keys[bucket], bucket, number, size, at, data
                    at += len(data)
                    prelude = b""
            status = engine.wait()
        finally:
            engine.kill()
    if engine.feed_error is not None:
        raise engine.feed_error
    said = engine.summary()
    if status not in (0, 1) or not said:
        raise engine.error(status) or EngineError(f"{capture.name}: flowfast has written no summary")
    if piece.of > 1:  # the command has none of what it could not open
        said.setdefault("part", {"part": piece.part, "parts": piece.of, "through": piece.part})
    if told is not None:
        told.add({number: said})
    bucket = number % job.buckets
    yield keys[bucket], bucket, number, 0, _SUMMARY, json.dumps(said).encode()


class _Gathered:
    """The blocks of a bucket, in a temporary file without a name."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="flowfast-", dir=scratch())
        self.begins: dict[int, int] = {}
        self.end = 0
        self.bucket: int | None = None
        self.summaries: dict[int, bytes] = {}

    def take(self, batch: pa.RecordBatch) -> None:
        for _, bucket, capture, size, at, data in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            self.bucket = bucket
            if at == _SUMMARY:
                self.summaries[capture] = data
                continue
            if capture not in self.begins:
                self.begins[capture] = self.end
                self.end += size
            self.file.seek(self.begins[capture] + at)
            self.file.write(data)

    def engine(self, job: Commands, files: str, *arguments: str) -> Engine:
        self.file.flush()
        name = f"/dev/fd/{self.file.fileno()}"
        return Engine(
            ["flows", "--quiet", "--jobs=1", *arguments, *job.flows(files), "--", name, "-"],
            stdin=None,
            own_stdin=False,
            rows=True,
            pass_fds=(self.file.fileno(),),
        )


def _gather(batches: Iterator[pa.RecordBatch]) -> _Gathered:
    begin_task()
    gathered = _Gathered()
    for batch in batches:
        gathered.take(batch)
    return gathered


def _rows(job: Commands, nanoseconds: bool) -> Any:
    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        gathered = _gather(batches)
        for batch in _made(job, gathered, {}):
            yield batch.cast(_arrow_schema(batch.schema, nanoseconds))

    return make


def _made(job: Commands, gathered: _Gathered, told: dict[int, str], *options: str) -> Iterator[pa.RecordBatch]:
    """Give the rows of a bucket, and then put its summary into told."""
    import pyarrow as pa

    if not gathered.begins:
        return
    assert gathered.bucket is not None
    with gathered.file, job.files() as files:
        engine = gathered.engine(job, files, "--format=arrows", *options)
        try:
            out: Any = engine.rows
            with pa.ipc.open_stream(out) as reader:
                yield from reader
        except pa.ArrowInvalid:
            pass  # the status says why
        finally:
            status = _end(engine)
        _check(engine, status)
        told[gathered.bucket] = json.dumps(engine.summary())


def _sorted(job: Commands, shuffled: DataFrame, schema: pa.Schema, numbers: frozenset[str]) -> DataFrame:
    """Return the rows of blocks with a partition for each range of their order, sorted; see _numbered."""
    import pyarrow as pa

    bare = pa.schema([f for f in schema if f.name not in numbers])
    keys = [partition_key(n, job.buckets) for n in range(job.buckets)]

    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        gathered = _gather(batches)
        told = {-1 - n: text.decode() for n, text in gathered.summaries.items()}
        rows = _made(job, gathered, told, f"--order={job.buckets}")
        yield from ranged(rows, bare, keys, lambda: told)

    return sorted_ranges(shuffled.mapInArrow(make, _spark_schema(pa.schema([*order_fields(), *bare]))), job.buckets)


def _numbered_rows(schema: pa.Schema) -> Any:
    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        begin_task()
        yield from numbered(batches, schema, {})

    return make


def _numbered_files(job: Commands, to: Any, schema: pa.Schema) -> Any:
    keys = {partition_key(n, job.buckets): n for n in range(job.buckets)}

    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        begin_task()
        first = next(batches, None)
        if first is None:  # there are no captures that could be read
            return
        told: dict[int, str] = {}
        number = keys[first.column("order_key")[0].as_py()]
        rows = numbered(itertools.chain([first], batches), schema, told)
        part = _part(to, number, lambda sink: write_parquet(rows, schema, sink), lambda: None)
        yield _told([(number, part, None), *((n, None, text) for n, text in told.items())])

    return make


def _files(job: Commands, to: Any) -> Any:
    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        gathered = _gather(batches)
        rows: list[tuple[int, str | None, str | None]] = [(-1 - n, None, text.decode()) for n, text in gathered.summaries.items()]
        if gathered.begins:
            assert gathered.bucket is not None
            with gathered.file, job.files() as files:
                engine = gathered.engine(job, files, "--format=parquet")
                try:
                    part = _part(to, gathered.bucket, lambda sink: sink.copy(engine.rows), lambda: _check(engine, _end(engine)))
                finally:
                    engine.kill()
                rows.append((gathered.bucket, part, json.dumps(engine.summary())))
        yield _told(rows)

    return make


def _part(to: Destination, number: int, fill: Callable[[Digested], object], check: Callable[[], None]) -> str:
    """Write a part, which gets its name if nothing is wrong, and return what there is to be said of it."""
    name = f"{_PARTS}/part-{number:05d}-000.parquet"
    said: dict[str, Any] = {"path": name}

    def digest(stream: Any) -> None:
        sink = Digested(stream)
        fill(sink)
        said.update(sink.dict())

    with put(to, name, digest) as commit:
        check()
        commit()
    return json.dumps(said)


def _told(rows: Sequence[tuple[int, str | None, str | None]]) -> pa.RecordBatch:
    import pyarrow as pa

    columns = [list(c) for c in zip(*rows, strict=True)] or [[], [], []]
    return _batch(columns, {"bucket": pa.int32(), "part": pa.string(), "summary": pa.string()})


def _end(engine: Engine) -> int:
    while engine.rows.read(1 << 16):
        pass
    try:
        return engine.wait()
    finally:
        engine.kill()


def _check(engine: Engine, status: int) -> None:
    failed: Error | None = engine.error(status)
    if failed is not None:
        raise failed


def _arrow_schema(schema: pa.Schema, nanoseconds: bool) -> pa.Schema:
    """Return the schema in types that Spark has."""
    import pyarrow as pa

    def of(t: pa.DataType) -> pa.DataType:
        if pa.types.is_uint8(t):
            return pa.int16()
        if pa.types.is_uint16(t):
            return pa.int32()
        if pa.types.is_timestamp(t):
            return pa.int64() if nanoseconds else pa.timestamp("us", "UTC")
        if pa.types.is_list(t):
            return pa.list_(pa.int64())
        return t

    return pa.schema([pa.field(f.name, of(f.type), nullable=False, metadata=f.metadata) for f in schema])


def _spark_schema(schema: pa.Schema) -> Any:
    """Return Spark's schema of types that it has, whose fields have unit and definition in their metadata."""
    import pyarrow as pa
    from pyspark.sql import types

    names: Mapping[Any, Any] = {
        pa.int16(): types.ShortType(),
        pa.int32(): types.IntegerType(),
        pa.int64(): types.LongType(),
        pa.float64(): types.DoubleType(),
        pa.string(): types.StringType(),
        pa.timestamp("us", "UTC"): types.TimestampType(),
        pa.list_(pa.int64()): types.ArrayType(types.LongType()),
    }
    return types.StructType(
        [
            types.StructField(f.name, names[f.type], True, {k.decode(): v.decode() for k, v in (f.metadata or {}).items()})
            for f in schema
        ]
    )
