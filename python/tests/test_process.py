"""Whatever ends a run, nothing of it is left."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Endless, gone

import flowfast

resource = pytest.importorskip("resource")


def wait(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def child(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a Python program that says something when it is ready."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parent,
    )  # fmt: skip


def test_abandoned_iterator(big: Path) -> None:
    gc.disable()  # nothing may wait for the collector
    try:
        batches = flowfast.stream(big)
        for batch in batches:
            pid = batches.pid
            assert batch.num_rows > 0
            break
        assert pid is not None and not gone(pid)
        del batches
        assert gone(pid)
    finally:
        gc.enable()


def test_with(big: Path) -> None:
    with flowfast.stream(big) as batches:
        next(batches)
        pid = batches.pid
    assert pid is not None and gone(pid)
    assert list(batches) == []
    batches.close()
    with flowfast.stream(big) as batches:  # closed before it began
        pass
    with pytest.raises(flowfast.Error, match="closed"):
        batches.schema  # noqa: B018


def test_exception_in_the_loop(big: Path) -> None:
    pids = []
    with pytest.raises(ZeroDivisionError), flowfast.stream(big) as batches:
        for _ in batches:
            pids.append(batches.pid)
            1 / 0  # noqa: B018
    assert len(pids) == 1 and pids[0] is not None and gone(pids[0])


@pytest.mark.parametrize(("number", "status", "reason"), [(signal.SIGKILL, -9, "SIGKILL"), (signal.SIGTERM, 143, "terminated")])
def test_killed_engine(number: signal.Signals, status: int, reason: str) -> None:
    batches = flowfast.stream(Endless(), idle_timeout=1)
    next(batches)
    assert batches.pid is not None
    os.kill(batches.pid, number)
    with pytest.raises(flowfast.EngineError, match=reason) as caught:
        for _ in batches:
            pass
    assert caught.value.status == status


def test_killed_engine_of_read() -> None:
    class Killer(Endless):
        def read(self, size: int) -> bytes:
            if self.number > 300_000:
                os.kill(children()[0], signal.SIGKILL)
            return super().read(size)

    with pytest.raises(flowfast.EngineError, match="SIGKILL") as caught:
        flowfast.read(Killer(), idle_timeout=1)
    assert isinstance(caught.value.partial, flowfast.Result)
    assert len(caught.value.partial) > 0


def children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def test_backpressure_and_constant_memory() -> None:
    source = Endless()
    with flowfast.stream(source, idle_timeout=1, max_memory="256MiB") as batches:
        for _ in range(3):
            next(batches)
        read = -1
        while read != source.count:  # until nothing moves any more
            read = source.count
            time.sleep(0.5)
        assert source.count < 100_000_000
        next(batches)
        assert batches.pid is not None and not gone(batches.pid)


def test_million_flows_in_256_mib() -> None:
    run = child(
        """
        import resource
        from conftest import Endless
        import flowfast
        batches = flowfast.stream(Endless(1_000_000), idle_timeout=1)
        rows = next(batches).num_rows
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (256 << 20),) * 2)
        for batch in batches:
            rows += batch.num_rows
        print(rows, batches.summary.flows)
        """
    )
    out, err = run.communicate(timeout=120)
    assert out.split() == ["1000000", "1000000"], err


def test_source_that_fails(web: Path) -> None:
    class Broken(Endless):
        def read(self, size: int) -> bytes:
            if self.number > 4000:
                raise OSError("the line is down")
            return super().read(size)

    with pytest.raises(OSError, match="the line is down"):
        flowfast.read(Broken())
    with web.open(encoding="latin-1") as file, pytest.raises(TypeError, match="binary mode"):
        flowfast.read(file)  # type: ignore[arg-type]


@pytest.mark.parametrize("function", ["read", "stream"])
def test_interrupt(function: str) -> None:
    run = child(
        f"""
        import sys
        from conftest import Endless
        import flowfast
        class Slow(Endless):
            def read(self, size):
                print("ready", flush=True)
                return super().read(size)
        source = Slow()
        for batch in flowfast.{function}(source, idle_timeout=1) if "{function}" == "stream" else [flowfast.read(source)]:
            pass
        """
    )
    assert run.stdout is not None
    for _ in range(20):
        assert run.stdout.readline() == "ready\n"
    engines = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    assert len(engines) == 1
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=20)
    assert err.endswith("KeyboardInterrupt\n"), err
    assert run.returncode == -signal.SIGINT
    assert wait(lambda: gone(int(engines[0])))


def test_closed_kernel(big: Path) -> None:
    run = child(
        """
        import sys, time
        import flowfast
        batches = flowfast.stream(sys.argv[1])
        next(batches)
        print(batches.pid, flush=True)
        time.sleep(60)
        """,
        big,
    )
    assert run.stdout is not None
    pid = int(run.stdout.readline())
    assert not gone(pid)
    run.kill()
    run.communicate()
    assert wait(lambda: gone(pid))


def folder_of_captures(path: Path, make: Callable[[int], bytes], number: int, flows: int) -> Path:
    path.mkdir()
    data = make(flows)
    for k in range(number):
        (path / f"{k:02}.pcap").write_bytes(data)
    return path


def test_interrupted_dataset_goes_on(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    # Enough for the child to be at it still when it has said that it is.
    captures, out = folder_of_captures(tmp_path / "in", make, 40, 60_000), tmp_path / "out"
    run = child(
        """
        import sys
        import flowfast
        def show(figures):
            if figures["packets"] > 0:
                print("ready", flush=True)
        flowfast.dataset(sys.argv[1], sys.argv[2], jobs=1, progress=show)
        """,
        captures, out,
    )  # fmt: skip
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert err.endswith("KeyboardInterrupt\n"), err
    assert (out / "flowfast-manifest.json").exists()
    assert not (out / "dataset.json").exists()
    assert not list(out.rglob(".*.tmp"))
    result = flowfast.dataset(captures, out)
    assert result.metadata()["flowfast"]["rows"] == 40 * 60_000
    assert result.arrow().count_rows() == 40 * 60_000


def test_no_room_for_the_output(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    captures, out = folder_of_captures(tmp_path / "in", make, 1, 50_000), tmp_path / "out"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(flowfast.CaptureError, match=r"part-00000-000\.parquet: .*too large"):
            flowfast.dataset(captures, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert not [p for p in out.rglob("*") if p.suffix in (".tmp", ".parquet")]


def test_full_disk(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    captures, out = folder_of_captures(tmp_path / "in", make, 1, 50_000), tmp_path / "out"
    out.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", out], capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        with pytest.raises(flowfast.CaptureError, match="no space left on device"):
            flowfast.dataset(captures, out)
        assert not [p for p in out.rglob("*") if p.suffix in (".tmp", ".parquet")]
    finally:
        subprocess.run(["umount", out], check=True)
