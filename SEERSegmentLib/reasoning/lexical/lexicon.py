"""All terms of the tables in one tree of words, so that a text is read against every table in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

from ...anatomy import Entry, Vocabulary, load_vocabulary, normalise
from ...anatomy.tables import building, read_rows
from ...values import Side
from .kept import kept
from .text import Token, tokenise, word_set

__all__ = ["Disease", "Lexicon", "Ref", "Sense", "load_lexicon", "word_forms"]

_Plain = tuple[str, str, str, str, str, str]
"""A sense as text: kind, value, refs ("concept|side|level", with ";"), number of the disease, language, whether it is
ambiguous. One line of text for a term is read fast, and most terms are never made anything of."""

_SKIPPED = frozenset("-'\u2019\u2010\u2011/._")  # marks that may stand inside a term: gall-bladder, r/o, s.p., A_Aorta


@dataclass(frozen=True, slots=True)
class Ref:
    """What a mention refers to: a concept or id of the vocabulary, with the side and level said in the term itself."""

    concept: str
    side: Side = Side.NONE
    level: str = ""


@dataclass(frozen=True, slots=True)
class Disease:
    """A row of diseases.csv: what it sits in, and what it is called when the lesion itself is asked for."""

    name: str
    kind: str
    structures: tuple[str, ...]
    lesion: str


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a term: its kind (``structure``, ``outside``, ``disease``, ``side``, ``not``, …) and value."""

    kind: str
    value: str = ""
    refs: tuple[Ref, ...] = ()
    disease: Disease | None = None
    language: str = "en"
    ambiguous: bool = False


@dataclass
class _Node:
    next: dict[str, _Node] = field(default_factory=dict)
    senses: list[Sense] = field(default_factory=list)


class _Branches(dict[str, _Node]):
    """First words of terms → what may follow them. Most texts have few of them: a branch grows when it is asked for."""

    def __init__(self, terms: Mapping[str, Sequence[str]], diseases: Sequence[Disease]) -> None:
        self.terms = terms
        self._diseases = diseases

    def __contains__(self, word: object) -> bool:
        return word in self.terms

    def __missing__(self, word: str) -> _Node:
        branch = self[word] = _Node()
        for line in self.terms[word]:
            term, *plain = line.split("\t")
            node = branch
            for later in term.split()[1:]:
                node = node.next.setdefault(later, _Node())
            sense = self._sense(*plain)
            if not any(_same(sense, other) for other in node.senses):
                node.senses.append(sense)
        return branch

    def _sense(self, kind: str, value: str, refs: str, disease: str, language: str, ambiguous: str) -> Sense:
        meanings = tuple(_read_ref(*ref.split("|")) for ref in refs.split(";") if ref)
        return Sense(
            kind, value, meanings, self._diseases[int(disease)] if disease else None, language, bool(ambiguous)
        )

    def get(self, word: str, default: Any = None) -> Any:  # dict's own asks no __missing__
        return self[word] if word in self.terms else default


def _read_ref(concept: str, side: str, level: str) -> Ref:
    return Ref(concept, Side(side), level)


def word_forms(word: str) -> Iterator[str]:
    """Singular forms that an English plural may have."""
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        if word.endswith("ies"):
            yield word[:-3] + "y"
        if word.endswith(("ches", "shes", "xes", "ses")):
            yield word[:-2]
        yield word[:-1]


