"""Flow tables from packet captures.

    import flowfast
    frame = flowfast.read("capture.pcap").pandas()

Captures are read by the command flowfast, which the package carries; rows come
over a pipe as Arrow record batches. See docs/python.md of the project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._binary import binary
from ._columns import Column, columns
from ._dataset import Dataset, dataset
from ._errors import CaptureError, EngineError, Error, UsageError
from ._read import Result, Stream, read, stream
from ._summary import Summary

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

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import metadata  # it takes as long as all else here

        try:
            return metadata.version("flowfast")
        except metadata.PackageNotFoundError:  # not installed, only on the path
            return "0"
