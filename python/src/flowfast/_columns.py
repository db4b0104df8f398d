"""What is in the columns."""

from __future__ import annotations

from typing import NamedTuple

from ._options import ask


class Column(NamedTuple):
    """A column: its name, its type, its unit ("" for none), and what it says."""

    name: str
    type: str
    unit: str
    definition: str


def columns(profile: str = "default") -> list[Column]:
    """Return the columns of a profile, in the order of the rows."""
    table = ask("columns", "--json", "--profile", profile)[0]
    return [Column(c["name"], c["type"], c["unit"], c["definition"]) for c in table["columns"]]
