"""Turns a reasoner's answer into what a backbone executes, and back: strictly, never by guessing."""

from __future__ import annotations

import re
import unicodedata

from ..values import Abstention, Target, TargetSpec
from .normalise import normalise
from .phrase import WHICH, is_side_only, is_structure, target_for, with_side
from .vocabulary import Vocabulary, load_vocabulary

__all__ = ["MAX_ANSWER", "MAX_TARGETS", "render", "resolve_answer"]

MAX_ANSWER = 8_000
"""Longest answer read, in characters: all 117 names of the largest label set, one by one, are shorter."""

MAX_TARGETS = 128
"""Most targets in one answer: more than the 117 classes of the largest label set."""

_LONGEST_NAME = 4  # parts that "and" joins in one name: "portal vein and splenic vein" has two

_OR = re.compile(r"\b(?:or|oder|ou|either|versus|vs)\b|[^\W\d_]\s*/\s*[^\W\d_]|或|または", re.IGNORECASE)
_HARD = re.compile(r"[,;\n\r、;]")
_BULLET = re.compile(r"^\s*(?:[-*•·]+|\(?\d{1,3}[.)]\s)\s*")
_SOFT = re.compile(r"\s+(?:and|plus)\s+|\s*[&+]\s*", re.IGNORECASE)
_LOOSE_AND = re.compile(r"^(?:(?:and|plus)\s+)+|(?:\s+(?:and|plus))+$|^(?:and|plus)$", re.IGNORECASE)
_QUOTED = re.compile(r'["“”„«»]([^"“”„«»]*)["“”„«»]')


def render(spec: TargetSpec) -> str:
    """The canonical answer of a spec: its targets' names, joined so that :func:`resolve_answer` gives the spec back."""
    known = load_vocabulary()
    texts = [target.text for target in spec.targets]
    if not texts:
        return ""
    quoted = [target.text if target.structure else f'"{target.text}"' for target in spec.targets]
    natural = texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
    for candidate in (natural, "; ".join(texts)):
        if _read(candidate, known) == spec.targets:
            return candidate
    return "; ".join(quoted)


def resolve_answer(text: str) -> TargetSpec | Abstention:
    """Read an answer: one or more noun phrases joined by "and", commas, semicolons or a list.

    Parameters
    ----------
    text
        The content of ``<answer>``, or what a user typed in its place. A phrase in double quotes is taken whole.

    Returns
    -------
    TargetSpec or Abstention
        Known phrases become structures, unknown ones stay free text for text backbones. Abstains with the code
        ``empty-answer``, ``answer-too-long``, ``answer-unreadable``, ``alternatives``, ``refusal``, ``negation``,
        ``ambiguous-term``, ``side-needed``, ``side-only``, ``side-contradictory``, ``level-needed``,
        ``no-such-structure`` or ``not-a-phrase``.
    """
    if len(text) > MAX_ANSWER:
        return Abstention("answer-too-long", "The answer is too long to be a list of structures.", WHICH)
    if any(_unreadable(character) for character in text):
        return Abstention("answer-unreadable", "The answer holds hidden control characters.", WHICH)
    targets = _read(text, load_vocabulary())
    if isinstance(targets, Abstention):
        return targets
    return TargetSpec(prompt=render(TargetSpec("", targets)), targets=targets)


def _unreadable(character: str) -> bool:
    """Control, bidi, zero-width, private and unassigned characters: what is shown would not be what is executed."""
    return unicodedata.category(character)[0] == "C" and character not in "\t\n\r"


def _read(text: str, known: Vocabulary) -> tuple[Target, ...] | Abstention:
    text = unicodedata.normalize("NFKC", text)
    if not text.strip():
        return Abstention("empty-answer", "The answer is empty.", WHICH)
    if normalise(text) == "n a":
        return Abstention("refusal", "The answer names no structure.", WHICH)
    if _OR.search(text):
        return Abstention(
            "alternatives", "The answer offers alternatives instead of naming what to segment.", "Which one is meant?"
        )
    phrases = _attach_sides(list(_phrases(text, known)))
    if not phrases:
        return Abstention("empty-answer", "The answer names nothing.", WHICH)
    if len(phrases) > MAX_TARGETS:
        return Abstention("answer-too-long", f"The answer names more than {MAX_TARGETS} structures.", WHICH)
    targets: dict[Target, None] = {}
    for phrase in phrases:
        target = target_for(phrase, known)
        if isinstance(target, Abstention):
            return target
        targets[target] = None
    return tuple(targets)


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


def _attach_sides(phrases: list[str]) -> list[str]:
    """Give a side that stands alone its noun: "left and right kidney", "kidney, left"."""
    alone = [is_side_only(phrase) for phrase in phrases]
    if not any(alone) or all(alone):
        return phrases
    attached: list[str] = []
    bare: set[int] = set()  # phrases that a later side replaces
    for index, phrase in enumerate(phrases):
        if not alone[index]:
            attached.append(phrase)
            continue
        later = next((at for at in range(index + 1, len(phrases)) if not alone[at]), None)
        earlier = next((at for at in range(index - 1, -1, -1) if not alone[at]), None)
        base = phrases[later if later is not None else earlier or 0]
        attached.append(with_side(phrase, base))
        if later is None and earlier is not None and with_side(phrase, base).split()[1:] == base.split():
            bare.add(earlier)
    return [phrase for index, phrase in enumerate(attached) if index not in bare]
