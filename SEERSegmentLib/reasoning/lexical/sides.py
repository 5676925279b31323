"""The side that is meant: said beside a name, taken from what describes it, or told elsewhere in the text."""

from __future__ import annotations

from collections.abc import Sequence

from ...values import Side
from .findings import asks_normal, side_by_size, side_by_state, side_by_words, side_not_normal
from .lexicon import Ref
from .meanings import noun
from .mention import Mention, SideWord
from .outcome import Question
from .reading import Reading

__all__ = ["agreed_side", "anchor_sides", "check_not_gone", "side_for"]


def side_for(mention: Mention, reading: Reading, ref: Ref, *, excluded: bool = False) -> Side | None:
    """The side of a paired structure; None for both. Raises Question where it is contradictory or can't be told."""
    concept = ref.concept
    name = noun(reading, ref)
    if ref.side is not Side.NONE:
        said = {s.value for s in mention.sides if s.value in ("left", "right") and not s.negated}
        if said and said != {ref.side.value}:
            _check_joined(mention, reading, name)
            return None
        check_not_gone(concept, ref.side, mention, reading)
        return ref.side
    positive = [s for s in mention.sides if not s.negated]
    both = [s for s in positive if s.value == "both"]
    if len({s.value for s in positive} & {"left", "right"}) == 1:
        several = _of_several(mention, reading)  # "both floating ribs on the right", "scapula + clavicle, both left"
        both = [s for s in both if s.text.casefold() not in _LOOSELY_BOTH and not several]
    if both:
        return None
    side = agreed_side(mention, reading, name)
    if side is None and {"left", "right"} <= {s.value for s in positive}:
        return None
    if side is not None and side is not Side.NONE:
        check_not_gone(concept, side, mention, reading)
        return side
    negated = {s.value for s in (*mention.sides, *reading.sides) if s.negated and s.value in ("left", "right")}
    if len(negated) == 1 and not excluded:
        side = Side(negated.pop()).opposite
        reading.say(f"The {side.opposite.value} one is not wanted, so the {side.value} {name} is meant.")
        return side
    other = [s for s in (*positive, *(x for x in reading.sides if not x.used)) if s.value in ("other", "same")]
    if other:
        return _other_side(mention, reading, concept, name, other[-1])
    if gone := _gone_side(concept, reading):
        reading.say(f"The {gone.value} {name} is gone, so the {gone.opposite.value} one is meant.")
        return gone.opposite
    anchors = anchor_sides(mention, reading)
    if len(anchors) == 1:
        side = Side(anchors.pop())
        reading.say(f"The side comes from what it is told by: {side.value}.")
        return side
    if mention.joined_to is not None and (inherited := _side_of_joined(mention.joined_to)):
        reading.say(f"“{mention.text}” takes the side said before it: {inherited.value}.")
        return inherited
    if not excluded and mention.item.counted is not None and (loose := _loose_side(mention, reading)):
        return loose
    if excluded or mention.item.plural or mention.quantified or _plural_term(reading, mention):
        return None
    return _side_from_text(mention, reading, concept, name)


def _loose_side(mention: Mention, reading: Reading) -> Side | None:
    """ "Flail segment rt side, 4th to 7th ribs": the only side of the clause, told of no other structure."""
    taken = {id(s) for m in reading.of("structure", "outside") for s in m.sides}
    own = [s for s in reading.sides if id(s) not in taken and not s.negated and not s.frame]
    values = {s.value for s in own}
    return (
        Side(values.pop()) if len(values) == 1 and values <= {"left", "right"} and len(reading.request) == 1 else None
    )


def _of_several(mention: Mention, reading: Reading) -> bool:
    counted = mention.item.counted
    listed = mention.joined_to is not None or any(m.joined_to is mention for m in reading.mentions)
    return listed or (counted is not None and len(counted.levels) > 1)


