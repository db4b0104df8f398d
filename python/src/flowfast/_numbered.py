"""Columns that number all rows, where the rows are made in several buckets.

A bucket can't know the number of its rows, but what all rows are sorted by: see --order
of ``flowfast flows``. The rows go to as many ranges of that order as there are buckets,
each a partition, which Spark sorts. Each bucket tells each range how many of its rows
are in the ranges before; the sum is the number of the first row there. So nothing is read twice,
and nothing runs before the rows are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

#: What the rows of a range are sorted by. What buckets tell of themselves has era -1: the
#: rows before in order_packet, or a text.
ORDER = ("order_era", "order_finish", "order_start", "order_place", "order_packet")
_RANGE = "order_range"
_BEFORE = ("order_key", *ORDER, "order_told")  # of the columns of a row


def order_fields() -> list[pa.Field[Any]]:
    """Return the fields in front of those of a row, while it is on its way."""
    import pyarrow as pa

    types = [pa.int32(), *[pa.int64()] * len(ORDER), pa.string()]
    return [pa.field(n, t) for n, t in zip(_BEFORE, types, strict=True)]


def ranged(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, keys: Sequence[int], told: Callable[[], dict[int, str]]
) -> Iterator[pa.RecordBatch]:
    """Give the rows of a bucket the keys of their ranges, and then what the bucket tells the ranges."""
    import pyarrow as pa
    import pyarrow.compute as pc

    compute: Any = pc
    key_of = pa.array(keys, pa.int32())
    counts = [0] * len(keys)
    fields = [*order_fields(), *schema]
    for batch in batches:
        number = batch.column(_RANGE)
        for of in compute.value_counts(number).to_pylist():
            counts[of["values"]] += of["counts"]
        arrays: list[Any] = [key_of.take(number), *(batch.column(n).cast(pa.int64()) for n in ORDER), pa.nulls(len(batch), pa.string())]
        arrays += [batch.column(f.name).cast(f.type) for f in schema]
        yield pa.RecordBatch.from_arrays(arrays, schema=pa.schema([f.with_nullable(True) for f in fields]))
    rows: list[dict[str, Any]] = []
    before = 0
    for key, count in zip(keys, counts, strict=True):
        rows.append({"order_key": key, "order_era": -1, "order_packet": before})
        before += count
    rows += [
        {"order_key": keys[n % len(keys)], "order_era": -1, "order_finish": n, "order_packet": 0, "order_told": text}
        for n, text in told().items()
    ]
    yield pa.RecordBatch.from_arrays(
        [pa.array([row.get(f.name) for row in rows], f.type) for f in fields],
        schema=pa.schema([f.with_nullable(True) for f in fields]),
    )


def sorted_ranges(rows: DataFrame, ranges: int) -> DataFrame:
    """Return rows with a partition for each range, in the order of rows."""
    return rows.repartition(ranges, "order_key").sortWithinPartitions(*ORDER)


def numbered(batches: Iterator[pa.RecordBatch], schema: pa.Schema, told: dict[int, str]) -> Iterator[pa.RecordBatch]:
    """Number the rows of a range, which are sorted. What is left of their columns has a schema.

    Columns of the schema that rows do not have are their number. The texts that buckets
    have told the range are put into told.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    compute: Any = pc
    number = 0
    for batch in batches:
        if len(batch) and batch.column("order_era")[0].as_py() < 0:
            own = compute.less(batch.column("order_era"), 0)
            for row in batch.filter(own).select(["order_finish", "order_packet", "order_told"]).to_pylist():
                number += row["order_packet"]
                if row["order_told"] is not None:
                    told[row["order_finish"]] = row["order_told"]
            batch = batch.filter(compute.invert(own))
        if not len(batch):
            continue
        numbers = pa.array(range(number, number + len(batch)), pa.int64())
        number += len(batch)
        have = set(batch.schema.names)
        arrays = [batch.column(f.name) if f.name in have else numbers for f in schema]
        yield pa.RecordBatch.from_arrays([a.cast(f.type) for a, f in zip(arrays, schema, strict=True)], schema=schema)


def parquet_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema of rows with the metadata that the command writes into Parquet files."""
    import pyarrow as pa

    fields = []
    for field in schema:
        of = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
        fields.append({"name": field.name, "role": of["role"], "unit": of["unit"], "definition": of["definition"]})
    definitions = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    metadata: Any = {**(schema.metadata or {}), b"flowfast.format": b"parquet", b"flowfast.definitions": definitions.encode()}
    return pa.schema([f.remove_metadata() for f in schema], metadata)


def write_parquet(batches: Iterator[pa.RecordBatch], schema: pa.Schema, sink: Any) -> int:
    """Write rows as the command does, but for the places where row groups end, and return how many there were."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    most = 32 << 20  # bytes of a row group
    held: list[pa.RecordBatch] = []
    size = rows = 0
    of = parquet_schema(schema)
    with pq.ParquetWriter(
        sink, of, version="2.6", compression="zstd", use_dictionary=False
    ) as writer:
        for batch in batches:
            held.append(batch)
            rows, size = rows + len(batch), size + batch.nbytes
            if size >= most:
                writer.write_table(pa.Table.from_batches(held).cast(of))
                held, size = [], 0
        if held:
            writer.write_table(pa.Table.from_batches(held).cast(of))
    return rows
