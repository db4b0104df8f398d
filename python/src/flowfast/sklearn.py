"""A transformer of scikit-learn's: captures in, numbers out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ._read import read

if TYPE_CHECKING:
    import pandas

__all__ = ["FlowTable"]

# Who talks to whom and when: a model that learns these learns the capture.
_IDENTITY = (
    "src_ip", "dst_ip", "src_mac", "dst_mac", "src_oui", "dst_oui", "start_time", "id", "expiration_id",
    "bidirectional_first_seen_ms", "bidirectional_last_seen_ms", "src2dst_first_seen_ms", "src2dst_last_seen_ms",
    "dst2src_first_seen_ms", "dst2src_last_seen_ms",
)  # fmt: skip


class FlowTable(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Captures to the numbers of their flows, a row for each flow.

    X is what flowfast.read takes: a path, a folder, bytes, or a list of these. Rows
    of several captures follow each other. Text, times and addresses are left out;
    lists (splt) become a column for each place.

    Parameters
    ----------
    profile, splt : as in flowfast.read.
    columns : names of columns to keep, in this order; None for all that are numbers,
        but for times of day, identifiers and addresses.
    join : read several captures as one stream in the order of time.
    options : other options of the command, such as {"idle_timeout": 120}.

    The number of rows is that of flows, not of captures: labels, if any, must be of
    the flows. After transform result_ is the flowfast.Result, with all columns.
    """

    def __init__(
        self,
        profile: str | None = None,
        splt: int | None = None,
        columns: Sequence[str] | None = None,
        join: bool = False,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.profile = profile
        self.splt = splt
        self.columns = columns
        self.join = join
        self.options = options

    def fit(self, X: Any, y: Any = None) -> FlowTable:
        """Learn the names of the columns. The captures are read; none is kept."""
        self.feature_names_out_ = self._frame(X).columns.to_numpy(dtype=object)
        return self

    def transform(self, X: Any) -> pandas.DataFrame:
        """Return a frame of numbers."""
        check_is_fitted(self, "feature_names_out_")
        return self._frame(X)[list(self.feature_names_out_)]

    def fit_transform(self, X: Any, y: Any = None, **parameters: Any) -> pandas.DataFrame:
        """Do both while reading once."""
        frame = self._frame(X)
        self.feature_names_out_ = frame.columns.to_numpy(dtype=object)
        return frame

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        check_is_fitted(self, "feature_names_out_")
        return self.feature_names_out_

    def _frame(self, X: Any) -> pandas.DataFrame:
        import pandas as pd

        result = read(_captures(X), profile=self.profile, splt=self.splt, join=self.join, **(self.options or {}))
        self.result_ = result
        table = result.arrow()
        names = table.column_names if self.columns is None else list(self.columns)
        arrays: dict[str, Any] = {}
        for name in names:
            column, kind = table[name], table.schema.field(name).type
            if pa.types.is_list(kind):
                arrays.update(_places(name, column, self.splt or 0))
            elif (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and (self.columns is not None or name not in _IDENTITY):
                arrays[name] = column.to_numpy()
            elif self.columns is not None:
                raise ValueError(f"column {name!r} is {kind}, not a number")
        return pd.DataFrame(arrays)


def _captures(X: Any) -> Any:
    """Return captures as read takes them, also of an array or a series of paths."""
    if isinstance(X, (str, bytes, bytearray, memoryview, os.PathLike)) or hasattr(X, "read") or not isinstance(X, Iterable):
        return X
    values = np.asarray(X, dtype=object).ravel().tolist() if hasattr(X, "shape") else list(X)
    # One capture in a list is as one without it.
    return values[0] if len(values) == 1 else values


def _places(name: str, column: Any, number: int) -> dict[str, Any]:
    """Return a list's places as columns, with NaN behind the end of a shorter one."""
    table = np.full((len(column), number), np.nan)
    for k, values in enumerate(column.to_pylist()):
        table[k, : len(values)] = values[:number]
    return {f"{name}_{k}": table[:, k] for k in range(number)}
