"""Terms that follow a rule: vertebrae, ribs and discs, in the languages of the tables.

Twenty-five vertebrae, twelve ribs and twenty-three discs have some forty names each; a rule says them once.
"""

from __future__ import annotations

from collections.abc import Iterator

from .structure import Entry

__all__ = ["numbered_entries"]


def numbered_entries() -> Iterator[Entry]:
    """Every term of every numbered structure; terms are not yet normalised."""
    for region, count in (("C", 7), ("T", 12), ("L", 5), ("S", 1)):
        for n in range(1, count + 1):
            yield from _vertebra(region, n)
    for n in range(1, 13):
        yield from _rib(n)


def _vertebra(region: str, n: int) -> Iterator[Entry]:
    level = f"{region}{n}"
    for letters in {"C": ("C",), "T": ("T", "D", "Th"), "L": ("L",), "S": ("S",)}[region]:
        yield Entry(f"vertebrae_{level}", f"{letters}{n}", "abbreviation", "en", level=level)


def _rib(n: int) -> Iterator[Entry]:
    yield Entry("rib", f"rib {n}", "synonym", "en", level=str(n))
