"""Captures of a file system, and the commands that tasks run on them."""

from __future__ import annotations

import contextlib
import fnmatch
import gc
import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
import uuid
import zipimport
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ._binary import binary
from ._engine import Readable
from ._errors import EngineError, UsageError
from ._options import arguments, message, options

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs

_EXTENSIONS = (".pcap", ".pcapng", ".cap", ".dmp", ".dump", ".ntar", ".snoop", ".erf")
_PACKED = ("", ".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lz4")
READ_AHEAD = 8 << 20  # bytes of a request to an object store, which takes as long as some MB to begin its answer


class Capture(NamedTuple):
    """A capture in a file system."""

    name: str
    path: str
    size: int
    filesystem: Any

    @property
    def packed(self) -> bool:
        """Whether the capture's name says that it is compressed."""
        return self.name.lower().endswith(_PACKED[1:])

    @contextlib.contextmanager
    def open(self) -> Iterator[tuple[str, Readable | None]]:
        """Return what the command is to read: the name of a file, or standard input and what is sent there."""
        from pyarrow import fs

        if isinstance(self.filesystem, fs.LocalFileSystem):
            yield os.path.abspath(self.path), None
            return
        # Some of these would decompress by the name, which the command does by the bytes.
        if hasattr(self.filesystem, "open_input_stream"):
            with self.filesystem.open_input_stream(self.path, compression=None, buffer_size=READ_AHEAD) as stream:
                yield "-", stream
        else:
            with self.filesystem.open(self.path, "rb", block_size=READ_AHEAD, compression=None) as stream:
                yield "-", stream


def find(source: Any, filesystem: Any) -> list[Capture]:
    """Return the captures that names, patterns and folders stand for, in the order of names."""
    names = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    found: dict[str, Capture] = {}
    for name in [str(os.fspath(n)) for n in names]:
        of = _found(name, filesystem)
        if not of:
            raise FileNotFoundError(f"{name}: no capture")
        found.update({c.name: c for c in of})
    if not found:
        raise ValueError("the list of captures is empty")
    return [found[name] for name in sorted(found)]


def _found(name: str, filesystem: Any) -> list[Capture]:
    from pyarrow import fs

    system, path = _system(name, filesystem)
    prefix = name[: len(name) - len(path)] if name.endswith(path) else ""
    pattern = any(c in path for c in "*?[")
    root = path
    if pattern:
        while any(c in root for c in "*?["):
            root = os.path.dirname(root)
    arrow = _arrow(system)
    info = arrow.get_file_info(root or ".")
    if info.type == fs.FileType.File:
        return [Capture(name, path, info.size, system)]
    if info.type == fs.FileType.NotFound:
        return []
    depth = path.count("/") if pattern else 0
    files = arrow.get_file_info(fs.FileSelector(root or ".", recursive=not pattern or path.rstrip("/").count("/") > root.rstrip("/").count("/") + 1))
    all_of = []
    for f in files:
        if f.type != fs.FileType.File:
            continue
        at = f.path.removeprefix("./") if not path.startswith("./") else f.path
        if pattern:
            if not fnmatch.fnmatchcase(at, path) or at.count("/") != depth:
                continue
        elif not _is_capture(os.path.basename(at)):
            continue
        all_of.append(Capture(prefix + at, at, f.size, system))
    return all_of


def _arrow(filesystem: Any) -> fs.FileSystem:
    """Return a file system as one of pyarrow's."""
    from pyarrow import fs

    if isinstance(filesystem, fs.FileSystem):
        return filesystem
    handler: Any = fs.FSSpecHandler
    return fs.PyFileSystem(handler(filesystem))


def _system(name: str, filesystem: Any) -> tuple[Any, str]:
    """Return the file system of a name, and the path in it."""
    from pyarrow import fs

    if filesystem is not None:
        return filesystem, name.split("://", 1)[-1]
    if "://" not in name:
        return fs.LocalFileSystem(), name
    scheme, rest = name.split("://", 1)
    if scheme in ("s3a", "s3n"):  # Hadoop's names of it
        name = f"s3://{rest}"
    plain, _, tail = name.partition("*")  # which is no part of a URI
    try:
        system, path = fs.FileSystem.from_uri(plain)
    except (ValueError, NotImplementedError):
        import fsspec

        return fsspec.filesystem(scheme), rest
    if not tail and "*" not in name:
        return system, path
    if plain.endswith("/") and not path.endswith("/"):
        path += "/"
    return system, f"{path}*{tail}"


def _is_capture(name: str) -> bool:
    return not name.startswith((".", "_")) and name.lower().endswith(tuple(e + p for e in _EXTENSIONS for p in _PACKED))


