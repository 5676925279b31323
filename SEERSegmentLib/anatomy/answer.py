"""Turns a reasoner's answer into what a backbone executes, and back: strictly, never by guessing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from ..values import Abstention, Anchor, Target, TargetSpec
from .anchors import Drawn, Piece, misplaced, split_anchors, written
from .normalise import normalise
from .phrase import WHICH, is_side_only, is_structure, target_for, with_side
from .vocabulary import Vocabulary, load_vocabulary

__all__ = ["MAX_ANSWER", "MAX_TARGETS", "render", "resolve_answer"]

MAX_ANSWER = 8_000
"""Longest answer read, in characters without its key slices: all 117 names of the largest label set are shorter."""

MAX_WRITTEN = 4 * MAX_ANSWER
"""Longest answer read, in characters, its key slices included."""

MAX_TARGETS = 128
"""Most targets in one answer: more than the 117 classes of the largest label set."""

_LONGEST_NAME = 4  # parts that "and" joins in one name: "portal vein and splenic vein" has two

_OR = re.compile(r"\b(?:or|oder|ou|either|versus|vs)\b|[^\W\d_]\s*/\s*[^\W\d_]|或|または", re.IGNORECASE)
_HARD = re.compile(r"[,;\n\r、;]")
_BULLET = re.compile(r"^\s*(?:[-*•·]+|\(?\d{1,3}[.)]\s)\s*")
_SOFT = re.compile(r"\s+(?:and|plus)\s+|\s*[&+]\s*", re.IGNORECASE)
_LOOSE_AND = re.compile(r"^(?:(?:and|plus)\s+)+|(?:\s+(?:and|plus))+$|^(?:and|plus)$", re.IGNORECASE)
_QUOTED = re.compile(r'["“”„«»]([^"“”„«»]*)["“”„«»]')


class _Phrase(NamedTuple):
    """A noun phrase, and the key slices that stand behind it."""

    text: str
    drawn: tuple[Drawn, ...] = ()


#: Each target with its key slices, in order.
_Targets = dict[Target, tuple[Drawn, ...]]


def render(spec: TargetSpec) -> str:
    """The canonical answer of a spec, joined so that :func:`resolve_answer` gives the spec back.

    Each target's name is followed by its anchors, in their order; see :mod:`.anchors` for how they are written.
    """
    known = load_vocabulary()
    if not spec.targets:
        return ""
    of_target = [[anchor for anchor in spec.anchors if anchor.target == n] for n in range(len(spec.targets))]
    meant = [
        (t, tuple(Drawn(a.axis, a.index, a.boxes) for a in own)) for t, own in zip(spec.targets, of_target, strict=True)
    ]
    marks = ["".join(f" {written(anchor)}" for anchor in own) for own in of_target]
    texts = [target.text + mark for target, mark in zip(spec.targets, marks, strict=True)]
    natural = texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
    for candidate in (natural, "; ".join(texts)):
        read = _read(candidate, known)
        if not isinstance(read, Abstention) and list(read.items()) == meant:
            return candidate
    quoted = [target.text if target.structure else f'"{target.text}"' for target in spec.targets]
    return "; ".join(text + mark for text, mark in zip(quoted, marks, strict=True))


def resolve_answer(text: str) -> TargetSpec | Abstention:
    """Read an answer: one or more noun phrases joined by "and", commas, semicolons or a list.

    Parameters
    ----------
    text
        The content of ``<answer>``, or what a user typed in its place. A phrase in double quotes is taken whole; key
        slices with boxes may follow it (:mod:`.anchors`).

    Returns
    -------
    TargetSpec or Abstention
        Known phrases become structures, unknown ones stay free text for text backbones; key slices become anchors, in
        the order of the targets. ``prompt`` is the names alone. Abstains with the code ``empty-answer``,
        ``answer-too-long``, ``answer-unreadable``, ``alternatives``, ``refusal``, ``negation``, ``ambiguous-term``,
        ``side-needed``, ``side-only``, ``side-contradictory``, ``level-needed``, ``no-such-structure``,
        ``hedged``, ``reference-missing``, ``not-a-phrase`` or ``anchor-malformed``.
    """
    if len(text) > MAX_WRITTEN:
        return _too_long()
    if any(_unreadable(character) for character in text):
        return Abstention("answer-unreadable", "The answer holds hidden control characters.", WHICH)
    read = _read(text, load_vocabulary())
    if isinstance(read, Abstention):
        return read
    targets = tuple(read)
    anchors = tuple(Anchor(n, d.index, d.boxes, d.axis) for n, drawn in enumerate(read.values()) for d in drawn)
    return TargetSpec(prompt=render(TargetSpec("", targets)), targets=targets, anchors=anchors)


def _too_long() -> Abstention:
    return Abstention("answer-too-long", "The answer is too long to be a list of structures.", WHICH)


def _unreadable(character: str) -> bool:
    """Control, bidi, zero-width, private and unassigned characters: what is shown would not be what is executed."""
    return unicodedata.category(character)[0] == "C" and character not in "\t\n\r"


def _read(text: str, known: Vocabulary) -> _Targets | Abstention:
    text = unicodedata.normalize("NFKC", text)
    if not text.strip():
        return Abstention("empty-answer", "The answer is empty.", WHICH)
    if normalise(text) == "n a":
        return Abstention("refusal", "The answer names no structure.", WHICH)
    if _OR.search(text):
        return Abstention(
            "alternatives", "The answer offers alternatives instead of naming what to segment.", "Which one is meant?"
        )
    pieces = split_anchors(text)
    if isinstance(pieces, Abstention):
        return pieces
    if sum(len(piece.text) for piece in pieces) > MAX_ANSWER:
        return _too_long()
    phrases = _all_phrases(pieces, known)
    if isinstance(phrases, Abstention):
        return phrases
    if not phrases:
        return Abstention("empty-answer", "The answer names nothing.", WHICH)
    if len(phrases) > MAX_TARGETS:
        return Abstention("answer-too-long", f"The answer names more than {MAX_TARGETS} structures.", WHICH)
    targets: _Targets = {}
    for phrase in phrases:
        target = target_for(phrase.text, known)
        if isinstance(target, Abstention):
            return target
        targets[target] = tuple(dict.fromkeys((*targets.get(target, ()), *phrase.drawn)))
    return targets


def _all_phrases(pieces: Sequence[Piece], known: Vocabulary) -> list[_Phrase] | Abstention:
    """The phrases of all pieces, each with the key slices that stand behind it."""
    phrases: list[_Phrase] = []
    for piece in pieces:
        texts = _phrases(piece.text, known)
        if piece.drawn and not texts:
            return misplaced()
        phrases += [_Phrase(text) for text in texts]
        if piece.drawn:
            phrases[-1] = _Phrase(phrases[-1].text, piece.drawn)
    return _attach_sides(phrases)


def _phrases(text: str, known: Vocabulary) -> list[str]:
    """Noun phrases in order. Quotes bind strongest, then commas and lines, then the longest known name with "and"."""
    found: list[str] = []
    end = 0
    for quoted in _QUOTED.finditer(text):
        found += _unquoted(text[end : quoted.start()], known)
        found.append(quoted[1])
        end = quoted.end()
    found += _unquoted(text[end:], known)
    return [phrase for phrase in found if any(character.isalnum() for character in phrase)]


def _unquoted(text: str, known: Vocabulary) -> list[str]:
    found: list[str] = []
    for clause in _HARD.split(text):
        if not is_structure(clause, known):  # "1. Rippe" is the first rib, "1. spleen" an item of a list
            clause = _BULLET.sub("", clause)
        clause = _LOOSE_AND.sub("", clause.strip())
        parts = _SOFT.split(clause)
        start = 0
        while start < len(parts):
            for stop in range(min(len(parts), start + _LONGEST_NAME), start, -1):
                phrase = " and ".join(parts[start:stop])
                if stop == start + 1 or is_structure(phrase, known):
                    break
            found.append(phrase)
            start = stop
    return found


def _attach_sides(phrases: list[_Phrase]) -> list[_Phrase] | Abstention:
    """Give a side that stands alone its noun: "left and right kidney", "kidney, left"."""
    alone = [is_side_only(phrase.text) for phrase in phrases]
    if not any(alone) or all(alone):
        return phrases
    attached: list[_Phrase] = []
    bare: set[int] = set()  # phrases that a later side replaces
    for index, phrase in enumerate(phrases):
        if not alone[index]:
            attached.append(phrase)
            continue
        later = next((at for at in range(index + 1, len(phrases)) if not alone[at]), None)
        earlier = next((at for at in range(index - 1, -1, -1) if not alone[at]), None)
        base = phrases[later if later is not None else earlier or 0].text
        sided = with_side(phrase.text, base)
        attached.append(_Phrase(sided, phrase.drawn))
        if later is None and earlier is not None and sided.split()[1:] == base.split():
            bare.add(earlier)
    if any(phrases[index].drawn for index in bare):
        return misplaced()
    return [phrase for index, phrase in enumerate(attached) if index not in bare]
