"""What the functions take and give."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Endless

import flowfast


# A record that claims two gigabytes.
DAMAGE = b"\xff\xff\xff\x7f" * 16


class Untouched:
    def read(self, size: int) -> bytes:
        raise AssertionError("something was run")


@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("proflie", "full", r"read\(\) got an unexpected keyword argument 'proflie'; the nearest is 'profile'$"),
        ("idle_timout", 5, "nearest is 'idle_timeout'$"),
        ("end_reson", True, "nearest is 'end_reason'$"),
        ("zzzz", 1, "unexpected keyword argument 'zzzz'$"),
        ("format", "csv", r"read\(\) does not take the command's option 'format'$"),
        ("summary", "x", r"does not take the command's option 'summary'$"),
        ("splt", True, r"splt takes a value, not True$"),
        ("end_reason", "yes", r"want True or False, not 'yes'$"),
        ("idle_timeout", [1, 2], r"takes one value"),
        ("from_", datetime.datetime(2026, 1, 1), "has no time zone$"),
    ],
)
def test_wrong_arguments(keyword: str, value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        flowfast.read(Untouched(), **{keyword: value})


def test_command_says_what_makes_no_sense(web: Path) -> None:
    with pytest.raises(flowfast.UsageError, match=r'^no profile "nope"; there are default, ') as caught:
        flowfast.read(web, profile="nope")
    assert caught.value.status == 2 and caught.value.partial is None
    with pytest.raises(flowfast.UsageError, match="^no column"):
        flowfast.read(web, columns=["nope"])
    with pytest.raises(flowfast.UsageError, match='^no profile "nope"'):
        flowfast.columns("nope")
    with pytest.raises(flowfast.CaptureError, match=r"^nowhere\.pcap: no such file or directory$"):
        flowfast.read("nowhere.pcap")
    for wrong in (5, None, [5]):
        with pytest.raises(TypeError, match="want a path"):
            flowfast.read(wrong)  # type: ignore[arg-type]


def test_options_reach_the_command(web: Path) -> None:
    plain = flowfast.read(web)
    start = plain.arrow()["start_time"][5].as_py()
    late = flowfast.read(web, from_=start.to_pydatetime())
    assert 0 < late.summary.classes.left_out < late.summary.packets
    assert len(flowfast.read(web, idle_timeout=0.001)) > len(plain)
    assert len(flowfast.read(web, idle_timeout=datetime.timedelta(milliseconds=1))) > len(plain)
    assert flowfast.read(web, columns=["src_ip", "dst_port"]).schema.names == ["src_ip", "dst_port"]
    assert flowfast.read(web, columns="src_ip", end_reason=True).schema.names == ["src_ip", "end_reason"]
    assert flowfast.read(web, end_reason=False, splt=None).schema == plain.schema
    assert "fwd_iat_p5" in flowfast.read(web, quantiles=[0.05, 0.95]).schema.names
    hidden = flowfast.read(web, anonymize=bytes(32))
    assert hidden.arrow()["src_ip"] != plain.arrow()["src_ip"]


def test_filter_list(web: Path, tmp_path: Path) -> None:
    ports = tmp_path / "ports"
    ports.write_text("55686\n")
    result = flowfast.read(web, filter=ports)
    assert 0 < len(result) < len(flowfast.read(web))
    assert all(55686 in pair for pair in zip(*(result.arrow()[c].to_pylist() for c in ("src_port", "dst_port")), strict=True))


def test_summary_and_units(web: Path) -> None:
    result = flowfast.read(web)
    assert result.summary.flows == result.summary["flows"] == len(result) == 114
    assert result.summary.classes.counted == 1570
    assert result.warnings == []
    assert "counted" in dir(result.summary.classes)
    assert result.summary.dict()["captures"] == [{"name": str(web), "format": "pcap, zstd"}]
    with pytest.raises(AttributeError, match="it has version, inputs"):
        result.summary.nope  # noqa: B018
    frame = result.pandas()
    assert frame.attrs["units"]["duration"] == "seconds"
    assert "source" in frame.attrs["definitions"]["src_ip"]
    listed = flowfast.columns()
    assert [c.name for c in listed] == list(frame.columns)
    assert {c.name: c.unit for c in listed if c.unit} == frame.attrs["units"]
    assert {c.name: c.definition for c in listed} == frame.attrs["definitions"]
    assert {c.name: c.role for c in listed} == frame.attrs["roles"]
    assert len(flowfast.columns("nfstream")) == 76
    assert len(flowfast.columns("cicflowmeter-legacy")) == 84


def test_frame_takes_the_rows(web: Path) -> None:
    flows = flowfast.read(web)
    want = flows.pandas()
    frame = flows.pandas(self_destruct=True)
    assert frame.equals(want) and frame.attrs == want.attrs
    for use in (len, flowfast.Result.arrow, flowfast.Result.pandas, flowfast.Result.polars):
        with pytest.raises(flowfast.Error, match="went into the data frame"):
            use(flows)
    assert "went into" in repr(flows) and flows.summary.flows == len(want)


def test_first_batches_are_small(big: Path) -> None:
    with flowfast.stream(big) as batches:
        rows = [batch.num_rows for batch in batches]
    assert rows[:5] == [256, 512, 1024, 2048, 4096] and sum(rows) == 200_000


def test_partial_results(make: Callable[[int], bytes]) -> None:
    damaged = make(50) + DAMAGE
    with pytest.raises(flowfast.CaptureError) as caught:
        flowfast.read(damaged)
    assert caught.value.status == 1
    assert isinstance(caught.value.partial, flowfast.Result)
    assert len(caught.value.partial) == 50
    assert caught.value.summary is not None and str(caught.value) == "\n".join(caught.value.summary.errors)
    batches, rows = flowfast.stream(damaged), 0
    with pytest.raises(flowfast.CaptureError):
        for batch in batches:
            rows += batch.num_rows
    assert rows == 50
    cut = flowfast.read(make(50)[:-5])
    assert len(cut) == 49 and len(cut.warnings) == 1


def test_strict_warnings_are_errors(make: Callable[[int], bytes]) -> None:
    with pytest.raises(flowfast.CaptureError, match="standard input") as caught:
        flowfast.read(make(50)[:-5], strict=True)
    assert isinstance(caught.value.partial, flowfast.Result) and len(caught.value.partial) == 49


def test_several_captures(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    (folder / "a.pcap").write_bytes(make(3))
    (folder / "b" / "c").write_bytes(make(5))
    (folder / "notes.txt").write_text("no capture")
    result = flowfast.read(folder)
    assert result.arrow()["capture"].to_pylist() == ["a.pcap"] * 3 + [os.path.join("b", "c")] * 5
    assert result.summary.flows == 8 and len(result.summary.runs) == 2 and len(result.summary.captures) == 2
    assert len(flowfast.read(folder, join=True)) == 5  # the same flows, as one stream
    listed = flowfast.read([folder / "a.pcap", make(2)])
    assert listed.arrow()["capture"].to_pylist() == [str(folder / "a.pcap")] * 3 + ["[1]"] * 2
    with pytest.raises(TypeError, match="join=True takes paths"):
        flowfast.read([make(2)], join=True)
    with pytest.raises(ValueError, match="empty"):
        flowfast.read([])
    (folder / "bad.pcap").write_bytes(make(4) + DAMAGE)
    with pytest.raises(flowfast.CaptureError, match=r"bad\.pcap") as caught:
        flowfast.read(folder)
    assert isinstance(caught.value.partial, flowfast.Result) and len(caught.value.partial) == 12
    os.remove(folder / "a.pcap")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileNotFoundError, match="no capture among 0 files"):
        flowfast.read(empty)


def test_names_that_look_like_flags(tmp_path: Path, make: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("--help", "columns", "options"):
        Path(name).write_bytes(make(2))
        assert len(flowfast.read(name)) == 2
        assert len(flowfast.read([name], join=True)) == 2


def test_stream_schema_comes_first(web: Path) -> None:
    with flowfast.stream(web) as batches:
        assert batches.schema.names[0] == "src_ip"
        assert sum(batch.num_rows for batch in batches) == 114
        assert batches.summary.flows == 114
    assert flowfast.stream(web).read_all().arrow() == flowfast.read(web).arrow()


def test_live_source_gives_rows_at_once() -> None:
    source = Endless()
    batches = flowfast.stream(source, idle_timeout=1, flush=0.1)
    assert next(batches).num_rows > 0
    assert source.count < 200_000_000
    batches.close()


def test_dataset(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.pcap").write_bytes(make(3))
    done = flowfast.dataset(folder, out, splt=2)
    assert done.path == out and done.summary.flows == 3 and done.warnings == []
    (folder / "b.pcap").write_bytes(make(4))
    figures: list[dict[str, int]] = []
    done = flowfast.dataset(folder, out, splt=2, progress=figures.append)
    assert done.summary.already_done == 0 and done.summary.flows == 7  # they share a part
    assert [p.name for p in done.files()] == ["part-00000-000.parquet"]
    assert done.metadata()["flowfast"]["rows"] == 7
    assert done.arrow().count_rows() == len(done.polars().collect()) == len(done.pandas()) == len(done.duckdb()) == 7
    assert sorted(set(done.pandas()["capture"])) == ["a.pcap", "b.pcap"]
    assert done.pandas().attrs["units"]["duration"] == "seconds"
    assert flowfast.dataset(folder, out, splt=2).summary.already_done == 2
    with pytest.raises(flowfast.CaptureError, match="--splt"):
        flowfast.dataset(folder, out)
    assert flowfast.dataset(folder, out, overwrite=True).summary.flows == 7
    with pytest.raises(TypeError, match="does not take the command's option 'join'"):
        flowfast.dataset(folder, out, join=True)
    (folder / "bad.pcap").write_bytes(make(2) + DAMAGE)
    with pytest.raises(flowfast.CaptureError, match=r"bad\.pcap") as caught:
        flowfast.dataset(folder, out)
    assert isinstance(caught.value.partial, flowfast.Dataset)
    assert caught.value.partial.arrow().count_rows() == 9


def test_dataset_as_csv(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pcap").write_bytes(make(3))
    flowfast.dataset(tmp_path / "in", tmp_path / "out", format="csv")
    assert (tmp_path / "out" / "a_flow.csv").read_text().count("\n") == 4


def test_bar(tmp_path: Path, make: Callable[[int], bytes], capsys: pytest.CaptureFixture[str]) -> None:
    from flowfast._dataset import _display

    show, close = _display(True)
    show({"captures_done": 1, "captures": 2, "bytes_read": 512, "bytes": 1024, "packets": 7, "open_flows": 0})
    close()
    assert "1 of 2 captures:  50%" in capsys.readouterr().err
    show, close = _display(None)  # no terminal
    show({"captures_done": 1, "captures": 2, "bytes_read": 512, "bytes": 1024, "packets": 7, "open_flows": 0})
    close()
    assert capsys.readouterr().err == ""


def test_where_the_command_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Path) -> None:
    path = flowfast.binary()
    monkeypatch.setenv("FLOWFAST_BINARY", str(tmp_path / "none"))
    with pytest.raises(flowfast.EngineError, match="which is not a program"):
        flowfast.read(web)
    link = tmp_path / "other"
    link.symlink_to(path)
    monkeypatch.setenv("FLOWFAST_BINARY", str(link))
    assert flowfast.binary() == str(link)
    assert len(flowfast.read(web)) == 114
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setenv("FLOWFAST_BINARY", str(broken))
    with pytest.raises(flowfast.EngineError, match="another version"):
        flowfast.read(web)


@pytest.mark.parametrize("start", [[sys.executable, "-m", "flowfast"], [str(Path(sys.executable).parent / "flowfast")]])
def test_is_the_command(start: list[str], web: Path) -> None:
    if not os.path.exists(start[0]):
        pytest.skip("the package is not installed")
    run = subprocess.run([*start, "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("flowfast 0.")
    run = subprocess.run([*start, "-q", str(web), "-"], capture_output=True, text=True, check=True)
    assert run.stdout.count("\n") == 115
    assert subprocess.run([*start, "--nope"], capture_output=True, check=False).returncode == 2
