"""The vocabulary: every structure, every term, and the ways between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from ..errors import UsageError
from ..values import Side
from .normalise import normalise
from .numbered import numbered_entries
from .structure import Entry, Structure
from .tables import building, read_rows, read_structures

__all__ = ["UnknownStructure", "Vocabulary", "load_vocabulary"]


class UnknownStructure(UsageError, KeyError):
    """An id that the vocabulary doesn't have."""

    code = "unknown-structure"

    def __init__(self, id: str) -> None:
        super().__init__(f"'{id}' is not a structure that SEER knows.")

    __str__ = Exception.__str__  # KeyError would show the repr


class Vocabulary:
    """Structures by id, concept and term. Build one with :func:`load_vocabulary`."""

    def __init__(self, structures: Mapping[str, Structure], entries: Iterable[Entry]) -> None:
        self.structures: Mapping[str, Structure] = MappingProxyType(dict(structures))
        self._by_concept: dict[str, tuple[Structure, ...]] = {}
        self._by_place: dict[tuple[str, Side, str], Structure] = {}
        self._both: dict[tuple[str, str], Structure] = {}
        for structure in self.structures.values():
            self._by_concept[structure.concept] = (*self._by_concept.get(structure.concept, ()), structure)
            self._by_place[structure.concept, structure.side, structure.level] = structure
            parts = [self.structures[part] for part in structure.parts if part in self.structures]
            if len(parts) == 2 and {part.side for part in parts} == {Side.LEFT, Side.RIGHT}:
                first, second = parts
                if (first.concept, first.level) == (second.concept, second.level):
                    self._both[first.concept, first.level] = structure
        self._by_term: dict[str, tuple[Entry, ...]] = {}
        for entry in entries:
            key = normalise(entry.term)
            known = self._by_term.get(key, ())
            if not any(_meaning(entry) == _meaning(other) for other in known):
                self._by_term[key] = (*known, entry)
        for key, known in self._by_term.items():  # one mark in the table is enough for all meanings of a term
            if len(known) > 1 and any(entry.ambiguous for entry in known):
                self._by_term[key] = tuple(entry._replace(ambiguous=True) for entry in known)

    @property
    def terms(self) -> Iterable[Entry]:
        """Every entry, for matching that is not exact."""
        return (entry for entries in self._by_term.values() for entry in entries)

    @property
    def keys(self) -> Mapping[str, tuple[Entry, ...]]:
        """Entries by normalised term."""
        return MappingProxyType(self._by_term)

    def get(self, id: str) -> Structure:
        """The structure of an id. Raises UnknownStructure, which is a KeyError too."""
        try:
            return self.structures[id]
        except KeyError:
            raise UnknownStructure(id) from None

    def by_concept(self, concept: str) -> tuple[Structure, ...]:
        """Every structure of a concept: both kidneys, the 24 ribs, the one liver; empty where there is none."""
        return self._by_concept.get(concept, ())

    def lookup(self, term: str) -> tuple[Entry, ...]:
        """What a term means, exactly, after :func:`normalise`. More than one entry: the term is ambiguous."""
        return self._by_term.get(normalise(term), ())

    def structure_for(self, concept: str, side: Side = Side.NONE, level: str = "") -> Structure | None:
        """The structure of a concept on a side and level; None where there is none, or where one must be chosen."""
        found = self._by_place.get((concept, side, level))
        if found is None and concept in self.structures:
            only = self.structures[concept]
            if side in (Side.NONE, only.side) and level in ("", only.level):
                found = only
        return found

    def structure_of(self, entry: Entry, side: Side = Side.NONE, level: str = "") -> Structure | None:
        """The structure that an entry names, with a side and level said beside it; None where they contradict."""
        if side is not Side.NONE and entry.side not in (Side.NONE, side):
            return None
        if level and entry.level not in ("", level):
            return None
        side = side if side is not Side.NONE else entry.side
        return self.structure_for(entry.concept_or_id, side, level or entry.level)

    def both(self, concept: str, level: str = "") -> Structure | None:
        """Left and right of a concept as one structure: kidneys for kidney."""
        return self._both.get((concept, level))

    def needs_side(self, concept: str) -> bool:
        """Whether a concept means nothing definite without a side."""
        return self.structure_for(concept) is None and any(
            structure.side is not Side.NONE for structure in self.by_concept(concept)
        )

    def parts_closure(self, id: str) -> tuple[str, ...]:
        """Ids of the smallest parts of a structure, sorted; the structure itself where it has none."""
        leaves: set[str] = set()
        open_ids = [id]
        while open_ids:
            structure = self.get(open_ids.pop())
            if structure.parts:
                open_ids.extend(structure.parts)
            else:
                leaves.add(structure.id)
        return tuple(sorted(leaves))


_PLURAL_KINDS = frozenset({"synonym", "lay", "eponym"})


def _meaning(entry: Entry) -> tuple[str, Side, str]:
    return entry.concept_or_id, entry.side, entry.level


def _entries(structures: Mapping[str, Structure]) -> Iterable[Entry]:
    """Names and ids of the structures, the synonym table, plurals of pairs, and the terms that follow rules."""
    pairs = {
        structures[structure.parts[0]].concept: structure.id
        for structure in structures.values()
        if len(structure.parts) == 2 and not structure.level and structures[structure.parts[0]].side is Side.LEFT
    }
    plurals: list[Entry] = []
    for structure in structures.values():
        for kind, term in (("preferred", structure.name), ("label", structure.id)):
            yield Entry(structure.id, term, kind, side=structure.side, level=structure.level)
        if structure.side is not Side.NONE and structure.name.startswith(f"{structure.side.value} "):
            unsided = structure.name.removeprefix(f"{structure.side.value} ")
            yield Entry(structure.concept, unsided, "preferred", level=structure.level)
    for row in read_rows("synonyms.csv"):
        entry = Entry(
            row["concept"],
            row["term"],
            row["kind"],
            row["language"],
            row["ambiguous"] == "yes",
            Side(row["side"]),
            row["level"],
            row["note"],
        )
        yield entry
        pair = pairs.get(entry.concept_or_id)
        singular = entry.kind in _PLURAL_KINDS and entry.language == "en" and not entry.term.endswith(("s", "ae"))
        if pair and singular and not (entry.side or entry.ambiguous):
            plurals.append(entry._replace(concept_or_id=pair, term=_plural(entry.term)))
    yield from numbered_entries()
    yield from plurals


def _plural(term: str) -> str:
    """English plural of a term, by its last word."""
    if term.endswith("y") and term[-2:-1] not in "aeiou":
        return f"{term[:-1]}ies"
    return f"{term}es" if term.endswith(("x", "ch", "sh")) else f"{term}s"


@cache
def load_vocabulary() -> Vocabulary:
    """The vocabulary of the data folder, read once."""
    with building():
        structures = read_structures()
        return Vocabulary(structures, _entries(structures))
