"""Keyword arguments as options of the command, which lists them itself."""

from __future__ import annotations

import datetime
import difflib
import functools
import json
import numbers
import os
import subprocess
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from ._binary import binary
from ._errors import EngineError, UsageError

# What no function of the package takes: these are set by it or write elsewhere.
_OURS = frozenset({"help", "version", "summary", "progress", "quiet", "recursive", "dry-run", "log-format"})


class _Option(NamedTuple):
    flag: str
    takes_value: bool
    many: str  # "comma", "repeat" or ""


def ask(*arguments: str) -> Any:
    """Run the command and return the JSON that it prints."""
    path = binary()
    try:
        done = subprocess.run([path, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise EngineError(f"{path} can't be run: {error}") from error
    if done.returncode != 0:
        raise UsageError(message(done.stderr), status=done.returncode)
    return json.loads(done.stdout)


def message(text: bytes) -> str:
    """Return the errors among the lines that the command wrote."""
    lines = text.decode("utf-8", "replace").splitlines()
    errors = [line.removeprefix("flowfast: ") for line in lines if line.startswith("flowfast: ")]
    errors = [line for line in errors if not line.startswith("warning: ")]
    return "\n".join(errors or lines[-3:])


@functools.lru_cache(maxsize=8)
def _listed(path: str, size: int, changed: int, command: str) -> dict[str, _Option]:
    try:
        listed = ask("options", *[command] * bool(command))["options"]
    except UsageError as error:
        raise EngineError(f"{path} is another version, too old for this package: {error}") from error
    return {
        o["name"].replace("-", "_"): _Option("--" + o["name"], "value" in o, o.get("list", ""))
        for o in listed
        if o["name"] not in _OURS
    }


def options(command: str = "") -> dict[str, _Option]:
    """Return the options of the command, or of a command of it, by the names of keyword arguments."""
    path = binary()
    info = os.stat(path)
    return _listed(path, info.st_size, info.st_mtime_ns, command)


def arguments(
    function: str, given: Mapping[str, Any], without: frozenset[str] = frozenset(), of: tuple[str, ...] = ("",)
) -> list[str]:
    """Return the flags that keyword arguments stand for, of one command or several."""
    known = {name: option for command in of for name, option in options(command).items()}
    flags: list[str] = []
    for keyword, value in given.items():
        name = keyword.removesuffix("_")  # from is a word of Python's
        option = known.get(name)
        if option is None or name in without:
            raise TypeError(_unknown(function, keyword, [n for n in known if n not in without], known))
        flags += _flags(f"{function}(): {keyword}", name, option, value)
    return flags


def _unknown(function: str, keyword: str, names: list[str], known: Mapping[str, _Option]) -> str:
    if keyword in _OURS or keyword in known:
        return f"{function}() does not take the command's option {keyword!r}"
    text = f"{function}() got an unexpected keyword argument {keyword!r}"
    nearest = difflib.get_close_matches(keyword, names, n=1, cutoff=0.4)
    return text + (f"; the nearest is {nearest[0]!r}" if nearest else "")


def _flags(where: str, name: str, option: _Option, value: Any) -> list[str]:
    if value is None:
        return []
    if not option.takes_value:
        if not isinstance(value, (bool, int)) or value not in (0, 1):
            raise TypeError(f"{where} is on or off: want True or False, not {value!r}")
        return [option.flag] if value else []
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        values = [_text(where, name, item) for item in value]
        if option.many == "comma":
            values = [",".join(values)]
        elif option.many != "repeat":
            raise TypeError(f"{where} takes one value, not {value!r}")
        return [f"{option.flag}={text}" for text in values]
    return [f"{option.flag}={_text(where, name, value)}"]


def _text(where: str, name: str, value: Any) -> str:
    """Return a value as the command takes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        raise TypeError(f"{where} takes a value, not {value!r}")
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, (numbers.Real, Decimal)):
        return format(Decimal(repr(float(value))) if not isinstance(value, Decimal) else value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise TypeError(f"{where}: {value!r} has no time zone")
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return format(Decimal(value // datetime.timedelta(microseconds=1)).scaleb(-6), "f")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, os.PathLike):
        # Elsewhere a file's name is the value; here it stands behind an @.
        return ("@" if name in ("filter", "anonymize") else "") + os.fsdecode(value)
    raise TypeError(f"{where}: {value!r} can't be an option's value")
