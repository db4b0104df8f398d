"""Readers in Python, one function each: see readers.py.

    python python_readers.py NAME FILE

A function returns what it finds: rows; time, the first start_time in nanoseconds
since 1970 as far as the reader keeps them; zone, whether it knows that times are
UTC; port, the first src_port; bytes, the sum of fwd_tot_byte; list, the first
splt_size; definitions, whether those of columns can be reached.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

LIST = "splt_size"


class Reader(NamedTuple):
    distribution: str
    format: str
    read: Callable[[str], dict[str, Any]]


READERS: dict[str, Reader] = {}


def reader(name: str, distribution: str, format: str = "parquet") -> Callable[[Callable[[str], dict[str, Any]]], Any]:
    def add(function: Callable[[str], dict[str, Any]]) -> Any:
        READERS[name] = Reader(distribution, format, function)
        return function

    return add


def nanoseconds(moment: Any) -> int:
    """Return a time of any library's in nanoseconds, as fine as it is."""
    import datetime

    import numpy as np

    if isinstance(moment, datetime.datetime) and not hasattr(moment, "nanosecond"):
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
    if isinstance(moment, np.datetime64):
        return int(moment.astype("datetime64[ns]").astype("int64"))
    return int(moment.as_unit("ns").value)  # pandas


def frame(table: Any, definitions: bool = False) -> dict[str, Any]:
    """Return what a pandas frame has."""
    times = table["start_time"]
    zone = getattr(times.dtype, "tz", None)
    if zone is None and hasattr(times.dtype, "pyarrow_dtype"):
        zone = times.dtype.pyarrow_dtype.tz
    return {
        "rows": len(table), "time": nanoseconds(times.iloc[0]), "zone": zone is not None, "port": int(table["src_port"].iloc[0]),
        "bytes": int(table["fwd_tot_byte"].sum()), "list": [int(v) for v in table[LIST].iloc[0]] if LIST in table else None,
        "definitions": definitions,
    }  # fmt: skip


def arrow(table: Any) -> dict[str, Any]:
    """Return what an Arrow table has."""
    schema = table.schema
    kind, first = schema.field("start_time").type, table["start_time"][0]
    known = hasattr(kind, "unit")  # else it is no time
    return {
        "rows": table.num_rows, "time": first.value * {"ns": 1, "us": 1_000, "ms": 1_000_000}[kind.unit] if known else f"{kind}",
        "zone": known and kind.tz is not None, "port": table["src_port"][0].as_py(),
        "bytes": sum(table["fwd_tot_byte"].to_pylist()), "list": table[LIST][0].as_py(),
        "definitions": b"flowfast.definitions" in (schema.metadata or {}) or bool(schema.field(0).metadata),
    }  # fmt: skip


@reader("pyarrow", "pyarrow")
def _(path: str) -> dict[str, Any]:
    import pyarrow.parquet as pq

    return arrow(pq.read_table(path))


@reader("pyarrow, Arrow file", "pyarrow", "arrow")
def _(path: str) -> dict[str, Any]:
    import pyarrow as pa

    return arrow(pa.ipc.open_file(path).read_all())


@reader("pandas", "pandas")
def _(path: str) -> dict[str, Any]:
    import pandas as pd

    table = pd.read_parquet(path)
    return frame(table, bool(table.attrs))


@reader("pandas, pyarrow types", "pandas")
def _(path: str) -> dict[str, Any]:
    import pandas as pd

    table = pd.read_parquet(path, dtype_backend="pyarrow")
    return frame(table, bool(table.attrs))


@reader("pandas, fastparquet", "fastparquet")
def _(path: str) -> dict[str, Any]:
    import pandas as pd
    from fastparquet import ParquetFile

    return frame(pd.read_parquet(path, engine="fastparquet"), "flowfast.definitions" in ParquetFile(path).key_value_metadata)


@reader("polars", "polars")
def _(path: str) -> dict[str, Any]:
    import polars as pl

    table = pl.read_parquet(path)
    kind = table.schema["start_time"]
    return {
        "rows": len(table), "time": table["start_time"].dt.epoch("ns")[0], "zone": getattr(kind, "time_zone", None) is not None,
        "port": table["src_port"][0], "bytes": table["fwd_tot_byte"].sum(), "list": table[LIST][0].to_list(),
        "definitions": "flowfast.definitions" in pl.read_parquet_metadata(path),
    }  # fmt: skip


