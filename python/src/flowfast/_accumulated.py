"""What tasks of Spark tell the driver."""

from __future__ import annotations

from typing import Any

from pyspark.accumulators import AccumulatorParam


class Latest(AccumulatorParam[dict[int, Any]]):  # type: ignore[misc,unused-ignore]
    """Values by number: those of a task that runs again take the place of the first ones."""

    def zero(self, value: dict[int, Any]) -> dict[int, Any]:
        return {}

    def addInPlace(self, value1: dict[int, Any], value2: dict[int, Any]) -> dict[int, Any]:
        value1.update(value2)
        return value1
