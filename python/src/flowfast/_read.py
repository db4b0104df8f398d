"""Captures to rows: at once, or while they are read."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._engine import Engine
from ._errors import CaptureError, EngineError, Error
from ._options import arguments
from ._source import Run, Source, runs
from ._summary import Summary, added

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow

# Options of the folder job, and those that would send rows elsewhere.
_WITHOUT = frozenset({"format", "dataset", "resume", "overwrite", "hash"})

_CAPTURE = "path of the capture, below the folder if that was given"


def stream(
    source: Source,
    *,
    profile: str | None = None,
    splt: int | None = None,
    join: bool = False,
    **options: Any,
) -> Stream:
    """Return the record batches of captures while the command reads them.

    See read for the arguments. Batches wait for the loop that takes them, and so
    does the command; memory does not grow. The command ends with the loop::

        with flowfast.stream("capture.pcap") as batches:
            for batch in batches:
                ...
    """
    return _stream("stream", source, profile, splt, join, options)


def read(
    source: Source,
    *,
    profile: str | None = None,
    splt: int | None = None,
    join: bool = False,
    **options: Any,
) -> Result:
    """Read captures into a table of flows.

    The source is a path, a folder, a list of paths, bytes, or a file opened in
    binary mode. Several captures are read one by one, and a last column capture
    says which a row is of; with join they are one stream in the order of time.
    Other keyword arguments are the command's options by their long names, with _
    for -, and from_ for from.

    An error raises CaptureError; what was read before it is its attribute partial.
    """
    batches = _stream("read", source, profile, splt, join, options)
    if "flush" not in options:
        # Nobody sees a row before the last one is there.
        state = batches._state
        state.runs = [run if run.stdin is None else run._replace(flags=[*run.flags, "--flush=none"]) for run in state.runs]
    return batches.read_all()


def _stream(
    function: str, source: Source, profile: str | None, splt: int | None, join: bool, options: dict[str, Any]
) -> Stream:
    flags = arguments(function, {"profile": profile, "splt": splt, **options}, _WITHOUT)
    return Stream(runs(source, join), flags)


class _State:
    """What a stream and its generator share. It does not know the stream, so that
    nothing keeps one alive whose loop was left."""

    def __init__(self, all_runs: list[Run], flags: list[str]) -> None:
        self.runs = all_runs
        self.flags = flags
        self.engine: Engine | None = None
        self.schema: pyarrow.Schema | None = None
        self.summaries: list[dict[str, Any]] = []

    def summary(self) -> Summary:
        return Summary(added(self.summaries) if self.summaries else {})

    def end(self) -> None:
        engine, self.engine = self.engine, None
        if engine is not None:
            engine.kill()


class Stream:
    """Record batches of flows; see stream."""

    def __init__(self, all_runs: list[Run], flags: list[str]) -> None:
        self._state = _State(all_runs, flags)
        self._batches: Iterator[pyarrow.RecordBatch] = _batches(self._state)
        self._ahead: list[pyarrow.RecordBatch] = []
        # Also when the interpreter ends.
        weakref.finalize(self, self._state.end)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> pyarrow.RecordBatch:
        if self._ahead:
            return self._ahead.pop(0)
        return next(self._batches)

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<flowfast.Stream of {', '.join(i for run in self._state.runs[:3] for i in run.inputs)}>"

    def close(self) -> None:
        """End the command, if it is still running. Later calls do nothing."""
        self._state.end()
        self._batches = iter(())
        self._ahead.clear()

    @property
    def schema(self) -> pyarrow.Schema:
        """The columns; the first batch is waited for."""
        if self._state.schema is None:
            with contextlib.suppress(StopIteration):
                self._ahead.append(next(self))
        if self._state.schema is None:
            raise Error("the stream was closed before its first batch")
        return self._state.schema

    @property
    def pid(self) -> int | None:
        """The number of the command's process; None before the first batch and after the last."""
        return None if self._state.engine is None else self._state.engine.pid

    @property
    def summary(self) -> Summary:
        """The summary of the captures that have been read to their end; empty before."""
        return self._state.summary()

    @property
    def warnings(self) -> list[str]:
        return list(self.summary.get("warnings", []))

    def read_all(self) -> Result:
        """Read the rest into a table."""
        batches: list[pyarrow.RecordBatch] = []
        try:
            for batch in self:
                batches.append(batch)
        except Error as error:
            if self._state.schema is not None:
                import pyarrow as pa

                error.partial = Result(pa.Table.from_batches(batches, self._state.schema), self.summary)
            raise
        except BaseException:
            self.close()
            raise
        import pyarrow as pa

        return Result(pa.Table.from_batches(batches, self.schema), self.summary)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        import pyarrow as pa

        reader: Any = pa.RecordBatchReader.from_batches(self.schema, self)
        return reader.__arrow_c_stream__(requested_schema)