class _Collected:
    """The terms of all tables as plain data, from which a lexicon is built: it is kept between runs."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.terms: dict[str, list[str]] = {}
        self.diseases: list[tuple[str, str, list[str], str]] = []
        self.counting = set(_COUNT_STARTS)
        self.words: dict[str, int] = {}
        self.pairs: list[tuple[str, str]] = []
        self.cjk_terms: set[str] = set()
        self.languages: dict[str, str] = {}
        lesions = {name for s in vocabulary.structures.values() if s.kind == "lesion" for name in (s.id, s.concept)}
        for key, entries in vocabulary.keys.items():
            meanings = [_ref(e, vocabulary) for e in entries]
            if meanings[0][0].endswith("_fracture") and key.rpartition(" ")[2] in _BONES:
                continue  # "the broken rib" is the rib
            value = "lesion" if meanings[0][0] in lesions else ""
            several = "yes" if len(meanings) > 1 else ""
            refs = ";".join("|".join(meaning) for meaning in meanings)
            sense: _Plain = ("structure", value, refs, "", entries[0].language, several)
            is_short = entries[0].kind == "abbreviation" and len(key) < 6  # nobody misspells "aSDH" as "asdf"
            weight = 0 if is_short else 3 if entries[0].language in ("en", "la") else 2
            self._add(key, sense, weight=weight, is_folded=True)
            for short in _abbreviated(key) if entries[0].language in ("en", "la") else ():
                self._add(short, sense, weight=1, is_folded=True)
        for row in read_rows("ambiguous.csv"):
            refs = ";".join(f"{id}||" for id in row["meanings"].split(";"))
            self._add(row["term"], ("structure", "", refs, "", "en", "yes"), weight=3)
        for row in read_rows("adjectives.csv"):
            self._add(row["term"], ("adjective", "", f"{row['structure']}||", "", "en", ""), weight=2)
        for row in read_rows("outside.csv"):
            for term in (row["name"], *filter(None, row["synonyms"].split("|"))):
                self._add(term, ("outside", row["name"], "", "", "en", ""), weight=2)
        self._add_diseases(vocabulary)
        for row in (*read_rows("sides.csv"), *read_rows("modifiers.csv")):
            kind = row.get("kind") or "side"
            value = row["value"] if row.get("kind") else row["side"]
            weight = 0 if row["language"] != "en" else 3 if kind in ("head", "levelnoun") else 1
            self._add(row["term"], (kind, value, "", "", row["language"], ""), weight)

    def _add_diseases(self, vocabulary: Vocabulary) -> None:
        diseases: set[str] = set()
        for row in read_rows("diseases.csv"):
            places = [place for place in row["structure"].split(";") if place]
            self.diseases.append((row["term"], row["kind"], places, row["lesion"]))
            for term in (row["term"], *filter(None, row["synonyms"].split("|"))):
                if term.rpartition(" ")[2] in _BONES:
                    continue  # as above
                diseases.add(normalise(term))
                self._add(term, ("disease", row["term"], "", str(len(self.diseases) - 1), "en", ""), weight=2)
        named = set(vocabulary.keys) | diseases
        for row in read_rows("operations.csv"):
            if normalise(row["term"]) not in named:
                self.diseases.append((row["term"], "operation", row["structures"].split(";"), ""))
                self._add(row["term"], ("disease", row["term"], "", str(len(self.diseases) - 1), "en", ""), weight=2)

    def _add(self, term: str, sense: _Plain, weight: int, *, is_folded: bool = False) -> None:
        folded = term if is_folded else normalise(term.replace("#", " fracture "))
        words = folded.split() if folded.isascii() else [t.norm for t in tokenise(folded) if t.is_word]
        if not words:
            return
        kind, language = sense[0], sense[4]
        self.terms.setdefault(words[0], []).append("\t".join((" ".join(words), *sense)))
        if kind == "structure" and len(words) == _PAIR:
            self.pairs.append((words[0], words[1]))
        if kind in _COUNTS:
            self.counting.add(words[0])
        for word in words:
            if not word.isascii():
                if len(words) == 1:
                    self.cjk_terms.add(word)
            elif len(word) > 2:
                self.words[word] = max(weight, self.words.get(word, 0))
        if language not in ("en", "la") and len(words) == 1 and len(words[0]) > 3:
            self.languages[words[0]] = language

    def plain(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {**vars(self), "counting": sorted(self.counting), "cjk_terms": sorted(self.cjk_terms)}


def _ref(entry: Entry, vocabulary: Vocabulary) -> tuple[str, str, str]:
    """An entry's meaning as concept, side and level, also where it gives the id of one side."""
    own = vocabulary.structures.get(entry.concept_or_id)
    if own is not None and own.concept != own.id:
        side = own.side if entry.side is Side.NONE else entry.side
        return own.concept, side.value, own.level or entry.level
    return entry.concept_or_id, entry.side.value, entry.level


