"""Flow tables from packet captures.

    import flowfast
    frame = flowfast.read("capture.pcap").pandas()

Captures are read by the command flowfast, which the package carries; rows come
over a pipe as Arrow record batches. See docs/python.md of the project.
"""

from __future__ import annotations

from importlib import metadata as _metadata

from ._binary import binary
from ._columns import Column, columns
from ._dataset import Dataset, dataset
from ._errors import CaptureError, EngineError, Error, UsageError
from ._read import Result, Stream, read, stream
from ._summary import Summary

try:
    __version__ = _metadata.version("flowfast")
except _metadata.PackageNotFoundError:  # not installed, only on the path
    __version__ = "0"

__all__ = [
    "CaptureError",
    "Column",
    "Dataset",
    "EngineError",
    "Error",
    "Result",
    "Stream",
    "Summary",
    "UsageError",
    "binary",
    "columns",
    "dataset",
    "read",
    "stream",
]
