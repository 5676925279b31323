"""Reads the anatomy tables (docs/anatomy.md describes their columns) and expands their rows.

A row whose ``sides`` is not empty stands for more than one structure. ``{side}`` in its id, name, parts and classes
becomes left and right; both together are the structure ``pair_id``:

``pair``    a paired structure: kidney_left, kidney_right, and "kidneys"
``either``  a lesion of a paired organ: the same, and the unsided name means the lesion wherever it lies
``left``, ``right``  one structure of that side, where the two differ too much to share a row
"""

from __future__ import annotations

import csv
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ..errors import UsageError
from ..values import RGB, Code, Modality, Side, Terminology
from .levels import parse_span
from .normalise import DATA
from .structure import Structure

__all__ = ["Row", "building", "read_rows", "read_structures"]

Row = dict[str, str]

LATERALITY = {
    Side.LEFT: Code("SCT", "7771000", "Left"),
    Side.RIGHT: Code("SCT", "24028007", "Right"),
    Side.NONE: Code("SCT", "51440002", "Right and left"),
}

_STRUCTURE = Code("SCT", "123037004", "Anatomical Structure")
_CATEGORY = {
    "lesion": Code("SCT", "49755003", "Morphologically Altered Structure"),
    "tissue": Code("SCT", "85756007", "Tissue"),
}
_SIDES = (Side.LEFT, Side.RIGHT)
_SIDED = ("id", "name", "parts", "ts_ct", "ts_mr", "stand_in")


@contextmanager
def building() -> Iterator[None]:
    """Many small objects are about to be made and all are kept: looking for garbage meanwhile takes a third longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_rows(name: str) -> Iterator[Row]:
    """Rows of a table of the data folder, as {column: text}."""
    with Path(DATA, name).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        columns = next(rows)
        for row in rows:
            yield dict(zip(columns, row, strict=True))


def read_structures() -> dict[str, Structure]:
    """Every structure by id, parents and derived extents filled in.

    Raises
    ------
    UsageError
        If a row can't be read: bad colour, number, span or side; an id that stands twice; parts that form a circle.
    """
    drafts: dict[str, _Draft] = {}
    for line, row in enumerate(read_rows("structures.csv"), start=2):
        try:
            expanded = list(_expand(row))
        except (KeyError, ValueError) as error:
            raise UsageError(
                "The anatomy tables are damaged.", code="anatomy-table", detail=f"structures.csv line {line}: {error}"
            ) from error
        for draft in expanded:
            if draft.row["id"] in drafts:
                raise UsageError(
                    "The anatomy tables are damaged.", code="anatomy-table", detail=f"{draft.row['id']} stands twice"
                )
            drafts[draft.row["id"]] = draft
    return _assemble(drafts)


class _Draft:
    """One structure on its way: its own row, with the side put in."""

    def __init__(self, row: Row, side: Side, concept: str, colour: RGB, terminology: Terminology) -> None:
        self.row, self.side, self.concept, self.colour, self.terminology = row, side, concept, colour, terminology
        self.parts = tuple(row["parts"].split())


def _expand(row: Row) -> Iterator[_Draft]:
    colours = [_colour(text) for text in row["colour"].split()]
    if not row["sides"]:
        yield _Draft(row, Side.NONE, row["concept"] or row["id"], colours[0], _terminology(row, None))
        return
    if row["sides"] in ("left", "right"):
        side = Side(row["sides"])
        yield _Draft(row, side, row["concept"], colours[0], _terminology(row, side))
        return
    if row["sides"] not in ("pair", "either"):
        raise ValueError(f"sides {row['sides']!r}")
    left, right = colours
    for side, colour in zip(_SIDES, (left, right), strict=True):
        own = row | {column: row[column].replace("{side}", side.value) for column in _SIDED}
        yield _Draft(own, side, row["concept"], colour, _terminology(row, side))
    if row["pair_id"]:
        both = dict(row, id=row["pair_id"], name=row["pair_name"], ts_ct="", ts_mr="", stand_in="", span="")
        both |= {"parts": " ".join(row["id"].replace("{side}", side.value) for side in _SIDES), "lies_on": ""}
        both |= {"volume_min_ml": "", "volume_max_ml": "", "kind": "lesion" if row["kind"] == "lesion" else "group"}
        if row["sides"] == "either":  # one is enough: a lesion need not sit on both sides
            both |= {column: row[column] for column in ("volume_min_ml", "volume_max_ml")}
        middle = (left[0] + right[0]) // 2, (left[1] + right[1]) // 2, (left[2] + right[2]) // 2
        concept = row["concept"] if row["sides"] == "either" else row["pair_id"]
        laterality = None if row["sides"] == "either" else Side.NONE
        yield _Draft(both, Side.NONE, concept, middle, _terminology(row, laterality))


def _terminology(row: Row, side: Side | None) -> Terminology:
    """Type and side; for a lesion the region it sits in carries the side, as TotalSegmentator's table has it."""
    category = _CATEGORY.get(row["kind"], _STRUCTURE)
    told = side is None or (side is not Side.NONE and side.value in row["meaning"].casefold())
    laterality = None if told else LATERALITY[side or Side.NONE]
    kind = Code("SCT", row["code"], row["meaning"])
    if not row["region_code"]:
        return Terminology(category, kind, laterality)
    return Terminology(category, kind, None, Code("SCT", row["region_code"], row["region_meaning"]), laterality)


