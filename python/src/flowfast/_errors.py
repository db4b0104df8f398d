"""The exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._dataset import Dataset
    from ._read import Result
    from ._summary import Summary


class Error(Exception):
    """What went wrong, in the words of the command.

    ``status`` is its exit status (negative: the signal that killed it), None if it
    could not be started.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        summary: Summary | None = None,
        partial: Result | Dataset | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.summary = summary
        #: The rows that were read before the error, None if there are none. Of
        #: stream() they are the batches that came before.
        self.partial = partial


class CaptureError(Error):
    """Something could not be read or written."""


class UsageError(Error, ValueError):
    """The arguments make no sense, whatever the captures."""


class EngineError(Error):
    """The command could not be started, or something ended it."""