class Commands(NamedTuple):
    """The options of the commands, and the content of files that they name."""

    buckets: int
    of_partition: tuple[str, ...]
    of_flows: tuple[str, ...]
    of_describe: tuple[str, ...]
    contents: Mapping[str, bytes]

    @contextlib.contextmanager
    def files(self) -> Iterator[str]:
        """Write the files that options name into a folder, which partition and flows take."""
        if not self.contents:
            yield ""
            return
        with tempfile.TemporaryDirectory(prefix="flowfast-", dir=scratch()) as folder:
            for name, content in self.contents.items():
                path = os.path.join(folder, name)
                os.mkdir(os.path.dirname(path))
                with open(path, "wb") as file:
                    file.write(content)
            yield folder

    def partition(self, folder: str) -> list[str]:
        return [f"--buckets={self.buckets}", *_named(self.of_partition, folder)]

    def flows(self, folder: str) -> list[str]:
        return _named(self.of_flows, folder)

    def schema(self) -> tuple[pa.Schema, frozenset[str]]:
        """Return the columns of the rows, by making those of a capture without packets, and which of them number all rows."""
        import pyarrow as pa

        def columns(*options: str) -> pa.Schema:
            with pa.ipc.open_stream(_run(["flows", "--quiet", "--format=arrows", *options, *self.flows(files), path, "-"], b"")) as rows:
                return rows.schema

        with tempfile.TemporaryDirectory(prefix="flowfast-") as folder, self.files() as files:
            empty = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0"
            path = os.path.join(folder, "empty.ffb")
            with open(path, "wb") as file:
                file.write(_run(["partition", "--quiet", "--output=-", *self.partition(files), "--buckets=1", "-"], empty))
            schema = columns()
            return schema, frozenset(schema.names) - frozenset(columns("--order=1").names)

    def describe(self, to: Destination, captures: Sequence[tuple[Capture, Any]], parts: Sequence[dict[str, Any]]) -> None:
        """Write what there is to be said of a data set, from the summaries of its captures and its parts."""
        above = os.path.dirname(os.path.commonprefix([c.path for c, _ in captures])) if captures else ""
        told = {
            "name": os.path.basename(above) or "captures",
            "captures": [{"path": c.path[len(above) :].lstrip("/"), "size": c.size, "summary": s} for c, s in captures],
            "parts": parts,
        }
        with tempfile.TemporaryDirectory(prefix="flowfast-") as folder, self.files() as files:
            _run(["describe-dataset", *_named(self.of_describe, files), folder], json.dumps(told).encode())
            for name in sorted(os.listdir(folder)):
                with open(os.path.join(folder, name), "rb") as file:
                    to.write(name, file.read())


def _named(flags: Sequence[str], folder: str) -> list[str]:
    return [flag.replace("\0", folder + os.sep) for flag in flags]


def _run(command: list[str], stdin: bytes) -> bytes:
    path = binary()
    try:
        done = subprocess.run([path, *command], input=stdin, capture_output=True, check=False)
    except OSError as error:
        raise EngineError(f"{path} can't be run: {error}") from error
    if done.returncode != 0:
        raise UsageError(message(done.stderr), status=done.returncode)
    return done.stdout


def commands(function: str, buckets: int, given: Mapping[str, Any], without: frozenset[str]) -> Commands:
    """Return what keyword arguments say to the commands. Files are read here and sent along."""
    if not 1 <= buckets <= 1 << 16:
        raise ValueError(f"{function}(): {buckets} buckets, want 1 to 65,536")
    without |= {"buckets", "output", "name", "range", "order"}
    contents: dict[str, bytes] = {}
    first: list[str] = []
    second: list[str] = []
    third: list[str] = []
    for flag in arguments(function, given, without, ("partition", "flows")):
        name, _, value = flag.partition("=")
        file = value if name == "--labels" else value.removeprefix("@") if value.startswith("@") else ""
        sent = flag
        if file and not file.startswith("builtin:"):
            as_name = f"{len(contents)}/{os.path.basename(file)}"  # by which messages call it
            with open(file, "rb") as opened:
                contents[as_name] = opened.read()
            sent = f"{name}={'@' if value.startswith('@') else ''}\0{as_name}"
        for command, flags in (("partition", first), ("flows", second), ("describe-dataset", third)):
            if name.removeprefix("--").replace("-", "_") in options(command):
                flags.append(sent)
    return Commands(buckets, tuple(first), tuple(second), tuple(third), contents)


def begin_task() -> None:
    """Prepare the worker that a task runs in."""
    _spare_zip_files()
    # Spark collects garbage after each task. What modules hold is never any, and to look at
    # all of it took 40 ms.
    if gc.get_freeze_count() == 0:
        gc.freeze()
    _use_shipped()


def _spare_zip_files() -> None:
    """Forget who looks for modules in zip files, which Python then finds out again when it must.

    Spark has all of them look anew before each task. Before Python 3.13 they do it at once, each
    in the zip file of all of PySpark: that took 0.1 s a task, more than all else in Python.
    """
    for path in [p for p, finder in list(sys.path_importer_cache.items()) if isinstance(finder, zipimport.zipimporter)]:
        sys.path_importer_cache.pop(path, None)


