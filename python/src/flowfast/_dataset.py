"""A folder of captures to a data set."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path as _Path
from typing import TYPE_CHECKING, Any

from ._engine import Engine
from ._options import arguments
from ._source import Path
from ._summary import Summary

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow
    import pyarrow.dataset


def dataset(
    source: Path,
    output: Path,
    *,
    profile: str | None = None,
    splt: int | None = None,
    resume: bool = True,
    overwrite: bool = False,
    format: str | None = None,
    progress: bool | Callable[[dict[str, int]], None] | None = None,
    **options: Any,
) -> Dataset:
    """Read every capture under a folder into one Parquet data set in another.

    A run that was stopped goes on where it was; captures that are new or have
    changed are read, with those that share a part with them. With another format
    each capture has a file of its own.

    Progress is a bar of tqdm's, if that is installed, on terminals and in
    notebooks; False for none, True for one in any case, or a function that takes
    the figures. Ctrl-C ends the run so that the next one goes on from there.

    A capture that can't be read does not stop the others: CaptureError at the end
    names all of them, and its attribute partial is the data set.
    """
    folder, parquet = os.fspath(output), format is None or format == "parquet"
    flags = arguments("dataset", {"profile": profile, "splt": splt, "format": format, **options}, frozenset({"join", "dataset"}))
    flags += ["--dataset"] * parquet + (["--overwrite"] if overwrite else ["--resume"] * resume)
    engine = Engine(
        ["--recursive", "--progress=json", *flags, "--", os.fspath(source), folder], stdin=None, own_stdin=False, rows=False
    )
    show, close = _display(progress)
    try:
        _follow(engine, show)
        status = engine.wait()
    except KeyboardInterrupt:
        engine.stop()
        with contextlib.suppress(ValueError):
            _follow(engine, lambda figures: None)
        engine.wait()
        raise
    finally:
        engine.kill()
        close()
    said = engine.summary()
    done = Dataset(folder, Summary(said))
    if (failed := engine.error(status)) is not None:
        failed.partial = done if said else None
        raise failed
    return done


def _follow(engine: Engine, show: Callable[[dict[str, int]], None]) -> None:
    for line in engine.messages:
        if line.startswith(b'{"progress":'):
            with contextlib.suppress(ValueError):
                show(json.loads(line)["progress"])
        else:
            engine.keep(line)


def _display(
    progress: bool | Callable[[dict[str, int]], None] | None,
) -> tuple[Callable[[dict[str, int]], None], Callable[[], None]]:
    """Return what shows figures, and what is to be called after the last."""
    if callable(progress):
        return progress, lambda: None
    if progress is False:
        return lambda figures: None, lambda: None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if progress:
            raise
        return lambda figures: None, lambda: None
    # None shows the bar on terminals and in notebooks alone.
    bar = tqdm(unit="B", unit_scale=True, unit_divisor=1024, disable=False if progress else None)

    def show(figures: dict[str, int]) -> None:
        bar.total = figures["bytes"]
        bar.set_description(f"{figures['captures_done']} of {figures['captures']} captures", refresh=False)
        bar.update(figures["bytes_read"] - bar.n)

    return show, bar.close


class Dataset:
    """The tables of a folder of captures."""

    def __init__(self, path: str, summary: Summary) -> None:
        self.path = _Path(path)
        #: The closing summary; of this run alone if it went on where another was.
        self.summary = summary

    @property
    def warnings(self) -> list[str]:
        return list(self.summary.get("warnings", []))

    def __repr__(self) -> str:
        return f"<flowfast.Dataset in {self.path}>"

    def files(self) -> list[_Path]:
        """Return the Parquet files, in the order of their names."""
        return sorted(p for p in self.path.rglob("*.parquet") if not p.name.startswith((".", "_")))

    def metadata(self) -> dict[str, Any]:
        """Return what the data set says of itself (Croissant), empty before it is whole."""
        try:
            described: dict[str, Any] = json.loads((self.path / "dataset.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return described

    def arrow(self) -> pyarrow.dataset.Dataset:
        """Return an Arrow data set, which reads what is asked of it alone."""
        import pyarrow.dataset

        return pyarrow.dataset.dataset([str(p) for p in self.files()], format="parquet")

    def pandas(self, **options: Any) -> pandas.DataFrame:
        """Return all rows as a pandas data frame, with the units in its attrs."""
        from ._read import Result

        table = self.arrow().to_table()
        frame = Result(table, self.summary).pandas(**options)
        columns = self.metadata().get("flowfast", {}).get("columns", [])
        for key in ("unit", "definition", "role"):
            frame.attrs[f"{key}s"] = {c["name"]: c[key] for c in columns if c.get(key)}
        return frame

    def polars(self) -> polars.LazyFrame:
        """Return a lazy Polars frame."""
        import polars

        return polars.scan_parquet([str(p) for p in self.files()])

    def duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """Return a DuckDB relation, of a connection or of the default one."""
        import duckdb

        files = [str(p) for p in self.files()]
        return duckdb.read_parquet(files) if connection is None else connection.read_parquet(files)
