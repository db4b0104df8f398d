"""NFStreamer, by flowfast.

Change ``from nfstream import NFStreamer`` to
``from flowfast.compat.nfstream import NFStreamer``.

What NFStream gets from nDPI (names of applications, fingerprints, server names)
is out of reach, and so are plugins and live capture. ``docs/profiles.md`` of the
project says where flows differ.
"""

from __future__ import annotations

import csv
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._columns import columns
from .._read import Result, Stream, read, stream

if TYPE_CHECKING:
    import pandas

__all__ = ["NFStreamer", "NFlow"]

_INSPECTED = frozenset(
    {
        "application_name",
        "application_category_name",
        "application_is_guessed",
        "application_confidence",
        "requested_server_name",
        "client_fingerprint",
        "server_fingerprint",
        "user_agent",
        "content_type",
    }
)

# The last column that NFStream has without statistical_analysis.
_LAST_CORE = "dst2src_bytes"


class NFlow:
    """A flow, with the attributes of NFStream's."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: dict[str, int], values: tuple[Any, ...]) -> None:
        self._names = names
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._values[self._names[name]]
        except KeyError:
            raise AttributeError(_missing(name)) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._names]

    def keys(self) -> list[str]:
        return list(self._names)

    def values(self) -> list[Any]:
        return list(self._values)

    def __str__(self) -> str:
        return "NFlow(" + ",\n      ".join(f"{n}={v}" for n, v in zip(self._names, self._values, strict=True)) + ")"

    __repr__ = __str__


def _missing(name: str) -> str:
    if name in _INSPECTED:
        return f"a flow has no {name!r}: it comes from deep packet inspection (nDPI), which flowfast does not do"
    if name == "udps":
        return "a flow has no 'udps': flowfast runs no plugins"
    if name == "tunnel_id":
        return "a flow has no 'tunnel_id'"
    return f"a flow has no {name!r}; statistical_analysis and splt_analysis add attributes"


class NFStreamer:
    """Flows of captures, by the rules and with the names of NFStream's.

    They lack what NFStream has from deep packet inspection (nDPI): names and
    categories of applications, server names, fingerprints, user agents.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        decode_tunnels: bool = True,
        bpf_filter: str | None = None,
        promiscuous_mode: bool = True,
        snapshot_length: int = 1536,
        socket_buffer_size: int = 0,
        idle_timeout: float = 120,
        active_timeout: float = 1800,
        accounting_mode: int = 0,
        udps: Any = None,
        n_dissections: int = 0,
        statistical_analysis: bool = False,
        splt_analysis: int = 0,
        n_meters: int = 0,
        max_nflows: int = 0,
        performance_report: int = 0,
        system_visibility_mode: int = 0,
        system_visibility_poll_ms: int = 100,
    ) -> None:
        """Take the arguments of NFStream's.

        Those of a live capture (promiscuous_mode, snapshot_length,
        socket_buffer_size, system_visibility_poll_ms) mean nothing for files and
        are passed over. The default of n_dissections is 0 here.
        """
        self.source = _source(source)
        if udps is not None and udps != ():
            raise NotImplementedError("udps: flowfast runs no plugins; the record batches of flowfast.stream can be added to")
        if n_dissections != 0:
            raise NotImplementedError(
                f"n_dissections={n_dissections}: flowfast does no deep packet inspection; want 0, the default here"
            )
        if accounting_mode != 0:
            raise NotImplementedError(
                f"accounting_mode={accounting_mode}: flowfast counts bytes of whole frames in NFStream's columns; want 0"
            )
        if system_visibility_mode != 0 or performance_report != 0:
            raise NotImplementedError("system_visibility_mode and performance_report are for live captures; want 0")
        for name, value in (("idle_timeout", idle_timeout), ("active_timeout", active_timeout)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ValueError(f"Please specify a valid {name} parameter (positive integer in seconds).")
            if value == 0:
                raise NotImplementedError(f"{name}=0 makes each packet a flow, which flowfast does not do")
        if not 0 <= splt_analysis <= 1000:
            raise ValueError("Please specify a valid splt_analysis parameter (possible values in : [0,...,1000])")
        if max_nflows < 0 or n_meters < 0:
            raise ValueError("Please specify valid max_nflows and n_meters parameters (>=0).")
        self.decode_tunnels = decode_tunnels
        self.bpf_filter = bpf_filter
        self.idle_timeout = idle_timeout
        self.active_timeout = active_timeout
        self.statistical_analysis = statistical_analysis
        self.splt_analysis = splt_analysis
        self.n_meters = n_meters
        self.max_nflows = max_nflows

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "profile": "nfstream",
            "idle_timeout": self.idle_timeout,
            "active_timeout": self.active_timeout,
            "splt": self.splt_analysis or None,
            "filter": self.bpf_filter,
            "jobs": self.n_meters or None,
            # Of the tunnels that NFStream looks into these two have flows here.
            "decap": "gtpu" if self.decode_tunnels else None,
            "join": not isinstance(self.source, str),
        }
        if not self.statistical_analysis:
            names = [c.name for c in columns("nfstream")]
            names = names[: names.index(_LAST_CORE) + 1]
            if self.splt_analysis:
                names += ["splt_direction", "splt_ps", "splt_piat_ms"]
            options["columns"] = names
        return options

    def _stream(self) -> Stream:
        return stream(self.source, **self._options())

    def __iter__(self) -> Iterator[NFlow]:
        left = self.max_nflows or -1
        with self._stream() as batches:
            for batch in batches:
                names = {name: k for k, name in enumerate(batch.schema.names)}
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    yield NFlow(names, values)
                    left -= 1
                    if left == 0:
                        return

    def to_pandas(self, columns_to_anonymize: Sequence[str] = ()) -> pandas.DataFrame | None:
        """Return the flows as a data frame; None if there are none, as NFStream does."""
        if self.max_nflows:
            import pyarrow as pa

            with self._stream() as batches:
                kept, left = [], self.max_nflows
                for batch in batches:
                    kept.append(batch.slice(0, left))
                    left -= kept[-1].num_rows
                    if left == 0:
                        break
                result = Result(pa.Table.from_batches(kept, batches.schema), batches.summary)
        else:
            result = read(self.source, **self._options())
        if len(result) == 0:
            return None
        frame = result.pandas()
        hidden = _Hidden(columns_to_anonymize)
        for name in columns_to_anonymize:
            if name in frame:
                frame[name] = frame[name].map(hidden.hash)
        return frame

    def to_csv(
        self,
        path: str | os.PathLike[str] | None = None,
        columns_to_anonymize: Sequence[str] = (),
        flows_per_file: int = 0,
        rotate_files: int = 0,
    ) -> int:
        """Write the flows as CSV, and return their number.

        Without a path it is that of the (first) capture with .csv behind it.
        """
        if flows_per_file < 0 or rotate_files < 0:
            raise ValueError("Please specify valid flows_per_file and rotate_files parameters (>= 0).")
        if path is None:
            path = (self.source if isinstance(self.source, str) else self.source[0]) + ".csv"
        hidden, total, file = _Hidden(columns_to_anonymize), 0, None
        try:
            for flow in self:
                if file is None or flows_per_file and total % flows_per_file == 0:
                    if file is not None:
                        file.close()
                    number = total // flows_per_file if flows_per_file else None
                    if number is not None and rotate_files:
                        number %= rotate_files
                    file = open(_numbered(os.fspath(path), number), "w", newline="", encoding="utf-8")
                    writer = csv.writer(file)
                    writer.writerow(flow.keys())
                writer.writerow(hidden.row(flow))
                total += 1
        finally:
            if file is not None:
                file.close()
        return total