class Lexicon:
    """The tree, and what is derived from it. Build one with :func:`load_lexicon`.

    Attributes
    ----------
    words
        Word → weight, for spelling: 3 structures, 2 diseases, 1 other English, 0 none.
    pairs
        Names of structures in two words.
    languages
        Word that only one other language has → that language.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        read = kept("lexicon", lambda: _Collected(vocabulary).plain())
        diseases = [Disease(name, kind, tuple(places), lesion) for name, kind, places, lesion in read["diseases"]]
        self._branches = _Branches(read["terms"], diseases)
        self._root = _Node(self._branches)
        self._counting = set(read["counting"])
        self.words: dict[str, int] = read["words"]
        self.pairs: list[tuple[str, str]] = [(first, last) for first, last in read["pairs"]]
        self.cjk_terms: set[str] = set(read["cjk_terms"])
        self.languages: dict[str, str] = read["languages"]

    @cached_property
    def wider(self) -> dict[str, tuple[str, str]]:
        """Portions → the structure that label sets have instead, and why (wider.csv)."""
        return {row["structure"]: (row["wider"], row["why"]) for row in read_rows("wider.csv")}

    def begins_count(self, word: str) -> bool:
        """Whether a word can begin a numbered level: "last", "twelfth", "costa", "BWK"."""
        return word in self._counting or any(form in self._counting for form in word_forms(word))

    def match(
        self, tokens: Sequence[Token], start: int, kinds: frozenset[str] | None = None
    ) -> tuple[int, list[Sense], bool] | None:
        """The longest term that begins at a token, of some kinds where they are given.

        Returns
        -------
        (end, senses, plural) or None
            ``end`` is the index after the term's last token; ``plural`` that its last word was read as a plural.
        """
        found: tuple[int, list[Sense], bool] | None = None
        node, at, plural = self._root, start, False
        while at < len(tokens):
            token = tokens[at]
            if not token.is_word:
                if token.text == "/" and len(tokens[at - 1].norm) > 2:
                    break  # "pulmonary artery/right lung" are two; "r/o" is one
                if at > start and token.text in _SKIPPED and not token.newline:
                    at += 1
                    continue
                break
            following = node.next.get(token.norm)
            plural = False
            if following is None and not (token.text.isupper() and len(token.text) < 6):  # VATS is no plural
                following = next((node.next[f] for f in word_forms(token.norm) if f in node.next), None)
                plural = following is not None
            if following is None:
                break
            node = following
            at += 1
            if node.senses and (kinds is None or any(s.kind in kinds for s in node.senses)):
                found = at, node.senses, plural
        return found

    def lookup(self, term: str) -> list[Sense]:
        """Senses of a whole term, or none."""
        tokens = tokenise(normalise(term))
        found = self.match(tokens, 0)
        return found[1] if found and found[0] == len(tokens) else []

    @cached_property
    def _cjk_lengths(self) -> dict[str, tuple[int, ...]]:
        """First character of a Chinese or Japanese term → the lengths such terms have."""
        lengths: dict[str, set[int]] = {}
        for term in self.cjk_terms:
            lengths.setdefault(term[0], set()).add(len(term))
        return {first: tuple(sorted(own)) for first, own in lengths.items()}

    @cached_property
    def cjk_asks(self) -> tuple[str, ...]:
        """Chinese and Japanese words that plainly ask."""
        strong = (t for t in self.cjk_terms if any(s.kind == "ask" and s.value != "weak" for s in self.lookup(t)))
        return tuple(sorted(strong))

    def split_cjk(self, token: Token) -> list[Token]:
        """Cut a run of Chinese or Japanese into terms: the cut with fewest unknown characters, then fewest terms."""
        run = token.norm
        best: list[tuple[int, int]] = [(0, 0), *(((4 * len(run)), 0) for _ in run)]  # cost, start of the last piece
        for start, first in enumerate(run):
            cost = best[start][0]
            best[start + 1] = min(best[start + 1], (cost + 3, start))
            for length in self._cjk_lengths.get(first, ()):
                if start + length <= len(run) and run[start : start + length] in self.cjk_terms:
                    best[start + length] = min(best[start + length], (cost + 1, start))
        cuts = [len(run)]
        while cuts[-1]:
            cuts.append(best[cuts[-1]][1])
        cuts.reverse()
        exact = len(run) == len(token.text)
        pieces = []
        for start, end in pairwise(cuts):
            place = (token.start + start, token.start + end) if exact else (token.start, token.end)
            text = token.text[start:end] if exact else run[start:end]
            leads = start == 0
            pieces.append(Token(text, run[start:end], *place, "cjk", leads and token.spaced, leads and token.newline))
        return pieces


def _abbreviated(key: str) -> Iterator[str]:
    """ "splenic v", "iliac art", "iliac vv": the last word of a vessel's or muscle's name as notes shorten it."""
    rest, _, last = key.rpartition(" ")
    for short in _SHORT.get(last, ()) if len(rest) > 3 else ():
        yield f"{rest} {short}"
    first, _, rest = key.partition(" ")
    if rest and first in _LATIN:
        yield f"{_LATIN[first]} {rest}"
    if key.startswith("gluteus ") and key.count(" ") == 1:
        yield f"glut {key.removeprefix('gluteus ')}"
        yield f"glut {key.removeprefix('gluteus ')[:3]}"


_LATIN = {"arteria": "a", "vena": "v", "musculus": "m", "arteriae": "aa", "venae": "vv", "musculi": "mm"}
_SHORT = {"artery": ("a", "art"), "arteries": ("aa", "arts"), "vein": ("v", "vn"), "veins": ("vv",), "muscle": ("m",),
          "muscles": ("mm",), "nerve": ("n",)}  # fmt: skip
_BONES = frozenset(["rib", "ribs", "vertebra", "vertebrae", "vertebral", "body", "bone", "bones"])
_COUNT_STARTS = word_set("first top upper uppermost highest topmost last bottom lower lowest lowermost final 第")


_PAIR = 2
_COUNTS = frozenset({"ord", "card", "levelnoun", "span"})


def _same(one: Sense, other: Sense) -> bool:
    fields: tuple[Any, ...] = (one.kind, one.value, one.refs)
    return fields == (other.kind, other.value, other.refs)


@cache
def load_lexicon() -> Lexicon:
    """The lexicon over the project's tables, read once."""
    with building():
        return Lexicon(load_vocabulary())
