"""Read flow tables with pandas, pyarrow, polars and DuckDB, and compare.

    formats.py FOLDER PROFILE

FOLDER has rows.csv and the same rows in files rows.EXTENSION, one for each
format of flowfast, and rows.us.EXTENSION where times are in microseconds, and
columns.md, where flowfast columns lists their types.
Every reader that knows a format reads it; columns, types and values must be
those of rows.csv, floats to the last bit. If there is a folder dataset, it must
have the rows of the CSV files in the folder each, with the names of their
captures, which are in the folder in.
Prints a line for each difference, then the number of tables compared.
"""

import csv
import json
import os
import re
import sys
from decimal import Decimal

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.ipc
import pyarrow.json
import pyarrow.parquet

FOLDER, PROFILE = sys.argv[1:]

with open(FOLDER + "/columns.md", encoding="utf-8") as f:
    LISTED = dict(re.findall(r"^\| `(.+?)` \| [a-z]+ \| (.+?) \|", f.read(), re.MULTILINE))
LISTED["capture"] = "text"
NARROW = {"src_port": "uint16", "dst_port": "uint16", "protocol": "uint8"} if PROFILE in ("default", "full") else {}
IDLE_TIMEOUT = {"nfstream": b"120", "cicflowmeter": b"120"}
# Text that readers of CSV or JSON may take for numbers, for times or for nothing.
LOOKS_LIKE_ANOTHER = {"src_mac", "dst_mac", "src_oui", "dst_oui", "vlan_ids", "flow_id", "Timestamp"}


def type_of(name):
    # One quantile is listed for all.
    listed = LISTED[re.sub(r"_p[0-9.]+$", "_p5", name)]
    if listed == "integer":
        return NARROW.get(name, "int64")
    return {"real": "float64", "list of integers": "list"}.get(listed, listed)


def expected(path):
    """Return names and rows of a CSV file, read with nothing but Python."""
    with open(path, newline="") as f:
        names, *rows = csv.reader(f)

    def value(name, text):
        kind = type_of(name)
        if kind == "text":
            return text
        if kind == "time":
            return int(Decimal(text) * 10**9)
        if kind == "list":
            return json.loads(text)
        return float(text) if kind == "float64" else int(text)

    return names, [tuple(map(value, names, row)) for row in rows]


# What each library calls the types. Times in microseconds have a type of their own.
NAMES = {
    "text": {"str", "object", "string", "large_string", "String", "VARCHAR"},
    "time": {"datetime64[ns, UTC]", "timestamp[ns, tz=UTC]", "Datetime(time_unit='ns', time_zone='UTC')", "TIMESTAMPTZ_NS"},
    "us": {"datetime64[us, UTC]", "timestamp[us, tz=UTC]", "Datetime(time_unit='us', time_zone='UTC')", "TIMESTAMP WITH TIME ZONE"},
    "float64": {"float64", "double", "Float64", "DOUBLE"},
    "int64": {"int64", "Int64", "BIGINT"},
    "uint16": {"uint16", "UInt16", "USMALLINT"},
    "uint8": {"uint8", "UInt8", "UTINYINT"},
    "list": {"object", "list<element: int64 not null>", "list<item: int64 not null>", "List(Int64)", "BIGINT[]"},
}


def of_pandas(t):
    columns = [t[c].astype("int64") if str(t[c].dtype).startswith("datetime") else t[c] for c in t.columns]
    # Lists of Parquet and Arrow are numpy's.
    values = [[v.tolist() if isinstance(v, numpy.ndarray) else v for v in c.tolist()] for c in columns]
    return list(t.columns), [str(d) for d in t.dtypes], rows(values)


def of_arrow(t):
    columns = [c.cast("int64") if pyarrow.types.is_timestamp(c.type) else c for c in t.columns]
    return t.column_names, [str(x) for x in t.schema.types], rows([c.to_pylist() for c in columns])


def of_polars(t):
    columns = [c.cast(polars.Int64) if c.dtype == polars.Datetime else c for c in t.get_columns()]
    return t.columns, [str(d) for d in t.dtypes], rows([c.to_list() for c in columns])


