"""What is in the columns."""

from __future__ import annotations

from typing import NamedTuple

from ._options import ask


class Column(NamedTuple):
    """A column: its name, its type, its unit ("" for none), what it says, and its role.

    The role is identifier, time, host, feature or label: see docs/labels.md.
    """

    name: str
    type: str
    unit: str
    definition: str
    role: str


def columns(profile: str = "default") -> list[Column]:
    """Return the columns of a profile, in the order of the rows."""
    table = ask("columns", "--json", "--profile", profile)[0]
    return [Column(c["name"], c["type"], c["unit"], c["definition"], c["role"]) for c in table["columns"]]
