"""What a request points to without naming or describing it: an adjective, its reason, the one missing or left."""

from __future__ import annotations

from ...values import Side
from .describe import kinds_of
from .fallback import ENOUGH, best_described
from .items import Item
from .lexicon import Ref
from .mention import as_mention
from .reading import Reading
from .resolve import resolve_ref

__all__ = ["from_context"]


def from_context(reading: Reading) -> list[str] | None:
    """What the request points to: adjectives, what it gives as its reason, the missing one, the one that is left."""
    for stage in (_other_than_excluded, _adjective, _what_is_left, _missing, _reason, _last_named, _described_loosely):
        found = stage(reading)
        if found:
            return found
    return None


def _other_than_excluded(reading: Reading) -> list[str] | None:
    """ "not the right kidney, the other one"."""
    if not any(s.value == "other" for s in reading.sides):
        return None
    known = reading.lexicon.vocabulary
    for mention in reading.of("structure", role="excluded"):
        for ref in mention.item.refs[:1]:
            side = ref.side.value or next((s.value for s in mention.sides if s.value in ("left", "right")), "")
            found = known.structure_for(ref.concept, Side(side).opposite, ref.level) if side else None
            if found is not None:
                reading.say(f"“{mention.text}” is not wanted; the other one is the {found.name}.")
                return [found.id]
    return None


def _adjective(reading: Reading) -> list[str] | None:
    """ "splenic volume": an adjective where a noun is missing."""
    for mention in reading.of("adjective", role="context"):
        found = resolve_ref(mention.item.refs[0], mention, reading)
        reading.say(f"“{mention.text}” names what is asked for.")
        return found
    return None


def _what_is_left(reading: Reading) -> list[str] | None:
    if not reading.gone or not (reading.asks("remain") or any(s.value == "other" for s in reading.sides)):
        return None
    gone = reading.gone[-1]
    if gone.concept == "*":
        return None
    known = reading.lexicon.vocabulary
    found = known.structure_for(gone.concept, gone.side.opposite)
    if found is None:
        return None
    reading.say(f"“{gone.words}” took the {gone.side.value} one; what is left is the {found.name}.")
    return [found.id]


def _missing(reading: Reading) -> list[str] | None:
    if not (reading.asks("missing") or reading.asks("pron")):
        return None
    for clause in reversed(reading.context):
        if clause.has("missing"):
            for item in clause.items:
                if item.refs and not clause.has("normal"):
                    reading.say(f"“{clause.text.strip()[:80]}” says which one is missing.")
                    return resolve_ref(item.refs[0], as_mention(item), reading)
    return None


def _reason(reading: Reading) -> list[str] | None:
    """Nothing but a reason is given: "for the spleen", "?hydro on the right"."""
    for mention in reading.mentions:
        if mention.role == "context" and mention.kind == "structure":
            reading.say(f"“{mention.text}” is the only structure the request names.")
            return resolve_ref(mention.item.refs[0], mention, reading) if mention.item.refs else None
    for mention in reading.mentions:
        disease = mention.item.disease
        if (
            disease is not None
            and len(disease.structures) == 1
            and mention.role in ("wanted", "context")
            and disease.kind != "sign"
        ):
            reading.say(f"“{mention.text}” sits in the {disease.structures[0].replace('_', ' ')}.")
            return resolve_ref(Ref(disease.structures[0]), mention, reading)
    return None


def _last_named(reading: Reading) -> list[str] | None:
    """ "Left kidney. Outline it please.": the structure that was named before, if it is the only one."""
    if not reading.asks("pron", "ask", "only", "side"):
        return None
    named: dict[str, Item] = {}
    for clause in reading.context:
        for item in clause.items:
            if item.sense("structure") and not clause.has("normal"):
                named[item.refs[0].concept] = item
    if len(named) != 1:
        return None
    item = next(iter(named.values()))
    kinds = {m.item.value("head") for m in reading.of("head")} - {"any", ""}
    if kinds and not kinds & kinds_of(item.refs[0].concept):
        return None  # "the bone" is not the ventricle
    reading.say(f"“{item.text}” is the only structure the text names.")
    ref, mention = item.refs[0], as_mention(item)
    if reading.sides:  # "outline the other one", "today the right only"
        ref, mention.sides = Ref(ref.concept, level=ref.level), reading.sides
    return resolve_ref(ref, mention, reading)


def _described_loosely(reading: Reading) -> list[str] | None:
    """ "Where the islets of Langerhans are": no noun to hold on to, only what the tables say of one structure."""
    told = [i for i in reading.request_items if not i.mark and not i.kinds and len(i.norm) > 3]
    if len(reading.request) != 1 or len(told) < _TELLING:
        return None
    return best_described(reading, set(), None, least=1.3 * ENOUGH)


_TELLING = 2  # words that say something, without a noun to hold on to