def of_duckdb(t):
    since = {"TIMESTAMPTZ_NS": "epoch_ns", "TIMESTAMP WITH TIME ZONE": "epoch_us"}
    typed = ", ".join(f'{since.get(str(d), "")}("{n}")' for n, d in zip(t.columns, t.types))
    return t.columns, [str(d) for d in t.types], t.project(typed).fetchall()


def rows(columns):
    return list(zip(*columns))


ALL, ROWS = expected(FOLDER + "/rows.csv")
MICROSECONDS = [tuple(v // 1000 if type_of(n) == "time" else v for n, v in zip(ALL, row)) for row in ROWS]
TOLD = [n for n in ALL if n in LOOKS_LIKE_ANOTHER]
LISTS = [n for n in ALL if type_of(n) == "list"]


def lists(table):
    """Turn the text that lists are in CSV into lists."""
    names, types, got = table
    return names, types, [tuple(json.loads(v) if n in LISTS else v for n, v in zip(names, row)) for row in got]


def schema(text, real, numbers, whole):
    types = {"text": text, "time": real, "float64": real, "list": numbers}
    return {n: types.get(type_of(n), whole) for n in ALL}


def polars_json(path):
    # It guesses types from the first rows, where numbers may all be whole, and
    # puts the columns in no order if it guesses from all.
    return polars.read_ndjson(path, schema=schema(polars.String, polars.Float64, polars.List(polars.Int64), polars.Int64))


def duckdb_json(path):
    # It can be told the types of all columns, or of none.
    columns = {"columns": schema("VARCHAR", "DOUBLE", "BIGINT[]", "BIGINT")} if TOLD else {}
    return duckdb.read_json(path, format="newline_delimited", sample_size=-1, **columns)


def pyarrow_csv(path):
    options = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(TOLD, pyarrow.string()))
    return pyarrow.csv.read_csv(path, convert_options=options)


def polars_csv(path):
    told = dict.fromkeys(TOLD, polars.String)
    return polars.read_csv(path, infer_schema_length=None, schema_overrides=told, empty_string_is_null=False)


def duckdb_csv(path):
    told = dict.fromkeys(TOLD, "VARCHAR") | dict.fromkeys(LISTS, "BIGINT[]")
    return duckdb.read_csv(path, sample_size=-1, dtype=told, force_not_null=TOLD)


CSV = {
    "pandas": lambda p: lists(of_pandas(pandas.read_csv(p, dtype=dict.fromkeys(TOLD, str), keep_default_na=False))),
    "pyarrow": lambda p: lists(of_arrow(pyarrow_csv(p))),
    "polars": lambda p: lists(of_polars(polars_csv(p))),
    "duckdb": lambda p: of_duckdb(duckdb_csv(p)),
}
JSON = {
    "pandas": lambda p: of_pandas(pandas.read_json(p, lines=True, dtype=False, precise_float=True)),
    "pyarrow": lambda p: of_arrow(pyarrow.json.read_json(p)),
    "polars": lambda p: of_polars(polars_json(p)),
    "duckdb": lambda p: of_duckdb(duckdb_json(p)),
}
PARQUET = {
    "pandas": lambda p: of_pandas(pandas.read_parquet(p)),
    "pyarrow": lambda p: of_arrow(pyarrow.parquet.read_table(p)),
    "polars": lambda p: of_polars(polars.read_parquet(p)),
    "duckdb": lambda p: of_duckdb(duckdb.read_parquet(p)),
}
# DuckDB reads Arrow from pyarrow's tables; of files it needs an extension.
ARROW = {
    "pandas": lambda p: of_pandas(pandas.read_feather(p)),
    "pyarrow": lambda p: of_arrow(pyarrow.feather.read_table(p)),
    "polars": lambda p: of_polars(polars.read_ipc(p)),
}
STREAM = {
    "pandas": lambda p: of_pandas(pyarrow.ipc.open_stream(p).read_pandas()),
    "pyarrow": lambda p: of_arrow(pyarrow.ipc.open_stream(p).read_all()),
    "polars": lambda p: of_polars(polars.read_ipc_stream(p)),
}
TEXT = {"csv": CSV, "csv.gz": CSV, "csv.zst": CSV, "jsonl": JSON, "jsonl.gz": JSON, "jsonl.zst": JSON}
FORMATS = {
    **TEXT, "parquet": PARQUET, "arrow": ARROW, "arrows": STREAM,
    "us.parquet": PARQUET, "us.arrow": ARROW, "us.arrows": STREAM,
}  # fmt: skip
DATASET = {
    "pandas": lambda p: of_pandas(pandas.read_parquet(p)),
    "pyarrow": lambda p: of_arrow(pyarrow.dataset.dataset(p).to_table()),
    "polars": lambda p: of_polars(polars.read_parquet(p + "/**/*.parquet")),
    "duckdb": lambda p: of_duckdb(duckdb.read_parquet(p + "/**/*.parquet")),
}


def differences(read, path, want_names, want_rows, typed, ordered=True, unit="time"):
    names, types, got = read(path)
    if list(names) != want_names:
        return [f"columns {names}, want {want_names}"]
    all = []
    if typed:
        for name, t in zip(names, types):
            want = unit if type_of(name) == "time" else type_of(name)
            if t not in NAMES[want]:
                all.append(f"{name} is {t}, want {want}")
    if len(got) != len(want_rows):
        return all + [f"{len(got)} rows, want {len(want_rows)}"]
    if not ordered:
        got, want_rows = sorted(got), sorted(want_rows)
    for i, (g, w) in enumerate(zip(got, want_rows)):
        for name, a, b in zip(names, g, w):
            if not typed and name == "start_time":
                b = float(Decimal(b) / 10**9)
            if a != b or isinstance(a, bool):
                return all + [f"row {i}, {name}: {a!r}, want {b!r}"]
    return all


def metadata(folder):
    """Compare what the files say about themselves."""
    meta = pyarrow.parquet.read_metadata(folder + "/rows.parquet")
    kept = meta.metadata
    for field in pyarrow.ipc.open_file(folder + "/rows.arrow").schema:
        if field.nullable or set(field.metadata) != {b"role", b"unit", b"definition"}:
            yield f"arrow: field {field}: {field.metadata}"
    columns = json.loads(kept[b"flowfast.definitions"])
    if [c["name"] for c in columns] != meta.schema.to_arrow_schema().names or not all(c["definition"] and c["role"] for c in columns):
        yield f"parquet: flowfast.definitions is {columns}"
    if kept[b"flowfast.idle-timeout"] != IDLE_TIMEOUT.get(PROFILE, b"600") or b"flowfast.version" not in kept:
        yield f"parquet: metadata {kept}"
    for g in range(meta.num_row_groups):
        for c in range(meta.num_columns):
            column = meta.row_group(g).column(c)
            if column.compression != "ZSTD" or not column.statistics.has_min_max:
                yield f"parquet: column {column}"


def main(folder):
    count = bad = 0

    def report(label, lines):
        nonlocal bad
        for line in lines:
            print(f"{label}: {line}")
            bad += 1

    for extension, readers in FORMATS.items():
        for reader, read in readers.items():
            typed = extension not in TEXT
            unit, want = ("us", MICROSECONDS) if extension.startswith("us.") else ("time", ROWS)
            try:
                lines = differences(read, f"{folder}/rows.{extension}", ALL, want, typed, unit=unit)
            except Exception as e:
                lines = [f"{type(e).__name__}: {e}"]
            report(f"{extension}, {reader}", lines)
            count += 1
    report("metadata", metadata(folder))
    dataset = folder + "/dataset/data"
    if os.path.isdir(dataset):
        want = []
        for path, _, files in os.walk(folder + "/each"):
            for name in files:
                if name.endswith("_flow.csv"):
                    each, got = expected(f"{path}/{name}")
                    capture = os.path.relpath(f"{path}/{name}", folder + "/each").removesuffix("_flow.csv")
                    if not os.path.exists(f"{folder}/in/{capture}"):
                        capture += ".pcap"
                    want += [row + (capture,) for row in got]
        for reader, read in DATASET.items():
            try:
                lines = differences(read, dataset, each + ["capture"], want, True, ordered=False)
            except Exception as e:
                lines = [f"{type(e).__name__}: {e}"]
            report(f"dataset, {reader}", lines)
            count += 1
    print(f"{count} tables compared")
    return bad > 0


sys.exit(main(FOLDER))
