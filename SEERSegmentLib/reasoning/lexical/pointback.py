"""Words that point back into the report: "the bleeding organ", "the aberrant vessel", "the preserved one"."""

from __future__ import annotations

from collections import Counter, defaultdict

from ...anatomy import has_labels
from ...values import Modality, Side
from .describe import kinds_of, load_descriptions
from .findings import Phrase, asks_normal, phrases, refs_of, whole_of, words_of_request
from .items import Item
from .lexicon import Ref
from .mention import Mention, SideWord, as_mention
from .outcome import Question
from .reading import Reading
from .resolve import resolve, resolve_ref

__all__ = ["only_of_kind", "pointed_at", "told_levels", "told_with"]

_CLEARLY = 1.5  # by how much the best must exceed the next


def told_levels(reading: Reading) -> list[str] | None:
    """ "the broken ribs", "the collapsed vertebrae": those that the text tells as abnormal, by number."""
    for mention in reading.of("structure"):
        kind = next((_COLUMNS[r.concept] for r in mention.item.refs if r.concept in _COLUMNS), "")
        items = reading.clauses[mention.clause].items
        if not kind or not any(i.kinds & {"abnormal", "disease"} for i in items[max(0, mention.at - 2) : mention.at]):
            continue
        found: list[str] = []
        for phrase in phrases(reading):
            for item in phrase.named if phrase.abnormal and not phrase.normal else ():
                if item.counted is None or item.counted.kind != kind or item.counted.missing:
                    continue
                told = as_mention(item)
                told.sides = [SideWord(next(iter(phrase.sides)), item.text, 0, 0)] if len(phrase.sides) == 1 else []
                found += resolve(told, reading)
        if found:
            reading.say(f"“{mention.text}”: those that the text tells as abnormal.")
            return list(dict.fromkeys(found))
    return None


_COLUMNS = {"ribs": "rib", "rib": "rib", "vertebrae": "vertebra", "vertebra": "vertebra"}


def pointed_at(reading: Reading) -> list[str] | None:
    """ "those ribs", "that level", "whole lobe please": those of its kind that the text names, if clear."""
    for mention in reading.of("head", "structure"):
        items = reading.clauses[mention.clause].items
        before = items[max(0, mention.at - 3) : mention.at]
        noun = mention.item.value("levelnoun") or mention.item.value("head")
        points = any(i.norm in _THAT for i in before)
        whole = any(i.norm in ("whole", "entire") for i in before) and noun == "lobe"
        if mention.item.refs and mention.item.refs[0].concept == "body" and points:
            noun = "vertebra"  # "that body only"
        noun = "vertebra" if noun in ("C", "T", "L") else noun
        if noun not in _POINTED or not (points or whole) or (mention.item.counted is not None):
            continue
        many = (
            mention.item.plural or mention.item.norm.endswith("s") or any(i.norm in ("those", "these") for i in before)
        )
        named = _named_of(noun, reading)
        if many and not named and mention.kind == "structure" and not reading.context:
            raise Question(
                "reference-missing",
                f"“{mention.text}” points to some that the request doesn't name.",
                f"Which {mention.text} do you mean?",
            )
        if not many and len(named) > 1:
            best = max(score for _, _, score in named)
            named = [entry for entry in named if entry[2] == best]
        if not named or (len({i.norm for i, _, _ in named}) > 1 and not many):
            continue
        found: list[str] = []
        for item, phrase, _ in named:
            told = as_mention(item)
            told.sides = [SideWord(next(iter(phrase.sides)), item.text, 0, 0)] if len(phrase.sides) == 1 else []
            found += resolve(told, reading)
        reading.say(f"“{mention.text}” points to {', '.join(f'“{i.text}”' for i, _, _ in named)}.")
        reading.spent.update({id(m): "it points back" for m in reading.of("head", "structure") if m is not mention})
        return list(dict.fromkeys(found))
    return None


_THAT = frozenset({"that", "those", "these", "this", "same"})
_POINTED = frozenset({"vertebra", "rib", "disc", "lobe"})


def _named_of(noun: str, reading: Reading) -> list[tuple[Item, Phrase, float]]:
    """Names of a kind in the text around the request, each with how much of the request is told of it."""
    said = words_of_request(reading)
    found: dict[str, tuple[Item, Phrase, float]] = {}
    for phrase in phrases(reading):
        if phrase.normal and not phrase.abnormal:
            continue
        score = 2.0 * len(phrase.told & said) + float(phrase.abnormal)
        for item in phrase.named:
            kind = item.counted.kind if item.counted is not None else ""
            lobe = noun == "lobe" and any("lobe" in r.concept and r.concept.startswith("lung_") for r in item.refs)
            level = any(r.concept == noun and r.level for r in item.refs)
            if (kind == noun or lobe or level) and score >= found.get(item.norm, (item, phrase, -1.0))[2]:
                found[item.norm] = (item, phrase, score)
    return list(found.values())


def only_of_kind(reading: Reading) -> list[str] | None:
    """ "SBRT to T6 … the bone as CTV": where the request only says the kind, the one of it that the text names."""
    heads = [m for m in reading.of("head") if "pron" not in m.item.kinds]
    kinds = {m.item.value("levelnoun") or m.item.value("head") for m in heads}
    if (
        not heads
        or kinds & {"", "any"}
        or words_of_request(reading)
        or reading.of("lesion", "condition", role="anchor")
    ):
        return None
    found: dict[str, tuple[Item, Phrase]] = {}
    for phrase in phrases(reading):
        for item in phrase.named:
            if item.disease is None and _is_kind(item, kinds):
                key = "/".join(item.counted.levels) if item.counted is not None else item.refs[0].concept
                found.setdefault(key, (item, phrase))
    if len(found) != 1:
        return None
    item, phrase = next(iter(found.values()))
    mention = as_mention(item)
    if len(phrase.sides) == 1:
        mention.sides = [SideWord(next(iter(phrase.sides)), item.text, 0, 0)]
    reading.say(f"“{item.text}” is the only {heads[0].text} that the text names.")
    return resolve(mention, reading)


