"""What can be read, as runs of the command."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from ._engine import Readable
from ._options import ask

Path: TypeAlias = "str | os.PathLike[str]"
Source: TypeAlias = "Path | bytes | bytearray | memoryview | Readable | Iterable[Path | bytes | Readable]"


class Run(NamedTuple):
    """One run of the command."""

    inputs: Sequence[str]
    flags: Sequence[str] = ()
    stdin: Readable | bytes | None = None
    own_stdin: bool = False
    capture: str | None = None  # names the rows if there are several runs


def runs(source: Source, join: bool) -> list[Run]:
    """Return the runs that read a source: one, or one for each capture without join."""
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        if not os.path.isdir(path):
            return [_file(path, ["--join"] if join else [])]
        if join:
            return [_joined([path])]
        return _folder(path)
    if isinstance(source, (bytes, bytearray, memoryview)) or hasattr(source, "read"):
        return [_content(source)]
    if not isinstance(source, Iterable):
        raise TypeError(f"want a path, a list of paths, a folder, bytes or a file opened in binary mode, not {source!r}")
    parts = list(source)
    if not parts:
        raise ValueError("the list of captures is empty")
    if join:
        paths = []
        for part in parts:
            if not isinstance(part, (str, os.PathLike)):
                raise TypeError(f"join=True takes paths, not {type(part).__name__}: it looks at the first packets beforehand")
            paths.append(os.fspath(part))
        return [_joined(paths)]
    all_runs: list[Run] = []
    for k, part in enumerate(parts):
        if isinstance(part, (str, os.PathLike)):
            path = os.fspath(part)
            all_runs += _folder(path) if os.path.isdir(path) else [_file(path, [])._replace(capture=path)]
        else:
            all_runs.append(_content(part)._replace(capture=f"[{k}]"))
    return all_runs


def _file(path: str, flags: Sequence[str]) -> Run:
    if path == "-":
        return Run(["-"], flags, own_stdin=True)
    return Run([path], flags)


def _content(source: object) -> Run:
    if isinstance(source, (bytearray, memoryview)):
        source = bytes(source)
    if isinstance(source, bytes):
        # It is all there: no row is in a hurry.
        return Run(["-"], ["--flush=none"], stdin=source)
    if not hasattr(source, "read"):
        raise TypeError(f"want a path, bytes or a file opened in binary mode, not {source!r}")
    return Run(["-"], stdin=source)


def _joined(paths: list[str]) -> Run:
    flags = ["--join"]
    if any(os.path.isdir(path) for path in paths):
        flags.append("--recursive")
    return Run([_named(path) for path in paths], flags)


def _folder(path: str) -> list[Run]:
    """Return a run for each capture under a folder, as -r finds them."""
    found = ask("list-captures", "--", path)
    names = found["captures"]
    if not names:
        raise FileNotFoundError(f"{path}: no capture among {found['other_files']} files")
    return [Run([os.path.join(path, name)], capture=name) for name in names]


def _named(path: str) -> str:
    return "./-" if path == "-" else path
