"""Does the answer contradict the rationale before it? Only where that is plain is anything said.

The reading of sides is the one that checks an answer against a request (:mod:`SEERSegmentLib.grounding.request_sides`).
A rationale says more than a request, though: it weighs, corrects and quotes. So a rationale that turns somewhere, or
names the answer's own side or level anywhere, is left alone.
"""

from __future__ import annotations

from ...anatomy import load_vocabulary, normalise, side_words
from ...grounding.request_sides import MAX_CHARACTERS, requested_side
from ...values import Finding, Severity, Side, Target, TargetSpec
from .shown import word_set

__all__ = ["contradictions"]

#: A rationale with one of these may name a side or level to say that it is not the one.
_TURNS = word_set(
    "but however although though instead rather yet despite nevertheless nonetheless whereas while unlike not no never"
    " wrong wrongly error mistake mistaken mistyped typo corrected correct correction contradicts contradiction"
    " conflict conflicts mismatch discrepancy swapped flipped mirrored reversed inverted opposite contralateral other"
    " actually really mislabeled misspelled excluded screen display displayed viewer"
)
#: A level beside one of these may be where the count starts.
_RELATIONS = word_set(
    "above below under beneath over next adjacent neighboring between from counting count counted superior inferior"
    " caudal cranial after before following preceding first last one two down up than through to"
)
#: Beside one of these T1 and T2 are weightings of MR, not vertebrae.
_WEIGHTINGS = word_set(
    "signal weighted weighting flair hyperintense hypointense isointense sequence sequences mr mri gadolinium"
)
_MAX_TERM = 6
_MAX_RATIONALE = MAX_CHARACTERS  # a longer one would be read in part only


def contradictions(rationale: str, spec: TargetSpec) -> tuple[Finding, ...]:
    """Findings ``side-contradicts-rationale`` (blocking) and ``level-contradicts-rationale`` (a warning)."""
    if len(rationale) > _MAX_RATIONALE:
        return ()
    words = normalise(rationale).split()
    if not _TURNS.isdisjoint(words):
        return ()
    found = (_side(rationale, words, target, spec) or _level(words, target, spec) for target in spec.targets)
    return tuple(finding for finding in found if finding is not None)


def _side(rationale: str, words: list[str], target: Target, spec: TargetSpec) -> Finding | None:
    if target.side is Side.NONE:
        return None
    table = side_words(ambiguous=True)
    told = requested_side(rationale, _place(target))
    if told is not target.side.opposite or any(table.get(word) is target.side for word in words):
        return None
    if any(other.side is told for other in spec.targets):
        return None  # what the rationale says of the other side may be about that one
    return Finding(
        "side-contradicts-rationale",
        Severity.ERROR,
        f"The model's rationale speaks of the {told.value} side, but its answer is the {target.text}.",
        blocking=True,
        target=target.text,
        advice="Correct the side in the answer, or ask again.",
    )


def _place(target: Target) -> Target:
    """What of a free text has a side: the left temporal lobe of "mass in the left temporal lobe"."""
    known = load_vocabulary()
    if target.structure:
        return target
    words = [word for word in normalise(target.text).split() if word not in side_words()]
    for length in range(min(_MAX_TERM, len(words)), 0, -1):
        for at in range(len(words) - length + 1):
            for entry in known.keys.get(" ".join(words[at : at + length]), ()):
                if structure := known.structure_for(entry.concept_or_id, target.side):
                    return Target(structure.name, structure.id, structure.side)
    return target


def _level(words: list[str], target: Target, spec: TargetSpec) -> Finding | None:
    structure = load_vocabulary().structures.get(target.structure)
    if structure is None or not target.level or not _RELATIONS.isdisjoint(words):
        return None
    told = _levels(words, structure.concept) - (set() if _WEIGHTINGS.isdisjoint(words) else {"T1", "T2"})
    answered = {other.level for other in spec.targets}
    if not told or not told.isdisjoint(answered):
        return None
    return Finding(
        "level-contradicts-rationale",
        Severity.WARNING,
        f"The model's rationale speaks of {', '.join(sorted(told))}, but its answer is the {target.text}.",
        target=target.text,
        advice="Check the level in the image.",
    )


def _levels(words: list[str], concept: str) -> set[str]:
    """Levels of a concept that are named: L3 of the vertebrae, 7 of the ribs."""
    known, found, at = load_vocabulary(), set[str](), 0
    while at < len(words):
        step = 1
        for length in range(min(_MAX_TERM, len(words) - at), 0, -1):
            entries = known.keys.get(" ".join(words[at : at + length]), ())
            levels = [
                level
                for entry in entries
                for structure in (known.structures.get(entry.concept_or_id),)
                if (structure.concept if structure else entry.concept_or_id) == concept
                and (level := entry.level or (structure.level if structure else ""))
            ]
            if entries:
                found.update(levels)
                step = length
                break
        at += step
    return found
