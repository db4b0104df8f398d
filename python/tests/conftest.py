from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Spark is tried by make spark, in an environment of its own.
collect_ignore_glob = [] if os.environ.get("FLOWFAST_SPARK") else ["test_spark*.py"]


@pytest.fixture(autouse=True)
def nothing_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Want no process, no temporary file and no open file of a test to be left."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = open_pipes()
    yield
    assert list(folder.iterdir()) == []
    with pytest.raises(ChildProcessError):  # a zombie would be waited for here
        os.waitpid(-1, os.WNOHANG)
    assert open_pipes() <= before


def open_pipes() -> int:
    """Return the number of pipes that are open here; 0 where that can't be told."""
    count, folder = 0, "/proc/self/fd"
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        try:
            count += os.readlink(f"{folder}/{name}").startswith("pipe:")
        except OSError:
            pass
    return count


def packet(number: int) -> bytes:
    """Return the record of a UDP packet that is a flow of its own, a millisecond after the one before."""
    payload = b"flow"
    udp = struct.pack(">HHHH", 1000 + number % 60000, 53, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x0A000000 + number // 60000, 0xC0000201)
    frame = b"\2" * 12 + b"\x08\x00" + ip + udp
    seconds, millis = divmod(number, 1000)
    return struct.pack("<IIII", 1_700_000_000 + seconds, millis * 1000, len(frame), len(frame)) + frame


HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


@pytest.fixture(scope="session")
def make() -> Callable[[int], bytes]:
    """Return what makes a capture of so many flows."""
    return lambda flows: HEAD + b"".join(map(packet, range(flows)))


@pytest.fixture(scope="session")
def big(tmp_path_factory: pytest.TempPathFactory, make: Callable[[int], bytes]) -> Path:
    """A capture with rows of some 40 MB: far more than pipes hold."""
    path = tmp_path_factory.mktemp("big") / "big.pcap"
    path.write_bytes(make(200_000))
    return path


class Endless:
    """A capture without end, as a file that counts what was read of it."""

    def __init__(self, flows: int = 1 << 40) -> None:
        self.number, self.flows, self.count = 0, flows, 0

    def read(self, size: int) -> bytes:
        parts = [HEAD] if self.number == 0 else []
        many = min(2000, self.flows - self.number)
        parts += map(packet, range(self.number, self.number + many))
        self.number += many
        data = b"".join(parts)
        self.count += len(data)
        return data


@pytest.fixture
def web() -> Path:
    return ROOT / "testdata" / "web.pcap.zst"


@pytest.fixture
def shared() -> Path:
    folder = ROOT.parent / "shared" / "captures"
    if not folder.is_dir():
        tell = pytest.fail if os.environ.get("FLOWFAST_CONFORMANCE") == "required" else pytest.skip
        tell("there are no shared captures beside this checkout")
    return folder


def gone(pid: int) -> bool:
    """Tell if a process is not there, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
