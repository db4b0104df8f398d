"""The wheel that make python built; FLOWFAST_WHEEL names it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

WHEEL = os.environ.get("FLOWFAST_WHEEL")
wheel = pytest.mark.skipif(WHEEL is None, reason="make python builds the wheel")


@wheel
def test_content() -> None:
    assert WHEEL is not None
    assert Path(WHEEL).stat().st_size < 12_000_000
    with zipfile.ZipFile(WHEEL) as archive:
        names = archive.namelist()
        record = next(n for n in names if n.endswith("/RECORD"))
        rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
        assert [row[0] for row in rows] == names
        for name, digest, size in rows[:-1]:
            content = archive.read(name)
            found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (f"sha256={found}", str(len(content))) == (digest, size), name
        run = {n for n in names if archive.getinfo(n).external_attr >> 16 & 0o111}
        assert run == {"flowfast/bin/flowfast"}
        assert archive.read("flowfast/bin/flowfast")[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe")
        # A module of go.sum that is in the binary has its licence beside it.
        modules = subprocess.run(["go", "version", "-m", _extracted(archive)], capture_output=True, text=True, check=True).stdout
        for line in modules.splitlines():
            if line.startswith("\tdep\t"):
                path = line.split("\t")[2]
                assert any(n.split("/licenses/")[-1].startswith(path + "/") for n in names), path
        # Modules have the same licences; nothing else is there twice (W002 below).
        contents = [archive.read(n) for n in names if "/licenses/" not in n]
        assert len(set(contents)) == len(contents)
        licences = [n.split("/licenses/")[1] for n in names if "/licenses/" in n]
        described = archive.read(record.replace("RECORD", "METADATA")).decode()
        assert [line.split(": ")[1] for line in described.splitlines() if line.startswith("License-File: ")] == licences
        tags = [line.split("-")[-1] for line in archive.read(record.replace("RECORD", "WHEEL")).decode().splitlines() if line.startswith("Tag: ")]
        assert WHEEL.removesuffix(".whl").split("-")[-1] == ".".join(tags)


def _extracted(archive: zipfile.ZipFile) -> str:
    import flowfast

    assert Path(flowfast.binary()).read_bytes() == archive.read("flowfast/bin/flowfast")
    return flowfast.binary()


@wheel
def test_binary_is_what_the_package_runs() -> None:
    import flowfast

    assert Path(flowfast.binary()).parent == Path(flowfast.__file__).parent / "bin"
    assert flowfast.__version__ == "0.1.0"


@wheel
@pytest.mark.parametrize("command", [["twine", "check", "--strict"], ["check_wheel_contents", "--ignore=W002"]])
def test_checkers(command: list[str]) -> None:
    assert WHEEL is not None
    done = subprocess.run([sys.executable, "-m", *command, WHEEL], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "src"],
        cwd=ROOT / "python", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