@reader("DuckDB", "duckdb")
def _(path: str) -> dict[str, Any]:
    import duckdb

    query = duckdb.connect().execute
    rows, time, port, total, first, zone = query(
        f"SELECT count(*), min(epoch_ns(start_time)), min(src_port), sum(fwd_tot_byte), min({LIST}), min(typeof(start_time)) FROM '{path}'"
    ).fetchall()[0]
    keys = [bytes(k) for k, in query(f"SELECT key FROM parquet_kv_metadata('{path}')").fetchall()]
    return {"rows": rows, "time": time, "port": port, "bytes": int(total), "list": first, "zone": "TZ" in zone or "ZONE" in zone, "definitions": b"flowfast.definitions" in keys}


@reader("ClickHouse (chdb)", "chdb")
def _(path: str) -> dict[str, Any]:
    import chdb

    out = json.loads(str(chdb.query(
        f"SELECT count() rows, min(toUnixTimestamp64Nano(start_time)) time, min(src_port) port, sum(fwd_tot_byte) bytes, "
        f"min({LIST}) list, any(toTypeName(start_time)) type FROM file('{path}', Parquet) FORMAT JSON "
        "SETTINGS output_format_json_quote_64bit_integers=0", "CSV")))["data"][0]  # fmt: skip
    return {**out, "zone": "UTC" in out["type"], "definitions": False}


@reader("Spark", "pyspark")
def _(path: str) -> dict[str, Any]:
    from pyspark.sql import SparkSession, functions

    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    table = spark.read.parquet(path)
    first = table.orderBy("start_time").first()
    return {
        "rows": table.count(), "time": table.agg(functions.min(functions.unix_micros("start_time"))).first()[0] * 1_000,
        "zone": dict(table.dtypes)["start_time"] == "timestamp", "port": first["src_port"],
        "bytes": table.agg(functions.sum("fwd_tot_byte")).first()[0], "list": list(first[LIST]), "definitions": bool(table.schema["duration"].metadata),
    }  # fmt: skip


@reader("DataFusion", "datafusion")
def _(path: str) -> dict[str, Any]:
    import pyarrow as pa
    from datafusion import SessionContext

    table = SessionContext().read_parquet(path)
    return arrow(pa.Table.from_batches(table.collect()))


@reader("Dask", "dask")
def _(path: str) -> dict[str, Any]:
    import dask.dataframe as dd

    return frame(dd.read_parquet(path).compute())


@reader("Ibis", "ibis-framework")
def _(path: str) -> dict[str, Any]:
    import ibis

    table = ibis.read_parquet(path)
    return arrow(table.to_pyarrow())


@reader("Hugging Face datasets", "datasets")
def _(path: str) -> dict[str, Any]:
    import tempfile

    from datasets import Dataset

    with tempfile.TemporaryDirectory() as folder:
        table = Dataset.from_parquet(path, cache_dir=folder)
        found = arrow(table.with_format("arrow")[:])
        found["definitions"] = False  # those of the file are replaced by its own
        return found


def trained(path: str, fit: Callable[[Any, Any], int]) -> dict[str, Any]:
    """Train on the numbers of a frame, and return what the frame has."""
    import pandas as pd

    table = pd.read_parquet(path)
    numbers = table.select_dtypes("number")
    used = fit(numbers, [0, 1, 0])
    if used != numbers.shape[1]:
        raise ValueError(f"it took {used} of {numbers.shape[1]} columns")
    return frame(table)


@reader("XGBoost, of a pandas frame", "xgboost")
def _(path: str) -> dict[str, Any]:
    import xgboost

    return trained(path, lambda x, y: xgboost.XGBClassifier(n_estimators=1).fit(x, y).n_features_in_)


@reader("LightGBM, of a pandas frame", "lightgbm")
def _(path: str) -> dict[str, Any]:
    import lightgbm

    return trained(path, lambda x, y: lightgbm.LGBMClassifier(n_estimators=1, verbose=-1).fit(x, y).n_features_in_)


@reader("polars, Arrow file", "polars", "arrow")
def _(path: str) -> dict[str, Any]:
    import polars as pl

    table = pl.read_ipc(path)
    kind = table.schema["start_time"]
    return {
        "rows": len(table), "time": table["start_time"].dt.epoch("ns")[0], "zone": getattr(kind, "time_zone", None) is not None,
        "port": table["src_port"][0], "bytes": table["fwd_tot_byte"].sum(), "list": table[LIST][0].to_list(), "definitions": False,
    }  # fmt: skip


def main(name: str, path: str) -> int:
    chosen = READERS[name]
    try:
        version = importlib.metadata.version(chosen.distribution)
    except importlib.metadata.PackageNotFoundError:
        print(json.dumps({"missing": True}))
        return 0
    try:
        found = chosen.read(path)
    except ImportError as error:
        found = {"missing": True, "error": str(error)}
    except Exception as error:  # whatever a reader refuses a file with
        traceback.print_exc()
        text = " ".join(str(error).split())
        found = {"error": f"{type(error).__name__}: {text}"[:160]}
    print(json.dumps({"version": version, **found}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
