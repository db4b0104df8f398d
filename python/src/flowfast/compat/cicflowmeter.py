"""The command flowfast-cicflowmeter: the arguments of the Python cicflowmeter's.

    flowfast-cicflowmeter -f capture.pcap -c flows.csv

The rows are those of the profile cicflowmeter-python, which has the columns of
version 0.5.0; only the time of day is written as there, in local time.
``docs/profiles.md`` of the project has the rules and what is mended.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._columns import columns
from .._errors import Error
from .._read import stream

if TYPE_CHECKING:
    import pyarrow

PROFILE = "cicflowmeter-python"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="flowfast-cicflowmeter",
        description="Flows of captures as CSV with the columns of the Python cicflowmeter, by flowfast.",
    )
    inputs = parser.add_mutually_exclusive_group(required=True)
    inputs.add_argument("-i", "--interface", help="not done here: flowfast reads captures")
    inputs.add_argument("-f", "--file", help="read the capture FILE, - for standard input")
    inputs.add_argument("-d", "--directory", help="read all .pcap and .pcapng files in DIRECTORY")
    outputs = parser.add_mutually_exclusive_group(required=True)
    outputs.add_argument("-c", "--csv", action="store_true", help="write CSV")
    outputs.add_argument("-u", "--url", action="store_true", help="not done here")
    parser.add_argument("output", help="name of the output file, or of the folder with -d")
    parser.add_argument("--fields", help="names of columns with commas between (default all)")
    parser.add_argument("--merge", action="store_true", help="with -d, write one file, merged_output.csv")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell what is read and written")
    given = parser.parse_args(arguments)
    if given.interface is not None:
        parser.error("flowfast reads captures: tcpdump -i %s -w - | flowfast-cicflowmeter -f - -c %s" % (given.interface, given.output))
    if given.url:
        parser.error("flowfast sends nothing to a URL: want -c")
    if given.merge and given.directory is None:
        parser.error("--merge can only be used with -d/--directory mode")
    try:
        names = [column.name for column in columns(PROFILE)]
    except Error as error:
        print(f"flowfast-cicflowmeter: {error}", file=sys.stderr)
        return 1
    fields = names if given.fields is None else [name.strip() for name in given.fields.split(",")]
    for name in fields:
        if name not in names:
            parser.error(f"--fields: no column {name!r}; there are {', '.join(names)}")
    try:
        jobs = _jobs(given.file, given.directory, given.output, given.merge)
    except OSError as error:
        parser.error(str(error))
    status = 0
    for captures, output in jobs:
        try:
            rows = _write(captures, output, fields)
        except (Error, OSError) as error:
            print(f"flowfast-cicflowmeter: {error}", file=sys.stderr)
            status = 1
        except KeyboardInterrupt:
            return 130
        else:
            if given.verbose:
                print(f"{', '.join(captures)} -> {output}: {rows} flows", file=sys.stderr)
    return status


def _jobs(file: str | None, directory: str | None, output: str, merge: bool) -> list[tuple[list[str], str]]:
    """Return captures and the file for their rows."""
    if file is not None:
        return [([file], output)]
    folder = Path(directory or "")
    captures = sorted(str(p) for p in folder.iterdir() if p.suffix in (".pcap", ".pcapng"))
    if not captures:
        raise FileNotFoundError(f"no .pcap or .pcapng files in {folder}")
    os.makedirs(output, exist_ok=True)
    if merge:
        return [(captures, os.path.join(output, "merged_output.csv"))]
    return [([c], os.path.join(output, Path(c).stem + ".csv")) for c in captures]


def _write(captures: list[str], output: str, fields: list[str]) -> int:
    """Write the rows of captures. The file has its name when it is complete."""
    from pyarrow import csv

    temporary = output if os.path.exists(output) and not os.path.isfile(output) else f"{output}.{os.getpid()}.tmp"
    total = 0
    failed: Error | None = None
    try:
        with open(temporary, "wb") as file:
            file.write((",".join(fields) + "\n").encode())
            with stream(captures[0] if len(captures) == 1 else captures, profile=PROFILE, columns=_wanted(fields)) as batches:
                writer = None
                try:
                    for batch in batches:
                        table = _renamed(batch, fields)
                        if writer is None:
                            sink: Any = file
                            writer = csv.CSVWriter(sink, table.schema, write_options=csv.WriteOptions(include_header=False))
                        writer.write(table)
                        total += table.num_rows
                except Error as error:  # the rows before it stand
                    failed = error
                if writer is not None:
                    writer.close()
        if failed is None or total > 0:
            if temporary != output:
                os.replace(temporary, output)
    finally:
        if temporary != output:
            with contextlib.suppress(FileNotFoundError):
                os.remove(temporary)
    if failed is not None:
        raise failed
    return total


def _wanted(fields: list[str]) -> list[str]:
    """Return the columns to ask for; that of the profile has text in UTC."""
    return ["default:start_time" if name == "timestamp" else name for name in fields]


def _renamed(batch: pyarrow.RecordBatch, fields: list[str]) -> pyarrow.Table:
    """Return a batch with the time of day as the Python program writes it."""
    import pyarrow as pa

    arrays: list[Any] = batch.columns[: len(fields)]  # without capture, which several captures have
    if "timestamp" in fields:
        at = fields.index("timestamp")
        arrays[at] = pa.array([t.astimezone().strftime("%Y-%m-%d %H:%M:%S") for t in _moments(arrays[at])], pa.string())
    return pa.table(arrays, names=fields)


def _moments(column: Any) -> list[Any]:
    """Return times of day to the second, which Python has."""
    import pyarrow as pa

    listed: list[Any] = column.cast(pa.timestamp("s", "UTC"), safe=False).to_pylist()
    return listed


if __name__ == "__main__":
    sys.exit(main())