def _batches(state: _State) -> Iterator[pyarrow.RecordBatch]:
    """Run the command for each run, and give its batches."""
    errors: list[Error] = []
    for run in state.runs:
        try:
            yield from _one(state, run)
        except CaptureError as error:
            # One bad capture among several does not stop the others.
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise CaptureError("\n".join(map(str, errors)), status=errors[0].status, summary=state.summary())


def _one(state: _State, run: Run) -> Iterator[pyarrow.RecordBatch]:
    engine = state.engine = Engine(
        ["--quiet", "--format=arrows", *run.flags, *state.flags, "--", *run.inputs, "-"],
        stdin=run.stdin,
        own_stdin=run.own_stdin,
        rows=True,
    )
    try:
        import pyarrow as pa  # while the command already reads: it takes a tenth of a second

        broken = None
        try:
            rows: Any = engine.rows
            reader = pa.ipc.open_stream(rows)
            schema = reader.schema if run.capture is None else _with_capture(reader.schema)
            if state.schema is None:
                state.schema = schema
            while True:
                batch = reader.read_next_batch()
                yield batch if run.capture is None else _with_name(batch, run.capture, schema)
        except StopIteration:
            pass
        except (pa.ArrowInvalid, OSError) as error:
            broken = error
            # Without a whole batch it is about to end, and says why.
            while engine.rows.read(1 << 16):
                pass
        status = engine.wait()
        if said := engine.summary():
            state.summaries.append(said)
    finally:
        state.end()
    if engine.feed_error is not None:
        raise engine.feed_error
    if (failed := engine.error(status)) is not None:
        raise failed
    if broken is not None:
        raise EngineError(f"the rows of flowfast can't be read: {broken}") from broken


def _with_capture(schema: pyarrow.Schema) -> pyarrow.Schema:
    import pyarrow as pa

    return schema.append(pa.field("capture", pa.string(), metadata={"role": "identifier", "unit": "", "definition": _CAPTURE}))


def _with_name(batch: pyarrow.RecordBatch, capture: str, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([*batch.columns, pa.repeat(capture, batch.num_rows)], schema=schema)


class Result:
    """The flows of captures, and what there is to say of the run."""

    def __init__(self, table: pyarrow.Table, summary: Summary) -> None:
        self._held: pyarrow.Table | None = table
        #: The closing summary, its keys as attributes.
        self.summary = summary

    @property
    def _table(self) -> pyarrow.Table:
        if self._held is None:
            raise Error("the rows went into the data frame of pandas(self_destruct=True)")
        return self._held

    @property
    def warnings(self) -> list[str]:
        return list(self.summary.get("warnings", []))

    @property
    def schema(self) -> pyarrow.Schema:
        return self._table.schema

    @property
    def units(self) -> dict[str, str]:
        """The unit of each column that has one."""
        return _metadata(self.schema, b"unit")

    def __len__(self) -> int:
        return self._table.num_rows

    def __repr__(self) -> str:
        if self._held is None:
            return "<flowfast.Result: its rows went into a data frame>"
        return f"<flowfast.Result: {self._held.num_rows:,} flows, {self._held.num_columns} columns>"

    def arrow(self) -> pyarrow.Table:
        """Return an Arrow table. Its fields' metadata have role, unit and definition."""
        return self._table

    def pandas(self, **options: Any) -> pandas.DataFrame:
        """Return a pandas data frame; options are those of pyarrow.Table.to_pandas.

        Its attrs have the units, the definitions and the roles of the columns. With
        self_destruct the rows are in the frame alone from then on.
        """
        table, schema = self._table, self.schema
        if options.get("self_destruct"):
            self._held = None  # to use it again would crash
        frame: pandas.DataFrame = table.to_pandas(**options)
        frame.attrs["units"] = _metadata(schema, b"unit")
        frame.attrs["definitions"] = _metadata(schema, b"definition")
        frame.attrs["roles"] = _metadata(schema, b"role")
        return frame

    def polars(self) -> polars.DataFrame:
        """Return a Polars data frame. Those have no place for units: see units."""
        import polars

        frame = polars.from_arrow(self._table)
        assert isinstance(frame, polars.DataFrame)
        return frame

    def duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """Return a DuckDB relation, of a connection or of the default one."""
        import duckdb

        if connection is None:
            return duckdb.from_arrow(self._table)
        return connection.from_arrow(self._table)

    def __arrow_c_schema__(self) -> object:
        return self._table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        table: Any = self._table
        return table.__arrow_c_stream__(requested_schema)


def _metadata(schema: pyarrow.Schema, key: bytes) -> dict[str, str]:
    found = {}
    for field in schema:
        if text := (field.metadata or {}).get(key):
            found[field.name] = text.decode()
    return found