def _numbered(path: str, number: int | None) -> str:
    """Return the name of a file of several, as NFStream makes it: flows.0.csv."""
    if number is None:
        return path
    stem, extension = os.path.splitext(path)
    return f"{stem}.{number}{extension}"


def _source(source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None) -> str | list[str]:
    if source is None:
        raise ValueError("Please specify a pcap file path or a valid network interface name as source.")
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        if not os.path.exists(path):
            raise ValueError(
                f"{path} is not a file; flowfast does not capture from interfaces: "
                f"tcpdump -i {path} -w - can be read with flowfast.stream"
            )
        return path
    paths = [os.fspath(path) for path in source]
    if not paths:
        raise ValueError("Please provide a non-empty list of sources.")
    for k, path in enumerate(paths):
        if not os.path.isfile(path):
            raise ValueError(f"Invalid pcap file path at index: {k}.")
    return paths


class _Hidden:
    """Columns whose values are written as hashes with a key of this run."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._key = secrets.token_bytes(64)

    def hash(self, value: object) -> str:
        return hashlib.blake2b(str(value).encode(), digest_size=64, key=self._key).hexdigest()

    def row(self, flow: NFlow) -> list[Any]:
        if not self._names:
            return flow.values()
        return [
            self.hash(value) if name in self._names else value
            for name, value in zip(flow.keys(), flow.values(), strict=True)
        ]
