"""SEER's values as plain JSON values, for files, tags and machines that read the command's output."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

__all__ = ["as_plain"]


def as_plain(value: object) -> Any:
    """Turn dataclasses, enums, tuples and numpy scalars into what ``json.dumps`` writes as strict JSON.

    Numbers that are not finite become None. Arrays have no place in JSON: a value that holds one is refused.

    Raises
    ------
    TypeError
        For an array or any other type that has no plain form.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.bool_ | np.integer):
        return value.item()
    if isinstance(value, tuple | list):
        return [as_plain(item) for item in value]
    if isinstance(value, frozenset | set):
        return sorted(as_plain(item) for item in value)
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no plain form")
