"""What the tasks that read captures read of them: captures, and parts of large ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ._cluster import READ_AHEAD, Capture
from ._engine import Readable
from ._summary import added

_GROUPS = 10_000  # tasks, at most
_HEAD = 1 << 20  # bytes of the beginning of a file that each part needs
_FRONT = 17 << 20  # and bytes in front of a part: see --cut of flowfast partition


class Piece(NamedTuple):
    """A part of a capture, by its number from 1, of so many."""

    capture: Capture
    part: int
    of: int

    @property
    def size(self) -> int:
        return self.capture.size // self.of

    @contextlib.contextmanager
    def open(self) -> Iterator[tuple[list[str], str, Readable | None]]:
        """Return options of the command, and what it is to read: the name of a file, or standard input and what is sent there."""
        if self.of == 1:
            with self.capture.open() as (name, stream):
                yield [], name, stream
            return
        options = [f"--range={self.part}/{self.of}"]
        from pyarrow import fs

        system, path = self.capture.filesystem, self.capture.path
        if isinstance(system, fs.LocalFileSystem):
            with self.capture.open() as (name, stream):
                yield options, name, stream
            return
        size = self.capture.size
        begin = max(min(_HEAD, size), size // self.of * (self.part - 1) - _FRONT)
        options.append(f"--cut={begin}/{size}")
        if hasattr(system, "open_input_file"):
            with system.open_input_file(path) as file:
                yield options, "-", _Cut(file, begin)
        else:
            with system.open(path, "rb", block_size=READ_AHEAD, compression=None) as file:
                yield options, "-", _Cut(file, begin)


class _Cut:
    """The beginning of a file, and then what stands from a byte on, in requests that are larger than is asked for."""

    def __init__(self, file: Any, begin: int) -> None:
        self._file = file
        self._begin = begin
        self._left = _HEAD

    def read(self, size: int, /) -> bytes:
        if self._left > 0:
            chunk: bytes = self._file.read(min(self._left, self._begin))
            self._left = 0
            self._file.seek(self._begin)
            return chunk
        chunk = self._file.read(max(size, READ_AHEAD))
        return chunk


def pieces(captures: Sequence[Capture], part_size: int | None) -> list[Piece]:
    """Return what there is to be read: parts of about a size, in bytes, of captures that are not compressed."""
    if part_size is not None and part_size < 1:
        raise ValueError(f"parts of {part_size} bytes: want 1 or more, or None for whole captures")
    all_of = []
    for capture in captures:
        of = 1
        if part_size is not None and not capture.packed:
            of = min(max(1, capture.size // part_size), 1 << 20)
        all_of += [Piece(capture, part, of) for part in range(1, of + 1)]
    return all_of


def groups(of: Sequence[Piece]) -> list[list[int]]:
    """Return the numbers of the pieces that each task reads: one, unless there are very many."""
    if len(of) <= _GROUPS:
        return [[number] for number in range(len(of))]
    most = max(sum(p.size for p in of) // _GROUPS, 1)
    tasks: list[list[int]] = [[]]
    size = 0
    for number, piece in enumerate(of):
        if tasks[-1] and size + piece.size > most:
            tasks.append([])
            size = 0
        tasks[-1].append(number)
        size += piece.size
    return tasks


def whole(summaries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a summary for each capture from those of pieces, in order.

    Parts that one in front has read through, and those behind damage, do not count, as in flowfast flows.
    """
    captures: list[list[dict[str, Any]]] = []
    through, damaged = 0, False
    for said in summaries:
        part = said.get("part")
        if part is None or part["part"] == 1:
            captures.append([])
            through, damaged = 0, False
        elif damaged or part["part"] <= through or not captures:
            continue
        captures[-1].append(said)
        through, damaged = (part or {}).get("through", 0), bool(said.get("errors"))
    return [_sum(parts) for parts in captures]


def _sum(parts: list[dict[str, Any]]) -> dict[str, Any]:
    total = dict(added(parts))
    if total.pop("part", None) is not None:
        total.pop("runs", None)
        total |= {key: parts[0].get(key) for key in ("version", "inputs", "output", "captures")}
        total |= {"captures_whole": int(not parts[-1].get("errors")), "failed": int(bool(parts[-1].get("errors")))}
    return total