_LOOSELY_BOTH = frozenset({"paired", "either side", "each side", "on either side", "on each side"})
"""Words that describe a pair and don't ask for both: "the paired muscle beside the spine, the left one"."""


def _plural_term(reading: Reading, mention: Mention) -> bool:
    return any(s.value == "both" for s in reading.sides if s.segment == mention.segment and not s.used)


def agreed_side(mention: Mention, reading: Reading, noun: str) -> Side | None:
    """The side that the words beside a mention agree on; NONE without words, None where both are meant."""
    words = [s for s in mention.sides if s.value in ("left", "right") and not s.negated]
    if not words:
        return Side.NONE
    patient = [s for s in words if s.frame == "patient"]
    words = _alone_wanted(words, reading, mention) or words
    if patient:
        words = patient
    elif any(s.frame == "screen" for s in words):
        screen = [s for s in words if s.frame == "screen"]
        values = {s.value for s in screen}
        if len(values) == 1:
            side = Side(values.pop()).opposite
            reading.say(
                f"“{screen[0].text}” is the screen's side; in radiological display that is the patient's {side.value}."
            )
            return side
    values = {s.value for s in words}
    if len(values) == 1:
        return Side(values.pop())
    joint = _between_words(words, reading, mention)
    if joint == "or":
        raise Question(
            "alternatives",
            f"The request leaves open which {noun}: {words[0].text} or {words[-1].text}.",
            f"Which {noun} do you want: left, right, or both?",
            _both_ways(noun),
        )
    if joint == "and":
        return None
    raise _contradiction(mention, noun)


def _alone_wanted(words: Sequence[SideWord], reading: Reading, mention: Mention) -> list[SideWord]:
    """ "wasting L > R, do the L only": the side that "only" follows."""
    if len({s.value for s in words}) < 2 or not 0 <= mention.clause < len(reading.clauses):
        return []
    items = reading.clauses[mention.clause].items
    said = [s for s in reading.sides if s.value in ("left", "right") and not s.negated and 0 <= s.at < len(items) - 1]
    return [s for s in said if items[s.at].text == s.text and "only" in items[s.at + 1].kinds]


def _check_joined(mention: Mention, reading: Reading, noun: str) -> None:
    """A side word beside a term that has the other side in it: "left or right kidney"."""
    items = reading.clauses[mention.clause].items
    word = next(s for s in mention.sides if s.value in ("left", "right") and not s.negated)
    between = items[min(word.at, mention.at) + 1 : max(word.at, mention.at)]
    if any("or" in i.kinds for i in between):
        raise Question(
            "alternatives",
            f"The request leaves open which {noun} is meant.",
            f"Which {noun} do you want: left, right, or both?",
            _both_ways(noun),
        )
    if not any("plus" in i.kinds or i.text in ("+", "&") for i in between):
        raise _contradiction(mention, noun)


def _contradiction(mention: Mention, noun: str) -> Question:
    words = " and ".join(f"“{s.text}”" for s in mention.sides if s.value in ("left", "right")) or f"“{mention.text}”"
    return Question(
        "side-contradictory",
        f"The request names both sides for one {noun}: {words} with “{mention.text}”.",
        f"Which side is meant: the left {noun} or the right {noun}?",
        _both_ways(noun),
    )


def _both_ways(noun: str) -> tuple[str, ...]:
    return f"left {noun}", f"right {noun}", f"both sides: left {noun} and right {noun}"


def _between_words(words: Sequence[SideWord], reading: Reading, mention: Mention) -> str:
    """How two opposite side words are joined: "and", "or", or not at all."""
    clause = reading.clauses[mention.clause]
    first, last = sorted((words[0].at, words[-1].at))
    between = clause.items[first + 1 : last]
    if any("or" in i.kinds for i in between):
        return "or"
    if any("plus" in i.kinds or i.norm in ("then", "separately") or i.text in ("+", "&") for i in between):
        return "and"
    if any(i.text == "/" for i in between) and last - first <= 2:
        return "and" if mention.item.plural or mention.quantified else "or"
    if any(i.text in (",", ";") for i in between) and mention.item.plural:
        return "and"
    return ""


