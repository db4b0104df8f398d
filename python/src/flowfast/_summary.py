"""The closing summary of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


class Summary(Mapping[str, Any]):
    """The summary that ``flowfast --summary`` writes, its keys as attributes too.

    ``summary["classes"]["counted"]`` is ``summary.classes.counted``.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: _wrapped(value) for name, value in values.items()}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"the summary has no {name!r}; it has {', '.join(self._values)}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._values]

    def __repr__(self) -> str:
        return json.dumps(self.dict(), indent=2, ensure_ascii=False)

    def dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists."""
        return {name: _plain(value) for name, value in self._values.items()}


def _wrapped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Summary(value)
    if isinstance(value, list):
        return [_wrapped(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Summary):
        return value.dict()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def parsed(text: bytes) -> dict[str, Any]:
    """Return what a summary says; nothing if the command did not come to write it."""
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def added(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over several runs, under the keys of one, and the runs."""
    if len(runs) == 1:
        return runs[0]
    total: dict[str, Any] = {}
    for run in runs:
        for key, value in run.items():
            _add(total, key, value)
    if total.get("elapsed_ns"):
        total["packets_per_second"] = total.get("packets", 0) / (total["elapsed_ns"] / 1e9)
    total["runs"] = runs
    return total


def _add(total: dict[str, Any], key: str, value: Any) -> None:
    if key not in total:
        total[key] = dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value
    elif isinstance(value, bool):
        total[key] = total[key] or value if key == "partial" else total[key] and value
    elif key == "peak_memory_bytes":
        total[key] = max(total[key], value)
    elif isinstance(value, dict):
        for name, part in value.items():
            _add(total[key], name, part)
    elif key in ("unread", "tunnels"):
        _merge(total[key], value)
    elif isinstance(value, (int, float, list)):
        total[key] = total[key] + value
    elif key == "first_packet":
        total[key] = min(total[key], value)
    elif key == "last_packet":
        total[key] = max(total[key], value)


def _merge(have: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    """Add packets that were not counted to those of the same kind."""
    for item in more:
        for k, other in enumerate(have):
            if {**item, "packets": 0} == {**other, "packets": 0}:
                have[k] = {**other, "packets": other["packets"] + item["packets"]}
                break
        else:
            have.append(item)