def told_with(reading: Reading) -> list[str] | None:
    """ "the bleeding organ", "the aberrant vessel": the structure that the text tells with the same words."""
    heads = reading.of("head")
    said = words_of_request(reading)
    wants_normal = any(asks_normal(m, reading) for m in heads)
    if not heads or not reading.context or not (said or wants_normal) or any(_great(m, reading) for m in heads):
        return None
    own = phrases(reading)
    common = Counter(f for p in own for f in p.told & said)
    kinds = {m.item.value("head") for m in heads} - {"any", ""}
    sides = {s.value for m in heads for s in m.sides if s.value in ("left", "right") and not s.negated}
    scores: defaultdict[str, float] = defaultdict(float)
    landmarks: defaultdict[str, float] = defaultdict(float)
    best: dict[str, tuple[Item, Phrase]] = {}
    for phrase in own:
        score = sum(1 / common[f] for f in phrase.told & said)
        score += 0.5 * (wants_normal and phrase.normal and not phrase.abnormal)
        if not phrase.own and any(i.norm in _MINOR for i in phrase.items):
            continue  # "RUL, RML well aerated, trace atelectasis": not what is asked about
        if not score or (phrase.normal and not phrase.abnormal and not wants_normal):
            continue
        if sides and phrase.sides and not sides & phrase.sides:
            continue
        item = next((i for i in phrase.named if _is_kind(i, kinds)), None)
        if item is None and (concept := _by_landmark(phrase, kinds)):
            landmarks[concept] += score
        if item is not None:
            scores[item.norm] += score
            best.setdefault(item.norm, (item, phrase))
    if landmarks and not scores:
        concept = max(landmarks, key=lambda c: landmarks[c])
        reading.say(f"What the request tells is told of a part of the {concept.replace('_', ' ')}.")
        return resolve_ref(Ref(concept), heads[0], reading)
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    if not ranked or (len(ranked) > 1 and ranked[0][1] < _CLEARLY * ranked[1][1]):
        return None
    item, phrase = best[ranked[0][0]]
    mention = as_mention(item)
    told_sides = sides or phrase.sides
    if len(told_sides) == 1 and not any(r.side is not Side.NONE for r in refs_of(item)):
        mention.sides = [SideWord(next(iter(told_sides)), item.text, 0, 0)]
    whole = whole_of(item) if item.counted is None and item.refs and not _labelled(item) else ""
    if whole and kinds & kinds_of(whole):  # "the broken bone", of which the text tells the glenoid
        reading.say(f"“{item.text}” is part of the {whole.replace('_', ' ')}.")
        known = reading.lexicon.vocabulary.structures.get(whole)
        return [known.id] if known is not None and known.side.value else resolve_ref(Ref(whole), mention, reading)
    try:
        found = resolve_ref(refs_of(item)[0], mention, reading) if item.disease else resolve(mention, reading)
    except Question:
        return None  # a description may still tell
    reading.say(f"“{item.text}” is what the text tells with the request's words.")
    return found


_MINOR = frozenset({"trace", "minor", "minimal", "tiny", "trivial", "mild", "incidental", "incidentally"})


def _great(mention: Mention, reading: Reading) -> bool:
    """ "the great vein that the thrombus climbs into": not the one it comes from, of which the text tells the same."""
    items = reading.clauses[mention.clause].items
    before = items[mention.at - 1].norm if mention.at else ""
    return mention.item.value("head") in ("vein", "vessel") and before in _GREAT


_GREAT = frozenset({"great", "large", "largest", "main", "big", "biggest", "major"})


def _labelled(item: Item) -> bool:
    """Whether a label set has what an item names, on whichever side."""
    known = load_descriptions().lexicon.vocabulary
    ids = {s.id for ref in item.refs for s in known.by_concept(ref.concept)} | {ref.concept for ref in item.refs}
    return any(id in known.structures and has_labels(id, m) for id in ids for m in (Modality.CT, Modality.MR))


def _by_landmark(phrase: Phrase, kinds: set[str]) -> str:
    """The one structure that has a landmark which the phrase names: the lesser curve is the stomach's."""
    table = load_descriptions()
    for item in phrase.items:
        if "outside" in item.kinds:
            holders = table.holders(f"@{item.value('outside')}")
            if len(holders) == 1 and (not kinds or kinds & table.types.get(holders[0], set())):
                return holders[0]
    return ""


_NO_VERTEBRA = frozenset({"sacrum", "coccyx"})


def _is_kind(item: Item, kinds: set[str]) -> bool:
    if item.counted is not None:
        return not kinds or item.counted.kind in kinds or "bone" in kinds
    if not refs_of(item):
        return False
    table = load_descriptions()
    concept = refs_of(item)[0].concept
    if concept in _NO_VERTEBRA and "vertebra" in kinds:
        return False  # "slipped on the sacrum"
    known = table.lexicon.vocabulary
    structures = known.by_concept(concept) or ([known.structures[concept]] if concept in known.structures else [])
    own = {s.kind for s in structures} | table.types.get(concept, set()) | table.also.get(concept, set())
    if own & {"group", "region"}:
        return False
    return bool(own & kinds) if kinds else True
