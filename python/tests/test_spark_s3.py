"""Captures and data sets in an object store: make spark-s3, against the server of moto."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs
from test_spark import MASTERS, archive, joined, nothing_left, rows, spark

__all__ = ["archive", "nothing_left", "spark"]
pytest.importorskip("moto", reason="make spark-s3-install installs a server")
pytestmark = pytest.mark.skipif(not MASTERS, reason="Spark is tried by make spark")
KEYS = {"access_key": "tests", "secret_key": "tests"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Return the address of a server, a process of its own that has the objects."""
    code = (
        "import sys, moto.server as m; s = m.ThreadedMotoServer('127.0.0.1', 0, verbose=False); s.start(); "
        "print(s.get_host_and_port()[1], flush=True); sys.stdin.read(); s.stop()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            yield f"127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()


def of_arrow(endpoint: str) -> Any:
    # Of what ends an upload in parts, moto's answer is not that of S3, and pyarrow refuses it: files of less
    # than 5 MB are sent in one with allow_delayed_open.
    more: dict[str, Any] = {"allow_bucket_creation": True, "allow_delayed_open": True}
    return fs.S3FileSystem(endpoint_override=endpoint, scheme="http", region="us-east-1", **KEYS, **more)


def of_fsspec(endpoint: str) -> Any:
    return pytest.importorskip("s3fs").S3FileSystem(key="tests", secret="tests", endpoint_url=f"http://{endpoint}")


@pytest.mark.parametrize("system", [of_arrow, of_fsspec])
def test_s3(spark: Any, archive: Path, endpoint: str, system: Callable[[str], Any]) -> None:
    """Captures are read from a bucket, and a data set is written into one."""
    import flowfast.spark

    store, bucket = of_arrow(endpoint), system.__name__.replace("_", "-")
    store.create_dir(bucket)
    for file in archive.iterdir():
        with store.open_output_stream(f"{bucket}/captures/{file.name}", compression=None) as out:
            out.write(file.read_bytes())
    source, want = f"s3://{bucket}/captures/*", joined(archive)
    got = flowfast.spark.flows(spark, source, buckets=3, part_size=2000, nanoseconds=True, filesystem=system(endpoint)).toArrow()
    assert rows(got) == rows(want) and len(got) > 100

    both: dict[str, Any] = {"filesystem": system(endpoint), "output_filesystem": system(endpoint)}
    report = flowfast.spark.write(spark, source, f"s3://{bucket}/out", buckets=3, **both)
    assert [e for e in report.errors if "zz-damaged" in e]
    found = store.get_file_info(fs.FileSelector(f"{bucket}/out", recursive=True))
    assert sorted(f.path.removeprefix(f"{bucket}/out/") for f in found if f.type == fs.FileType.File) == sorted(
        ["DATASET.md", "_flowfast-summary.json", "dataset.json", "flowfast-manifest.json"]
        + [f"data/part-{b:05d}-000.parquet" for b in range(3)]
    )
    parts = [pq.read_table(f"{bucket}/out/data/part-{b:05d}-000.parquet", filesystem=store) for b in range(3)]
    assert rows(pa.concat_tables(parts)) == rows(want)
    with pytest.raises(FileExistsError):
        flowfast.spark.write(spark, source, f"s3://{bucket}/out", buckets=3, **both)


_READ = """
import json, resource, sys
from flowfast import _cluster, _pieces, spark
import test_spark_s3
system = getattr(test_spark_s3, sys.argv[1])(sys.argv[2])
job = _cluster.commands("flows", 4, {}, frozenset())
captures = _cluster.find("s3://large/large.pcap", system)
of = _pieces.pieces(captures, int(sys.argv[3]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
told = [json.loads(row[-1]) for piece in of for row in spark._blocks(job, piece, 0, [0, 1, 2, 3], None) if row[-2] < 0]
print(json.dumps([captures[0].size, [s["packets"] for s in told], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, before,
                  max(s["peak_memory_bytes"] for s in told) >> 10]))
"""


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("system", [of_arrow, of_fsspec])
def test_memory(endpoint: str, tmp_path: Path, system: Callable[[str], Any], parts: int) -> None:
    """A capture of 300 MB, or a part of it, is never in memory as a whole, not here and not in the command."""
    import boto3

    of_arrow(endpoint).create_dir("large")
    head = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0"
    frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45\0\x05\xdc\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc6\x33\x64\1\x03\xe8\0\x50\x05\xc8\0\0".ljust(1514, b"\0")
    count = 300_000_000 // (16 + len(frame))
    with open(tmp_path / "large.pcap", "wb") as out:
        out.write(head)
        for n in range(count):
            out.write((1_795_433_932 + n // 1000).to_bytes(4, "little") + b"\0\0\0\0" + len(frame).to_bytes(4, "little") * 2 + frame)
    store = boto3.client("s3", endpoint_url=f"http://{endpoint}", region_name="us-east-1", aws_access_key_id="tests", aws_secret_access_key="tests")
    store.upload_file(str(tmp_path / "large.pcap"), "large", "large.pcap")
    (tmp_path / "large.pcap").unlink()
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run([sys.executable, "-c", _READ, system.__name__, endpoint, str(299_000_000 // parts)], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    size, packets, more, before, of_command = json.loads(done.stdout)
    assert len(packets) == parts and sum(packets) == count and size > 299_000_000
    print(f"{system.__name__}: {more} KiB more than {before}, the command {of_command}")
    assert more < (100 if parts == 1 else 150) << 10 and of_command < 100 << 10  # KiB
