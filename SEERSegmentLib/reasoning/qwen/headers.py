"""What a safetensors file holds, from its header alone.

The format (documented by its library, safetensors): eight bytes, little-endian, give the length of a JSON text that
names each tensor's type, shape and place; then come the bytes of the tensors. So sizes are known, and a file that is
cut off is found, before anything is loaded.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from ...errors import ReasonerError

__all__ = ["TensorInfo", "read_header"]

#: Longest header that the library itself accepts.
_MAX_HEADER = 100_000_000


@dataclass(frozen=True)
class TensorInfo:
    """Type in the file (``"BF16"``, ``"F32"`` …) and shape of one tensor."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype.startswith(("F", "BF"))


def read_header(path: Path) -> dict[str, TensorInfo]:
    """Name of a tensor → what it is.

    Raises
    ------
    ReasonerError
        ``model-damaged``: not safetensors, or cut off.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(_MAX_HEADER, size - 8):
                raise _damaged(path, f"a header of {length} bytes in {size}")
            plain = json.loads(file.read(length))
        plain.pop("__metadata__", None)
        tensors = {name: TensorInfo(one["dtype"], tuple(map(int, one["shape"]))) for name, one in plain.items()}
        end = 8 + length + max((int(one["data_offsets"][1]) for one in plain.values()), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if end != size:
        raise _damaged(path, f"{size} bytes instead of {end}")
    return tensors


def _damaged(path: Path, detail: str) -> ReasonerError:
    return ReasonerError(
        f"The weights {path.name} are damaged or incomplete; copy or download them again.",
        code="model-damaged",
        detail=f"{path}: {detail}",
    )
