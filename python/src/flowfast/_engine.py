"""A run of the command in a process of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from typing import IO, Any, Protocol

from ._binary import binary
from ._errors import CaptureError, EngineError, Error, UsageError
from ._options import message
from ._summary import Summary, parsed

_CHUNK = 1 << 20


class Readable(Protocol):
    """What can be read as a capture: a file, a socket's file, a response."""

    def read(self, size: int, /) -> bytes: ...


class Engine:
    """A running command: rows at ``rows``, and the summary when it has ended.

    The summary comes over a pipe of its own, so that nothing is left behind
    whatever ends this process. Windows has no names for pipes that are handed
    down; there it is a file in a temporary folder.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        stdin: Readable | bytes | None,
        own_stdin: bool,
        rows: bool,
        pass_fds: tuple[int, ...] = (),
    ) -> None:
        self.feed_error: BaseException | None = None
        self._folder: str | None = None
        self._summary = bytearray()
        self._errors = bytearray()
        self._threads: list[threading.Thread] = []
        self._pump: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        path = binary()
        more: dict[str, Any] = {}
        summary_in = summary_out = -1
        if os.name == "nt":
            self._folder = tempfile.mkdtemp(prefix="flowfast-")
            summary = os.path.join(self._folder, "summary.json")
            more["creationflags"] = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        else:
            summary_in, summary_out = os.pipe()
            summary = f"/dev/fd/{summary_out}"
            more["pass_fds"] = (summary_out, *pass_fds)
            # Ctrl-C is for this process, which then ends the other.
            more["start_new_session"] = True
            if sys.platform == "linux":
                more["pipesize"] = _CHUNK
        try:
            self._process = subprocess.Popen(
                [path, *arguments[:1], f"--summary={summary}", *arguments[1:]],
                stdin=subprocess.PIPE if stdin is not None else None if own_stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE if rows else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                **more,
            )
        except OSError as error:
            if summary_in >= 0:
                os.close(summary_in)
            self._remove_folder()
            raise EngineError(f"{path} can't be run: {error}") from error
        finally:
            if summary_out >= 0:
                os.close(summary_out)
        if summary_in >= 0:
            self._start(_collect, open(summary_in, "rb"), self._summary)
        if rows:
            self._start(_collect, self._process.stderr, self._errors)
        if stdin is not None:
            self._pump = threading.Thread(target=self._feed, args=(stdin,), name="flowfast-input", daemon=True)
            self._pump.start()

    def _start(self, target: Any, *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, name="flowfast", daemon=True)
        thread.start()
        self._threads.append(thread)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def rows(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def messages(self) -> IO[bytes]:
        """What the command says while it runs, if it writes no rows."""
        assert self._process.stderr is not None
        return self._process.stderr

    def keep(self, line: bytes) -> None:
        self._errors += line

    def _feed(self, source: Readable | bytes) -> None:
        """Write a capture to the command as fast as it takes it."""
        to = self._process.stdin
        assert to is not None
        try:
            if isinstance(source, bytes):
                view = memoryview(source)
                for at in range(0, len(view), _CHUNK):
                    to.write(view[at : at + _CHUNK])
            else:
                while chunk := source.read(_CHUNK):
                    if not isinstance(chunk, (bytes, bytearray, memoryview)):
                        raise TypeError(f"the file gives {type(chunk).__name__}, not bytes: open it in binary mode")
                    to.write(chunk)
                    to.flush()
        except BrokenPipeError:  # it has ended; its status says why
            pass
        except OSError as error:
            if not self._closed and self._process.poll() is None:
                self._fail(error)
        except ValueError as error:  # closed on either side
            if not self._closed:
                self._fail(error)
        except BaseException as error:
            self._fail(error)
        finally:
            with contextlib.suppress(OSError, ValueError):
                to.close()

    def _fail(self, error: BaseException) -> None:
        # What was read of the capture is not the whole: no row of it is right.
        self.feed_error = error
        self._process.kill()

    def stop(self) -> None:
        """Ask the command to end, and let it write what belongs to a run that goes on later."""
        if self._process.poll() is None:
            self._process.terminate()

    def wait(self) -> int:
        """Wait for the end, and return the exit status."""
        status = self._process.wait()
        self._close()
        return status

    def kill(self) -> None:
        """End the command at once and leave nothing."""
        with self._lock:
            self._closed = True
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            for thread in self._threads:
                thread.join()
            self._threads.clear()
            if self._pump is not None:
                # One that waits for its source can't be woken: it ends with the next chunk.
                self._pump.join(0.2)
            for file in (self._process.stdout, self._process.stderr):
                if file is not None:
                    with contextlib.suppress(OSError, ValueError):
                        file.close()
            if self._folder is not None:
                with contextlib.suppress(OSError), open(os.path.join(self._folder, "summary.json"), "rb") as file:
                    self._summary += file.read()
            self._remove_folder()

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def summary(self) -> dict[str, Any]:
        return parsed(bytes(self._summary))

    def error(self, status: int) -> Error | None:
        """Return what a status says, None for a run without errors."""
        if status == 0:
            return None
        said = self.summary()
        text = "\n".join(said.get("errors", [])) or message(bytes(self._errors))
        summary = Summary(said) if said else None
        if status < 0:
            return EngineError(f"flowfast was killed by signal {-status} ({_named(-status)})", status=status, summary=summary)
        if status == 2 and not said:
            return UsageError(text, status=status)
        if status in (1, 2):
            return CaptureError(text or "\n".join(said.get("warnings", [])), status=status, summary=summary)
        return EngineError(text or f"flowfast ended with status {status}", status=status, summary=summary)


def _collect(file: IO[bytes], into: bytearray) -> None:
    with contextlib.suppress(ValueError, OSError), file:
        while chunk := file.read(1 << 16):
            into += chunk


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
