"""Stand-ins for other programs."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline

import flowfast
from flowfast.compat.cicflowmeter import main
from flowfast.compat.nfstream import NFStreamer
from flowfast.sklearn import FlowTable


def test_nfstreamer(web: Path, tmp_path: Path) -> None:
    streamer = NFStreamer(source=str(web), statistical_analysis=True, splt_analysis=4, n_dissections=0)
    want = flowfast.read(web, profile="nfstream", splt=4, decap="gtpu").arrow().to_pylist()
    flows = list(streamer)
    assert [dict(zip(f.keys(), f.values(), strict=True)) for f in flows] == want
    assert flows[3].bidirectional_bytes == want[3]["bidirectional_bytes"]
    assert str(flows[0]).startswith("NFlow(id=0,\n      expiration_id=")
    frame = streamer.to_pandas()
    assert frame is not None and frame["src2dst_packets"].tolist() == [f.src2dst_packets for f in flows]
    out = tmp_path / "flows.csv"
    assert streamer.to_csv(out) == len(flows)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["src_ip"] for r in rows] == [f.src_ip for f in flows]
    assert rows[0]["splt_ps"] == str(flows[0].splt_ps)


def test_nfstreamer_core(web: Path, tmp_path: Path) -> None:
    streamer = NFStreamer(web, idle_timeout=1, active_timeout=2, max_nflows=7)
    flows = list(streamer)
    assert len(flows) == 7 and flows[0].keys()[-1] == "dst2src_bytes"
    frame = streamer.to_pandas(columns_to_anonymize=["src_ip"])
    assert frame is not None and frame.shape == (7, 28)
    assert all(len(text) == 128 for text in frame["src_ip"]) and "." in frame["dst_ip"][0]
    assert streamer.to_csv(tmp_path / "f.csv", flows_per_file=3) == 7
    assert sorted(p.name for p in tmp_path.glob("*.csv")) == ["f.0.csv", "f.1.csv", "f.2.csv"]
    for name, reason in (("application_name", "deep packet inspection"), ("udps", "plugins"), ("src2dst_min_ps", "statistical_analysis")):
        with pytest.raises(AttributeError, match=reason):
            getattr(flows[0], name)
    both = NFStreamer([web, ROOT / "testdata" / "dns.pcap"])
    assert len(list(both)) > len(list(NFStreamer(web)))


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"n_dissections": 20}, NotImplementedError, "deep packet inspection"),
        ({"udps": object()}, NotImplementedError, "plugins"),
        ({"accounting_mode": 1}, NotImplementedError, "whole frames"),
        ({"system_visibility_mode": 1}, NotImplementedError, "live"),
        ({"idle_timeout": 0}, NotImplementedError, "each packet a flow"),
        ({"idle_timeout": -1}, ValueError, "idle_timeout"),
        ({"splt_analysis": 70000}, ValueError, "splt_analysis"),
        ({"source": "eth0"}, ValueError, "tcpdump -i eth0"),
        ({"source": []}, ValueError, "non-empty"),
        ({"source": ["nowhere"]}, ValueError, "index: 0"),
        ({"source": None}, ValueError, "specify a pcap file"),
    ],
)
def test_nfstreamer_refuses(web: Path, arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        NFStreamer(**{"source": web, **arguments})


def test_cicflowmeter(web: Path, tmp_path: Path) -> None:
    out = tmp_path / "flows.csv"
    assert main(["-f", str(web), "-c", str(out)]) == 0
    frame = pd.read_csv(out)
    want = flowfast.read(web, profile="cicflowmeter-python").pandas()
    assert list(frame.columns) == list(want.columns) and len(frame.columns) == 82
    first = pd.Timestamp(want["timestamp"][0], tz="UTC").to_pydatetime()
    assert frame["timestamp"][0] == first.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    pd.testing.assert_frame_equal(frame.drop(columns="timestamp"), want.drop(columns="timestamp"), check_dtype=False)
    assert main(["-f", str(web), "-c", str(out), "--fields", "dst_port,src_ip"]) == 0
    assert out.read_text().splitlines()[0] == "dst_port,src_ip"
    assert list(tmp_path.iterdir()) == [out]


def test_cicflowmeter_beside_java(web: Path) -> None:
    python, java = (flowfast.read(web, profile=profile, idle_timeout=100, active_timeout="none", tcp_end="none").pandas()
                    for profile in ("cicflowmeter-python", "cicflowmeter"))  # fmt: skip
    assert python["tot_fwd_pkts"].tolist() == java["Total Fwd Packet"].tolist()
    assert np.allclose(python["flow_duration"], java["Flow Duration"] / 1e6)
    assert np.allclose(python["fwd_iat_mean"], java["Fwd IAT Mean"] / 1e6)
    n = python["tot_fwd_pkts"] - 1  # intervals
    assert np.allclose(python["fwd_iat_std"], java["Fwd IAT Std"] / 1e6 * np.sqrt((n - 1).clip(0) / n.clip(1)))
    assert (python["totlen_bwd_pkts"] > java["Total Length of Bwd Packet"]).any()


def test_cicflowmeter_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("dns", "flags"):
        (tmp_path / f"{name}.pcap").write_bytes((ROOT / "testdata" / f"{name}.pcap").read_bytes())
    assert main(["-d", str(tmp_path), "-c", str(tmp_path / "out"), "-v"]) == 0
    rows = [len(pd.read_csv(tmp_path / "out" / f"{name}.csv")) for name in ("dns", "flags")]
    assert main(["-d", str(tmp_path), "-c", str(tmp_path / "out"), "--merge"]) == 0
    assert len(pd.read_csv(tmp_path / "out" / "merged_output.csv")) == sum(rows)
    assert main(["-f", str(tmp_path / "nowhere"), "-c", str(tmp_path / "x.csv")]) == 1
    assert "no such file" in capsys.readouterr().err and not (tmp_path / "x.csv").exists()
    for wrong in (["-i", "eth0", "-c", "x"], ["-f", "x", "-u", "x"], ["-f", "x", "-c", "x", "--merge"], ["-f", "x", "-c", "x", "--fields", "nope"]):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_cicflowmeter_full_disk(web: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-f", str(web), "-c", "/dev/full"]) == 1
    assert "No space left on device" in capsys.readouterr().err


def test_cicflowmeter_command(web: Path, tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "flowfast-cicflowmeter"
    if not command.exists():
        pytest.skip("the package is not installed")
    subprocess.run([command, "-f", web, "-c", tmp_path / "flows.csv"], check=True)
    assert len(pd.read_csv(tmp_path / "flows.csv")) > 100


def test_flow_table(web: Path) -> None:
    dns = ROOT / "testdata" / "dns.pcap"
    table = FlowTable(splt=2, options={"idle_timeout": 60})
    frame = table.fit_transform([web, dns])
    assert len(frame) == 136 and all(kind.kind in "iuf" for kind in frame.dtypes)
    names = list(table.get_feature_names_out())
    assert names == list(frame.columns) and "src_ip" not in names and "start_time" not in names
    assert names[-2:] == ["splt_flags_0", "splt_flags_1"]
    assert list(table.transform(dns).columns) == names
    assert list(table.transform(np.array([str(dns)])).columns) == names
    pd.testing.assert_frame_equal(clone(table).fit(dns).transform(dns), table.transform(dns))
    assert type(clone(table).set_output(transform="polars").fit_transform(dns)).__module__.startswith("polars")
    chosen = FlowTable(columns=["duration", "dst_port"]).fit_transform(dns)
    assert list(chosen.columns) == ["duration", "dst_port"]
    with pytest.raises(ValueError, match="not a number"):
        FlowTable(columns=["src_ip"]).fit(dns)
    pipeline = make_pipeline(FlowTable(profile="nfstream"), IsolationForest(n_estimators=5, random_state=1)).fit([web])
    assert len(pipeline.predict(dns)) == len(flowfast.read(dns, profile="nfstream"))
