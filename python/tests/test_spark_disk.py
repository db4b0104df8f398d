"""Spark on a disk that is full: make spark, as root."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from test_spark import MASTERS, archive, joined, nothing_left, rows, written

__all__ = ["archive", "nothing_left"]
pytestmark = pytest.mark.skipif("local[2]" not in MASTERS, reason="this is a test of local executors")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no file system of 32 MiB can be mounted: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full(small_disk: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job says so, and leaves nothing that looks whole; with room it is done."""
    from pyspark.sql import SparkSession

    import flowfast.spark

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.local.dir", str(small_disk))
    spark: Any = builder.config("spark.executorEnv.SPARK_LOCAL_DIRS", str(small_disk)).getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    try:
        assert spark.range(0, 4, 1, 4).repartition(2).count() == 4
        fill(small_disk / "filler")
        with pytest.raises(Exception, match="No space left"):
            flowfast.spark.write(spark, str(archive), tmp_path / "full", buckets=3)
        assert [p for p in (tmp_path / "full").rglob("*") if not p.name.startswith("_")] == [tmp_path / "full" / "data"]
        (small_disk / "filler").unlink()
        flowfast.spark.write(spark, str(archive), tmp_path / "out", buckets=3)
    finally:
        spark.stop()
    assert rows(pa.concat_tables(written(tmp_path / "out", 3))) == rows(joined(archive))


def fill(name: Path) -> None:
    """Write until no byte is left."""
    with open(name, "wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"\0" * 4096)