def _colour(text: str) -> RGB:
    if len(text) != 7 or text[0] != "#":
        raise ValueError(f"colour {text!r}")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@cache
def _modalities(text: str) -> frozenset[Modality]:
    return frozenset(Modality(name) for name in text.split())


def _assemble(drafts: dict[str, _Draft]) -> dict[str, Structure]:
    parents: dict[str, list[str]] = {}
    for id, draft in drafts.items():
        for part in draft.parts:
            parents.setdefault(part, []).append(id)
    structures: dict[str, Structure] = {}
    under_way: set[str] = set()

    def build(id: str) -> Structure:
        if id in structures:
            return structures[id]
        if id in under_way or id not in drafts:
            problem = f"{id} is part of itself" if id in under_way else f"unknown part {id}"
            raise UsageError("The anatomy tables are damaged.", code="anatomy-table", detail=problem)
        under_way.add(id)
        draft = drafts[id]
        structures[id] = _structure(draft, [build(part) for part in draft.parts], tuple(sorted(parents.get(id, ()))))
        return structures[id]

    return {id: build(id) for id in drafts}


def _structure(draft: _Draft, parts: list[Structure], parents: tuple[str, ...]) -> Structure:
    """What a row leaves empty follows from its parts: extents are their union, volumes their sum."""
    row = draft.row
    try:
        if row["span"] or not parts:
            span = parse_span(row["span"])
        else:
            span = min(part.span[0] for part in parts), max(part.span[1] for part in parts)
        low = float(row["volume_min_ml"]) if row["volume_min_ml"] else sum(part.volume_ml[0] for part in parts)
        high = float(row["volume_max_ml"]) if row["volume_max_ml"] else sum(part.volume_ml[1] for part in parts)
        modalities = _modalities(row["modalities"])
        lies_on = draft.side if draft.side is not Side.NONE else Side(row["lies_on"])
    except (KeyError, ValueError) as error:
        detail = f"{row['id']}: {error!r}"
        raise UsageError("The anatomy tables are damaged.", code="anatomy-table", detail=detail) from error
    regions = tuple(text.strip() for text in row["regions"].split(";") if text.strip())
    if not regions:
        regions = tuple(dict.fromkeys(region for part in parts for region in part.regions))
    return Structure(
        id=row["id"],
        name=row["name"],
        concept=draft.concept,
        side=draft.side,
        level=row["level"],
        kind=row["kind"],
        terminology=draft.terminology,
        code_is_parent=row["code_is_parent"] == "yes",
        colour=draft.colour,
        regions=regions,
        span=span,
        volume_ml=(low, high),
        parts=draft.parts,
        parents=parents,
        modalities=modalities,
        lies_on=lies_on,
        ts_ct=tuple(row["ts_ct"].split()),
        ts_mr=tuple(row["ts_mr"].split()),
        stand_in=row["stand_in"],
    )
