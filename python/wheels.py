#!/usr/bin/env python3
"""Build the wheels: the Python package and the static binary for a platform.

    python3 python/wheels.py [--only SYSTEM/ARCH|here] [--out dist]

It needs Go and Python 3.11, no compiler and no other package. The same sources,
Go and zlib give the same bytes: nothing of the time, the user or the folder goes
in.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import platform
import re
import stat
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MOST = 12_000_000  # bytes of a wheel

# What Go 1.26 runs on: Linux since 3.2 with any C library, for the binary is
# static; macOS since 12; Windows since 10.
TAGS = {
    "linux/amd64": ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "musllinux_1_1_x86_64"),
    "linux/arm64": ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "musllinux_1_1_aarch64"),
    "darwin/amd64": ("macosx_12_0_x86_64",),
    "darwin/arm64": ("macosx_12_0_arm64",),
    "windows/amd64": ("win_amd64",),
}

# MS-DOS has no earlier day.
EPOCH = (1980, 1, 1, 0, 0, 0)

LICENCE_NAMES = re.compile(r"(?i)^(licen[cs]e|copying|notice|patents|unlicense)([.-].*)?$")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help="build for one SYSTEM/ARCH, or for this machine: here")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    systems = list(TAGS)
    if given.only:
        systems = [here() if given.only == "here" else given.only]
    if any(system not in TAGS for system in systems):
        parser.error(f"want one of {', '.join(TAGS)}")
    given.out.mkdir(parents=True, exist_ok=True)
    for system in systems:
        path = build(system, given.out)
        size = path.stat().st_size
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{digest}  {size / 1e6:5.2f} MB  {path.name}", flush=True)
        if size > MOST:
            sys.exit(f"{path.name} has more than {MOST / 1e6:.0f} MB")


def here() -> str:
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    return f"{platform.system().lower()}/{machine.get(platform.machine().lower(), platform.machine())}"


def build(system: str, out: Path) -> Path:
    """Write the wheel for a system, and return its path."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    version = re.search(r'^const Version = "(.+)"$', (ROOT / "flowfast.go").read_text(), re.M)
    assert version, "flowfast.go has no version"
    name, tags = project["name"], TAGS[system]
    info = f"{name}-{version[1]}.dist-info"
    files: dict[str, tuple[bytes, bool]] = {}  # by name: content, and whether it is run
    for path in sorted((HERE / "src").rglob("*")):
        if path.is_file() and path.suffix in (".py", ".typed"):
            files[path.relative_to(HERE / "src").as_posix()] = (path.read_bytes(), False)
    exe = "flowfast.exe" if system.startswith("windows/") else "flowfast"
    files[f"flowfast/bin/{exe}"] = (binary(system), True)
    texts = licences(system)
    for licence, content in texts.items():
        files[f"{info}/licenses/{licence}"] = (content, False)
    files[f"{info}/METADATA"] = (metadata(project, version[1], list(texts)).encode(), False)
    files[f"{info}/WHEEL"] = (wheel(tags).encode(), False)
    files[f"{info}/entry_points.txt"] = (entry_points(project).encode(), False)
    record = "".join(
        f"{quoted(file)},sha256={digest(content)},{len(content)}\n" for file, (content, _) in files.items()
    )
    files[f"{info}/RECORD"] = (f"{record}{info}/RECORD,,\n".encode(), False)

    path = out / f"{name}-{version[1]}-py3-none-{'.'.join(tags)}.whl"
    temporary = path.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file, (content, run) in files.items():
            entry = zipfile.ZipInfo(file, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: installers take the run bit from it
            entry.external_attr = (stat.S_IFREG | (0o755 if run else 0o644)) << 16
            archive.writestr(entry, content, compresslevel=9)
    temporary.replace(path)
    return path


def environment(system: str) -> dict[str, str]:
    goos, goarch = system.split("/")
    # Where the user sets a level of the architecture, other machines could not run it.
    kept = {k: v for k, v in os.environ.items() if k not in ("GOAMD64", "GOARM64", "GOFLAGS", "GOEXPERIMENT")}
    return {**kept, "GOOS": goos, "GOARCH": goarch, "CGO_ENABLED": "0"}


def go(system: str, *arguments: str) -> bytes:
    return subprocess.run(["go", *arguments], cwd=ROOT, env=environment(system), check=True, stdout=subprocess.PIPE).stdout


def binary(system: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flowfast"
        go(system, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", str(path), "./cmd/flowfast")
        return path.read_bytes()


def licences(system: str) -> dict[str, bytes]:
    """Return the licences of flowfast, of Go and of every module in the binary, also
    those of single packages."""
    texts = {"LICENSE": (ROOT / "LICENSE").read_bytes()}
    folders = {"go": Path(go(system, "env", "GOROOT").decode().strip())}
    modules = set(folders)
    decoder, listed = json.JSONDecoder(), go(system, "list", "-deps", "-json=Module,Dir", "./cmd/flowfast").decode().strip()
    while listed:
        package, end = decoder.raw_decode(listed)
        listed = listed[end:].lstrip()
        module = package.get("Module")
        if not module or module.get("Main"):
            continue
        module = module.get("Replace") or module
        root, folder = Path(module["Dir"]), Path(package["Dir"])
        modules.add(module["Path"])
        for place in (folder, *folder.parents):
            folders[(Path(module["Path"]) / place.relative_to(root)).as_posix()] = place
            if place == root:
                break
    for name, folder in sorted(folders.items()):
        found = [path for path in sorted(folder.iterdir()) if path.is_file() and LICENCE_NAMES.match(path.name)]
        if not found and name in modules:
            sys.exit(f"{name} has no licence file in {folder}")
        for path in found:
            texts[f"{name}/{path.name}"] = path.read_bytes()
    return texts


def metadata(project: dict, version: str, texts: list[str]) -> str:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {version}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        *(f"License-File: {text}" for text in texts),
        f"Keywords: {','.join(project['keywords'])}",
        *(f"Classifier: {classifier}" for classifier in project["classifiers"]),
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {requirement}" for requirement in project["dependencies"]),
    ]
    for extra, requirements in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {requirement}; extra == "{extra}"' for requirement in requirements]
    lines.append("Description-Content-Type: text/markdown")
    return "\n".join(lines) + "\n\n" + (HERE / "README.md").read_text()


def wheel(tags: tuple[str, ...]) -> str:
    lines = ["Wheel-Version: 1.0", "Generator: flowfast wheels.py", "Root-Is-Purelib: false"]
    return "\n".join([*lines, *(f"Tag: py3-none-{tag}" for tag in tags)]) + "\n"


def entry_points(project: dict) -> str:
    return "[console_scripts]\n" + "".join(f"{name} = {target}\n" for name, target in project["scripts"].items())


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name


if __name__ == "__main__":
    main()
