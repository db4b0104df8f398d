"""Tables of the package are those that the command writes as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import flowfast

OPTIONS = [{}, {"profile": "nfstream", "splt": 3}, {"profile": "cicflowmeter", "quantiles": [0.1]}]


def table_of(capture: Path, options: dict[str, Any]) -> dict[str, list[str]]:
    flags = [f"--{name}={','.join(map(str, v)) if isinstance(v, list) else v}" for name, v in options.items()]
    done = subprocess.run([flowfast.binary(), "-q", "--format=csv", *flags, capture, "-"], capture_output=True, check=False)
    head, *rows = csv.reader(io.StringIO(done.stdout.decode()))
    return {name: [row[k] for row in rows] for k, name in enumerate(head)}


def told(texts: Iterable[str], kind: pa.DataType) -> list[Any]:
    """Return what the texts of a column say."""
    if pa.types.is_timestamp(kind):  # nanoseconds since 1970
        return [int(Decimal(text).scaleb(9)) for text in texts]
    if pa.types.is_list(kind):
        return [json.loads(text) for text in texts]
    if pa.types.is_floating(kind):
        return [float(text) for text in texts]
    return [int(text) if pa.types.is_integer(kind) else text for text in texts]


def same(have: list[Any], want: list[Any]) -> bool:
    return len(have) == len(want) and all(
        a == b or isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)
        for a, b in zip(have, want, strict=True)
    )


def check(result: flowfast.Result, want: dict[str, list[str]]) -> None:
    table, frame, other = result.arrow(), result.pandas(), result.polars()
    assert table.column_names == list(want) == list(frame.columns) == other.columns
    for field in table.schema:
        name, kind = field.name, field.type
        values = told(want[name], kind)
        column, series, third = table[name], frame[name], other[name]
        if pa.types.is_timestamp(kind):
            column = column.cast(pa.int64())
            assert series.dt.tz is not None
            series = series.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[ns]").astype("int64")
            third = third.dt.epoch("ns")
        assert same(column.to_pylist(), values), name
        assert same([list(v) if pa.types.is_list(kind) else v for v in series.tolist()], values), name
        assert same(third.to_list(), values), name


def test_shared_captures(shared: Path) -> None:
    compared = 0
    for k, capture in enumerate(sorted(path for path in shared.iterdir() if path.suffix != ".md")):
        for options in OPTIONS if k % 8 == 0 else OPTIONS[:1]:
            try:
                result = flowfast.read(capture, **options)
            except flowfast.CaptureError as error:
                if error.partial is None:  # not a capture
                    break
                assert isinstance(error.partial, flowfast.Result)
                result = error.partial
            check(result, table_of(capture, options))
            compared += len(result)
    assert compared > 1000


@pytest.mark.parametrize("options", OPTIONS)
def test_web(web: Path, options: dict[str, Any]) -> None:
    result = flowfast.read(web, **options)
    assert len(result) > 100
    check(result, table_of(web, options))
    with web.open("rb") as file:
        assert flowfast.read(file, **options).arrow() == result.arrow()
    assert flowfast.read(web.read_bytes(), **options).arrow() == result.arrow()
    assert flowfast.read([web], join=True, **options).arrow() == result.arrow()
    assert pa.Table.from_batches(flowfast.stream(web, **options)) == result.arrow()
    assert pa.table(result) == result.arrow() == pa.table(flowfast.stream(web, **options))
    assert pl.DataFrame(result).equals(result.polars())
    relation = result.duckdb()
    assert relation.shape == result.arrow().shape


def test_types_of_frames(web: Path) -> None:
    frame = flowfast.read(web, profile="full").pandas()
    assert frame["src_port"].dtype == "uint16"
    assert pd.api.types.is_datetime64_ns_dtype(frame["start_time"])