def _use_shipped() -> None:
    """Use the command that ship has sent, if there is one, and none is installed here."""
    if os.environ.get("FLOWFAST_BINARY"):
        return
    try:
        binary()
    except EngineError:
        from pyspark import SparkFiles

        path = SparkFiles.get("flowfast")
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        os.environ["FLOWFAST_BINARY"] = path


def scratch() -> str | None:
    """Return the folder for temporary files that Spark was given, None for the system's."""
    for name in ("LOCAL_DIRS", "SPARK_LOCAL_DIRS"):
        if folder := os.environ.get(name, "").split(",")[0]:
            return folder
    return None


class Destination(NamedTuple):
    """A folder for outputs in a file system."""

    filesystem: Any
    path: str

    def begin(self, folder: str) -> None:
        """Make the folder, and one in it."""
        from pyarrow import fs

        self.filesystem.create_dir(self.path, recursive=True)
        there = self.filesystem.get_file_info(fs.FileSelector(self.path, allow_not_found=True))  # object stores have no folders
        if there:
            raise FileExistsError(f"{self.path}: the folder is not empty: rows of two jobs don't belong together")
        self.filesystem.create_dir(f"{self.path}/{folder}", recursive=True)

    def sweep(self, folder: str) -> None:
        """Remove the files of a folder whose tasks were killed before they could move them."""
        from pyarrow import fs

        for file in self.filesystem.get_file_info(fs.FileSelector(f"{self.path}/{folder}", allow_not_found=True)):
            if file.base_name.startswith("_"):
                with contextlib.suppress(OSError):  # one that still runs has moved it
                    self.filesystem.delete_file(file.path)

    def write(self, name: str, content: bytes) -> None:
        with put(self, name, None) as commit:
            commit(content)


def destination(output: str | os.PathLike[str], filesystem: Any) -> Destination:
    from pyarrow import fs

    system, path = _system(os.fspath(output), filesystem)
    system = _arrow(system)
    return Destination(system, os.path.abspath(path) if isinstance(system, fs.LocalFileSystem) else path)


class Digested:
    """A file that is written, and what there is to be said of its bytes."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._sum.update(data)
        self._size += len(data)
        return len(data)

    def copy(self, rows: Readable) -> None:
        while chunk := rows.read(1 << 20):
            self.write(chunk)

    # What pyarrow asks of a file; who has opened it closes it.
    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def dict(self) -> dict[str, Any]:
        return {"size": self._size, "sha256": self._sum.hexdigest()}


@contextlib.contextmanager
def put(to: Destination, name: str, fill: Callable[[Any], object] | None) -> Iterator[Callable[..., None]]:
    """Have a file filled that gets its name when what is yielded is called, and is gone otherwise.

    It is written under a name of its own that readers of data sets pass over, and then
    moved, which takes the place of the same file by a task that ran twice.
    """
    folder, _, last = f"{to.path}/{name}".rpartition("/")
    temporary = f"{folder}/_{last}.{uuid.uuid4().hex}"
    done = False

    def commit(content: bytes = b"") -> None:
        nonlocal done
        if content:
            with to.filesystem.open_output_stream(temporary, compression=None) as stream:
                stream.write(content)
        to.filesystem.move(temporary, f"{to.path}/{name}")
        done = True

    try:
        if fill is not None:
            with to.filesystem.open_output_stream(temporary, compression=None) as stream:
                fill(stream)
        yield commit
    finally:
        if not done:
            with contextlib.suppress(OSError):
                to.filesystem.delete_file(temporary)


# Murmur3_x86_32 of one 32-bit word with the seed 42, as Spark hashes an int column.
def _spark_hash(value: int) -> int:
    mask = 0xFFFFFFFF
    k = value * 0xCC9E2D51 & mask
    k = (k << 15 | k >> 17) & mask
    k = k * 0x1B873593 & mask
    h = 42 ^ k
    h = (h << 13 | h >> 19) & mask
    h = h * 5 + 0xE6546B64 & mask
    h ^= 4
    h = (h ^ h >> 16) * 0x85EBCA6B & mask
    h = (h ^ h >> 13) * 0xC2B2AE35 & mask
    h ^= h >> 16
    return h - (1 << 32) if h >> 31 else h


_keys: dict[int, list[int]] = {}


def partition_key(bucket: int, buckets: int) -> int:
    """Return a number that Spark's hash puts into the partition of a bucket, so that each has one of its own."""
    if buckets not in _keys:
        keys: dict[int, int] = {}
        value = 0
        while len(keys) < buckets:
            keys.setdefault(_spark_hash(value) % buckets, value)
            value += 1
        _keys[buckets] = [keys[b] for b in range(buckets)]
    return _keys[buckets][bucket]