def anchor_sides(mention: Mention, reading: Reading) -> set[str]:
    """Sides of what a mention is described by: "the gland above the right kidney"."""
    found: set[str] = set()
    for anchor in reading.mentions:
        if anchor.head is mention and anchor.role == "anchor":
            told = {s.value for s in anchor.sides if s.value in ("left", "right") and not s.negated}
            if any(s.value == "other" for s in anchor.sides):  # "contralateral to the right hip"
                told = {Side(value).opposite.value for value in told}
            found |= told
            found |= {ref.side.value for ref in anchor.item.refs if ref.side is not Side.NONE}
    return found


def _side_of_joined(mention: Mention) -> Side | None:
    seen: Mention | None = mention
    while seen is not None:
        values = {s.value for s in seen.sides if s.value in ("left", "right") and not s.negated}
        values |= {ref.side.value for ref in seen.item.refs if ref.side is not Side.NONE}
        if len(values) == 1:
            return Side(values.pop())
        seen = seen.joined_to
    return None


def _other_side(mention: Mention, reading: Reading, concept: str, noun: str, word: SideWord) -> Side:
    known = _gone_side(concept, reading)
    sides = [known] if known else _sides_in_text(reading)
    distinct = list(dict.fromkeys(sides))
    if not distinct:
        raise Question(
            "reference-missing",
            f"“{word.text}” refers to a side that the request doesn't name.",
            f"Which {noun} do you want: left or right?",
            _both_ways(noun)[:2],
        )
    if len(distinct) > 1 and known is None and word.value == "same":
        affected = not word.text.casefold().startswith(("this", "that", "same", "ipsi", "on that"))
        pointed = side_not_normal(reading) if affected else _side_before(word, reading)
        distinct = [pointed] if pointed is not None else distinct
    if len(distinct) > 1 and known is None:
        raise Question(
            "reference-missing",
            f"It isn't clear which side “{word.text}” refers to.",
            f"Which {noun} do you want?",
            _both_ways(noun)[:2],
        )
    side = distinct[0] if word.value == "same" else distinct[0].opposite
    reading.say(f"“{word.text}”: the text speaks of the {distinct[0].value} side, so the {side.value} {noun} is meant.")
    return side


def _side_before(word: SideWord, reading: Reading) -> Side | None:
    """The side spoken of last before "that side"."""
    last: Side | None = None
    for clause in reading.clauses:
        for item in clause.items:
            if item.text == word.text and item.value("side") == "same":
                return last
            if item.value("side") in ("left", "right"):
                last = Side(item.value("side"))
            elif item.refs and item.refs[0].side is not Side.NONE:
                last = item.refs[0].side
    return None


def _sides_in_text(reading: Reading) -> list[Side]:
    patient = [s for s in reading.sides if s.frame == "patient" and not s.negated]
    found = [Side(s.value) for s in patient if s.value in ("left", "right")]
    for clause in reading.clauses:
        if clause.role.value in ("quoted", "steering"):
            continue
        for item in clause.items:
            value = item.value("side") or item.value("patientside")
            if value in ("left", "right"):
                found.append(Side(value))
            found += [ref.side for ref in item.refs[:1] if ref.side is not Side.NONE]
    return found


def _gone_side(concept: str, reading: Reading) -> Side | None:
    for gone in reading.gone:
        if gone.side is not Side.NONE and gone.concept in (concept, "*"):
            return gone.side
    return None


def check_not_gone(concept: str, side: Side, mention: Mention, reading: Reading) -> None:
    for gone in reading.gone:
        if gone.concept == concept and gone.side is side and mention.role == "wanted" and _plainly(gone.words):
            where = f"{side.value} " if side is not Side.NONE else ""
            raise Question(
                "structure-removed",
                f"The text says that the {where}{concept.replace('_', ' ')} was removed (“{gone.words}”).",
                f"Do you still want the {where}{mention.text}, or another structure?",
                (f"{side.opposite.value} {concept.replace('_', ' ')}",) if side is not Side.NONE else (),
            )


