"""Where the command is."""

from __future__ import annotations

import os
import shutil
import stat
import sysconfig
from pathlib import Path

from ._errors import EngineError

_NAME = "flowfast.exe" if os.name == "nt" else "flowfast"


def binary() -> str:
    """Return the path of the command.

    It is what the environment variable FLOWFAST_BINARY names, else what the wheel
    carries, else the first on PATH.
    """
    named = os.environ.get("FLOWFAST_BINARY")
    if named:
        found = shutil.which(named)
        if found is None:
            raise EngineError(f"FLOWFAST_BINARY is {named}, which is not a program")
        return found
    carried = Path(__file__).parent / "bin" / _NAME
    if carried.is_file():
        if not os.access(carried, os.X_OK):  # some installers lose the run bit
            carried.chmod(carried.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return str(carried)
    scripts = os.path.realpath(sysconfig.get_path("scripts"))
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which("flowfast", path=folder)
        if found is not None and not _is_script(found) and os.path.realpath(folder) != scripts:
            return os.path.abspath(found)
    raise EngineError(
        "the program flowfast is missing: this installation carries none, there is none on PATH, "
        "and FLOWFAST_BINARY is not set"
    )


def _is_script(path: str) -> bool:
    """Tell if a program is a script, such as the one that calls this package."""
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True
