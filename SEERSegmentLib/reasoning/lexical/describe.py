"""Finds the structure that a description means: "the gland on top of the right kidney", "the organ that stores bile".

The tables functions.csv and relations.csv say of each structure what it does, what it looks like, what goes wrong with
it and where it lies. A description is compared with what the tables say: every feature the two share counts by how
few structures have it (inverse document frequency, as in text retrieval).
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

from ...anatomy import normalise
from ...anatomy.tables import building, read_rows
from ...values import Side
from .items import Item, read_items
from .kept import kept
from .lexicon import Lexicon, load_lexicon
from .text import tokenise, word_set

__all__ = ["Described", "Description", "features", "kinds_of", "load_descriptions"]

_ENDINGS = (
    *("ations", "ation", "ated", "ating", "ates", "ate", "ings", "ing", "ers"),
    *("isms", "ism", "ical", "ic"),
    *("ies", "ied", "ed", "es", "er", "ly", "s", "e"),
)
_DULL = word_set(
    "a an the and or is are was were be been that which who whom whose this these those it its to of in on at",
    "as by from into with for than then there here where what when how why do does did has have had can could",
    "may might will would shall should must i we you he she they me us him her them my our your his their one",
    "two three four also both each every any all some no not only just please pls so but if because since",
    "while during about around very more most much many such same other another own out up down off over",
    "under again once ever upon via per patient man woman old year know called name known find segment",
    "outline contour mask volume structure thing part region area body normal lies lie lying sits ",
    "runs run running goes go going gives give situated located found seen between near anatomical anatomy",
    "cell primary cycle problem need time times today tomorrow yesterday afternoon morning list group week weeks",
    "incidental incidentally type kind sort well good fine day days month months follow followup plan planned",
    "medical scan image images send sends sent pacs slice ct mr mri study case left right main",
)
_TOGETHER = 0.5  # how much more two features count when one row has both
_OTHER_KIND = 0.3  # what something counts that is not of the kind asked for
_CLOSER = 30  # candidates looked at row by row: all sides and levels of the best few
_STRUCTURAL = frozenset({"structure", "adjective", "outside"})


@dataclass(frozen=True, slots=True)
class Described:
    """A structure that fits a description: how well, and which features the two share."""

    concept: str
    side: Side
    level: str
    id: str
    score: float
    shared: tuple[str, ...]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without its English ending, as far as at least four letters stay."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            cut = word[: -len(ending)]
            return cut[:-1] if len(cut) > 4 and cut[-1] == cut[-2] and cut[-1] not in "aeious" else cut
    return word


@cache
def _classes() -> Mapping[str, str]:
    """Words that say the same thing here → their class (word_classes.csv)."""
    table: dict[str, str] = {}
    for row in read_rows("word_classes.csv"):
        for word in row["words"].split():
            table.setdefault(normalise(word), row["class"])
    return table


def features(items: Sequence[Item], *, structures: bool = True) -> dict[str, str]:
    """Features of a text, each with the words it comes from.

    ``@kidney`` a structure, ``above>@kidney`` a relation to it, ``head:gland`` a kind of thing, ``dis:…`` a disease, a
    plain stem any other word. ``structures=False`` leaves out what names a structure (for the text around a request).
    """
    found: dict[str, str] = {}
    relation = side = ""
    since = since_side = 0
    for item in items:
        if item.mark:
            since += 1
            continue
        names: list[str] = []
        if item.counted is not None:
            names = [f"#{level}" for level in item.counted.levels]
        elif structural := item.kinds & _STRUCTURAL:
            if "outside" in structural:
                names = [f"@{item.value('outside')}"]
            names += [f"@{ref.concept}" for ref in item.refs]
            names += [f"@{one}" for ref in item.refs if (one := _one_of_pair(ref.concept))]
        if item.value("side") in ("left", "right"):
            side, since_side = item.value("side"), 0
        if names and (structures or item.kinds == {"outside"}):
            own = item.refs[0].side.value if item.refs else ""
            told = own or (side if since_side <= 2 else "")
            for name in (*names, *(f"{name}:{told}" for name in names if told)):
                found.setdefault(name, item.text)
                if relation and since < 6:
                    found.setdefault(f"{relation}>{name}", item.text)
            side = ""
        since_side += 1
        if rel := item.sense("rel"):
            if rel.value not in ("of", "to", "with"):
                relation, since = rel.value, 0
                found.setdefault(f"rel:{rel.value}", item.text)
            continue
        since += 1
        if item.value("head") not in ("", "any"):
            found.setdefault(f"head:{item.value('head')}", item.text)
        if disease := item.disease:
            found.setdefault(f"dis:{disease.name}", item.text)
        structure = item.sense("structure")
        if not names or (structure is not None and structure.value == "lesion"):
            for word in item.norm.split():
                _add_word(found, word, item.text)
    return found


@cache
def _one_of_pair(concept: str) -> str:
    """The concept of which a name in the plural has two: the kidney of the kidneys."""
    known = load_lexicon().vocabulary
    own = known.structures.get(concept)
    concepts = {known.get(part).concept for part in own.parts} if own is not None and len(own.parts) == 2 else set()
    return concepts.pop() if len(concepts) == 1 else ""


def _add_word(found: dict[str, str], word: str, text: str) -> None:
    if word in _DULL or (len(word) < 3 and not word.isdecimal()):
        return
    word_class = _classes().get(word)
    found.setdefault(f"={word_class}" if word_class else stem(word), text)


class Description:
    """What the tables say of every structure, as features. Build one with :func:`load_descriptions`."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        about: dict[str, set[str]] = {}
        types: dict[str, set[str]] = {}
        self.rows: dict[str, list[frozenset[str]]] = {}
        self.also: dict[str, set[str]] = {}  # what a structure is too, though few call it that: the liver a gland
        functions, relations = list(read_rows("functions.csv")), list(read_rows("relations.csv"))
        texts = [row["text"] for row in functions if row["kind"] not in _KINDS] + [row["object"] for row in relations]
        read = kept("descriptions", lambda: self._read(texts))
        self.words = set(read["words"])
        told_of = iter(read["features"])
        for row in functions:
            if row["kind"] in _KINDS:
                table = types if row["kind"] == "type" else self.also
                table.setdefault(row["subject"], set()).update(row["text"].split())
                continue
            told = next(told_of)
            about.setdefault(row["subject"], set()).update(told)
            self.rows.setdefault(row["subject"], []).append(_content(told))
        for row in relations:
            own = about.setdefault(row["subject"], set())
            told = next(told_of)
            told += [f"{row['relation']}>{feature}" for feature in told if feature[0] in "@#"]
            told.append(f"rel:{row['relation']}")
            own.update(told)
            self.rows.setdefault(row["subject"], []).append(_content(told))
        self.about, self.types = about, types

    def _read(self, texts: Sequence[str]) -> dict[str, list[Any]]:
        """Features of texts, and the words that they are written in."""
        words: set[str] = set()
        told: list[list[str]] = []
        for text in texts:
            tokens = tokenise(text)
            words.update(t.norm for t in tokens if t.kind == "word" and len(t.norm) > 3)
            told.append(sorted(features(read_items(text, tokens, self.lexicon))))
        return {"words": sorted(words), "features": told}

    @cached_property
    def candidates(self) -> dict[str, tuple[str, Side, str, frozenset[str], frozenset[str]]]:
        """Structure id → concept, side, level, features, types."""
        table = {}
        for structure in self.lexicon.vocabulary.structures.values():
            own = self.about.get(structure.id, set()) | self.about.get(structure.concept, set())
            if not own:
                continue
            kinds = self.types.get(structure.concept) or self.types.get(structure.id) or {structure.kind}
            own = own | {f"head:{kind}" for kind in kinds}
            if structure.side is not Side.NONE:  # a paired structure's paired neighbours are those of its own side
                own |= {f"{feature}:{structure.side.value}" for feature in own if _unsided(feature)}
            table[structure.id] = (structure.concept, structure.side, structure.level, frozenset(own), frozenset(kinds))
        return table

    @cached_property
    def weights(self) -> dict[str, float]:
        """Inverse document frequency of each feature over concepts, doubled for relations."""
        told: dict[str, set[str]] = {}
        for concept, _, _, own, _ in self.candidates.values():
            told.setdefault(concept, set()).update(own)
        count: Counter[str] = Counter()
        for features_of in told.values():
            count.update(features_of)
        total = len(told)
        weights = {}
        for feature, n in count.items():
            weight = math.log(1 + total / n)
            if ">" in feature:
                weight *= 1.6
            elif feature[0] in "@#":
                weight *= 0.8
            if feature.endswith((":left", ":right")):
                weight *= 0.5
            elif feature.startswith(("rel:", "head:")):
                weight *= 0.4
            elif feature.startswith("dis:"):  # where a disease sits, diseases.csv says
                weight *= 0.5
            weights[feature] = weight
        return weights

    @cached_property
    def _having(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for id, (*_, own, _) in self.candidates.items():
            for feature in own:
                table.setdefault(feature, []).append(id)
        return table

    @cached_property
    def _of_concept(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for id, (concept, *_) in self.candidates.items():
            table.setdefault(concept, []).append(id)
        return table

    def holders(self, feature: str) -> list[str]:
        """Concepts of which the tables tell a feature, sorted."""
        return sorted({self.candidates[id][0] for id in self._having.get(feature, ())})

    def rank(
        self,
        wanted: Mapping[str, float],
        kinds: Iterable[str] = (),
        bonus: Mapping[str, float] | None = None,
        among: frozenset[str] = frozenset(),
    ) -> list[Described]:
        """The structures that fit best, best first: at most thirty.

        Parameters
        ----------
        wanted
            Feature → how much it counts (1 in the request itself, less around it).
        kinds
            What the request calls it (``"gland"``, ``"artery"``); what is something else counts for little.
        bonus
            Concept or id → score from elsewhere: findings and diseases.
        among
            Concepts that can be meant; all, where none is given.
        """
        scores: dict[str, float] = {}
        for feature, share in wanted.items():
            weight = self.weights.get(feature, 0.0) * share
            for id in self._having.get(feature, ()):
                scores[id] = scores.get(id, 0.0) + weight
        for name, extra in (bonus or {}).items():
            for id in (name,) if name in self.candidates else self._of_concept.get(name, ()):
                scores[id] = scores.get(id, 0.0) + extra
        asked = {kind for kind in kinds if kind not in ("any", "")}
        if asked:
            other = {concept: 0.75 if asked & also else _OTHER_KIND for concept, also in self.also.items()}
            for id in scores:
                if not asked & self.candidates[id][4]:
                    scores[id] *= other.get(self.candidates[id][0], _OTHER_KIND)
        if among:
            scores = {id: score for id, score in scores.items() if self.candidates[id][0] in among}
        best = heapq.nsmallest(_CLOSER, scores, key=lambda id: (-scores[id], id))
        whole = []
        for id in best:
            concept, side, level, own, _ = self.candidates[id]
            score = scores[id] + _TOGETHER * self._together(id, concept, wanted)
            whole.append(Described(concept, side, level, id, score, tuple(f for f in wanted if f in own)))
        return sorted(whole, key=lambda d: (-d.score, d.id))

    def _together(self, id: str, concept: str, wanted: Mapping[str, float]) -> float:
        """What one row says of what is wanted, if it says more than one thing: "stores" and "bile" in one breath."""
        best = 0.0
        for row in {*self.rows.get(id, ()), *self.rows.get(concept, ())}:
            both = row & wanted.keys()
            if len(both) > 1:
                best = max(best, math.fsum(self.weights.get(f, 0.0) * wanted[f] for f in both))
        return best


_KINDS = frozenset({"type", "also"})


def _content(told: Iterable[str]) -> frozenset[str]:
    """Features of a row that say something by themselves."""
    return frozenset(f for f in told if not f.startswith(("rel:", "head:")))


def _unsided(feature: str) -> bool:
    return "@" in feature and not feature.endswith((":left", ":right"))


@cache
def kinds_of(concept: str) -> frozenset[str]:
    """What kinds of thing a structure is called: bone, gland, artery."""
    table = load_descriptions()
    known = table.lexicon.vocabulary
    own = known.structures.get(concept)
    kinds = {s.kind for s in ((own,) if own else known.by_concept(concept))}
    if concept.startswith(("vertebrae_", "rib_")):
        kinds.add(concept.partition("_")[0].replace("vertebrae", "vertebra"))
    return frozenset(kinds | table.types.get(concept, set()) | table.also.get(concept, set()))


@cache
def load_descriptions() -> Description:
    """The descriptions over the project's tables, read once."""
    with building():
        return Description(load_lexicon())
