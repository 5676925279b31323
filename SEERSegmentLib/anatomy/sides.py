"""Words for left and right (data/sides.csv)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from ..values import Side
from .normalise import normalise
from .tables import read_rows

__all__ = ["BOTH_WORDS", "CJK_BOTH", "CJK_SIDES", "side_words"]

BOTH_WORDS = frozenset({"both", "bilateral", "beide", "beidseits", "ambos", "ambas", "entrambi", "entrambe"})
CJK_SIDES: Mapping[str, Side] = {"左侧": Side.LEFT, "右侧": Side.RIGHT, "左": Side.LEFT, "右": Side.RIGHT}
"""Prefixes, normalised; longest first."""
CJK_BOTH = ("双侧", "两侧", "左右", "双", "两")


@cache
def side_words(*, ambiguous: bool = False) -> Mapping[str, Side]:
    """Normalised single words that mean a side.

    Parameters
    ----------
    ambiguous
        Also those that mean something else as well: "dx" is Italian shorthand for right, and English for diagnosis.
    """
    return MappingProxyType(
        {
            normalise(row["term"]): Side(row["side"])
            for row in read_rows("sides.csv")
            if ambiguous or row["ambiguous"] != "yes"
        }
    )