def _plainly(words: str) -> bool:
    return "ectomy" in words.casefold() or "removed" in words.casefold()


def _side_from_text(mention: Mention, reading: Reading, concept: str, noun: str) -> Side:
    """No side beside the mention: the one told of the same structure, or the only one the text speaks of."""
    by_words = side_by_words(reading) if mention.kind == "head" else None
    for told in (side_by_size(reading, concept), side_by_state(mention, reading, concept), by_words):
        if told is not None:
            reading.say(f"By what the text tells of each side, the {told.value} {noun} is meant.")
            return told
    for strictness in (2, 1, 0):  # told as abnormal, not told as normal, any
        for clause in reversed(reading.clauses):
            if clause.role.value in ("quoted", "steering"):
                continue
            if (strictness and clause.has("normal")) or (strictness == 2 and not clause.has("abnormal", "disease")):
                continue
            sides: set[Side] = set()
            for at, item in enumerate(clause.items):
                same = any(r.concept == concept for r in item.refs) or (
                    item.disease is not None and concept in item.disease.structures
                )
                if same:
                    sides |= {r.side for r in item.refs if r.side is not Side.NONE}
                    near = [i.value("side") for i in clause.items[max(0, at - 3) : at + 4]]
                    sides |= {Side(v) for v in near if v in ("left", "right")}
            cleared = not strictness and clause.has("normal") and not clause.has("abnormal", "disease")
            if cleared and reading.context and not asks_normal(mention, reading):
                continue  # "right psoas normal" doesn't make the right one the one that is meant
            if len(sides) == 1:
                side = sides.pop()
                reading.say(f"The side of the {noun} comes from “{clause.text.strip()[:80]}”: {side.value}.")
                return side
    asked = {Side(s.value) for s in reading.sides if s.value in ("left", "right") and not s.negated and not s.frame}
    if len(asked) == 1:
        side = asked.pop()
        reading.say(f"The request speaks of the {side.value} side, so the {side.value} {noun} is meant.")
        return side
    if (told := side_not_normal(reading)) is not None:
        reading.say(
            f"Of the {told.value} side alone the text tells something that isn't normal: the {told.value} {noun}."
        )
        reading.doubts.append(f"the side of the {noun} was taken from the text around the request")
        return told
    everywhere: set[Side] = set(_sides_in_text(reading))
    if len(everywhere) == 1:
        side = everywhere.pop()
        reading.say(f"The text speaks of the {side.value} side only, so the {side.value} {noun} is meant.")
        return side
    if (most := _side_told_most(reading)) is not None:
        reading.say(f"The text tells mostly of the {most.value} side, so the {most.value} {noun} is meant.")
        reading.doubts.append(f"the side of the {noun} was taken from what most of the text speaks of")
        return most
    raise Question(
        "side-needed",
        f"The request doesn't say which {noun} is meant.",
        f"Which {noun} do you want: left, right, or both?",
        _both_ways(noun),
    )


def _side_told_most(reading: Reading) -> Side | None:
    """The side of which the text around the request tells twice as much, not counting what it is compared with."""
    count = {Side.LEFT: 0, Side.RIGHT: 0}
    for clause in reading.context:
        compared = False
        for item in clause.items:
            compared = item.norm in _COMPARED or (compared and not item.mark)
            value = item.value("side") or next((r.side.value for r in item.refs[:1]), "")
            if value in ("left", "right") and not compared:
                count[Side(value)] += 1
    more, fewer = sorted(count, key=lambda side: -count[side])
    return more if count[more] >= 2 * count[fewer] and count[more] > 0 else None


_COMPARED = frozenset({"than", "versus", "vs", "below the", "compared with", "compared to", "below", "against"})
