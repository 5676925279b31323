"""What is asked for without being named: by description, by the disease, by what the text is about."""

from __future__ import annotations

from dataclasses import replace

from ...anatomy import has_labels
from ...values import Modality, Side
from .bonus import bonus, positive
from .describe import Described, features, load_descriptions
from .findings import phrases, refs_of, same_noun, words_of_request
from .lexicon import Ref
from .mention import Mention
from .outcome import Question
from .reading import Reading
from .resolve import resolve, resolve_ref
from .said_around import leading_verb
from .text import word_set

__all__ = ["ENOUGH", "best_described", "described", "generic_group", "plain_kind", "spoken_of"]

ENOUGH = 5.0
"""Least score of a description: about two features that one structure in twenty has."""

_UNLABELLED = 0.65
"""What a structure counts that no label set has: it is asked for less often, and by its name."""

_TOLD_ENOUGH = 3.0
"""The same for what the text around the request speaks of: few things can be meant."""

CLEAR = 1.002
"""By how much the best must exceed the next for it to be taken without asking, where little is told."""

_SURE = 2
"""Words that tell something, from which on the best is taken however close the next: who asks is served by a guess that
says so more than by a question, and approves it or not."""

CLOSE = 1.08
"""Up to here the next best is told as a doubt."""

_NO_SIDE = 0.75
"""From which share of the best score on something without a side is taken, where the best needs one."""

_SIZES = word_set("big large great small major main huge tiny vessel artery vein organ gland muscle bone")
_AROUND = 0.5  # a feature of the text around the request counts less than one of the request
_AROUND_NAMED = 0.3
_POINTED = 0.8  # what is told in one breath with a word of the request
_SAME_NOUN = 0.9  # what the text tells of the very noun that the request has


def generic_group(reading: Reading) -> list[str] | None:
    """ "bowel", "vertebrae": a kind of thing that is a group of its own when nothing describes it further."""
    for mention in reading.of("head"):
        if mention.item.sense("structure") and len([i for i in reading.request_items if not i.mark]) <= 6:
            if _one_of_many(mention):
                raise Question(
                    "target-unclear",
                    f"The request doesn't say which {mention.text} is meant.",
                    f"Which {mention.text} do you mean?",
                )
            reading.say(f"Asked for: {mention.told}.")
            return resolve(mention, reading)
    return None


def plain_kind(reading: Reading) -> list[str] | None:
    """ "Outline the cord.": a word that is a name too, where nothing says more of it."""
    for mention in reading.of("head"):
        item = mention.item
        named = item.sense("structure") is not None and item.value("head") == "any" and not item.value("levelnoun")
        others = [
            m
            for m in reading.mentions
            if m is not mention and m.role == "wanted" and m.kind not in ("pronoun", "condition")
        ]
        little = len(words_of_request(reading)) <= 1
        if named and not others and len(item.refs) == 1 and little and not mention.item.plural:
            reading.say(f"Asked for: {mention.told}.")
            return resolve(mention, reading)
    return None


def spoken_of(reading: Reading) -> list[str] | None:
    """What the text around a request speaks of most, where the request itself only points: "outline what comes out"."""
    told = any(item.disease or item.refs for clause in reading.context for item in clause.items if not item.mark)
    heads = reading.of("head")
    if not told or any(m.role == "excluded" for m in reading.mentions):
        return None
    kinds = {m.item.value("head") for m in heads}
    return best_described(reading, kinds, heads[0] if heads else None, least=_SPOKEN)


_SPOKEN = 4.0


def _one_of_many(mention: Mention) -> bool:
    """A single vertebra, rib or disc, and nothing says which; German "Wirbel" beside a plural is one itself."""
    if mention.item.norm == "wirbel" and (mention.joined_to is not None or not mention.at):
        return False
    return bool(mention.item.value("levelnoun")) and not (
        mention.item.plural or mention.quantified or mention.item.norm.endswith(("s", "ae"))
    )


def described(reading: Reading) -> list[str] | None:
    """The structure that the request describes, with the help of the text around it."""
    heads = reading.of("head")
    mention = heads[0] if heads else None
    for other in heads[1:]:
        if mention is not None and not mention.sides and other.clause == mention.clause:
            mention.sides = other.sides
    kinds = {i.value("head") for m in heads for i in (m.item,)}
    if mention is None and not _looks_described(reading):
        return None
    if kinds <= _VAGUE and any("pron" in m.item.kinds or m.kind == "pronoun" for m in reading.mentions):
        kinds |= _kinds_before(reading)
    if kinds & {"artery", "vein"}:
        kinds -= {"vessel"}  # "pelvic vessels: the vein"
    return best_described(reading, kinds, mention)


def _kinds_before(reading: Reading) -> set[str]:
    """ "Which muscle bled is obvious; can you contour it": what the pronoun stands for is called so just before."""
    first = next((n for n, c in enumerate(reading.clauses) if c in reading.request), 0)
    before = reading.clauses[first - 1].items if first else ()
    told = {i.value("levelnoun") or i.value("head") for i in before if "pron" not in i.kinds}
    return told - _VAGUE


def _looks_described(reading: Reading) -> bool:
    """Nothing stands for the target, but the request places it: "First portion of the small intestine"."""
    if any(leading_verb(clause.items) for clause in reading.request):
        return True
    placed = any(i.value("rel") not in ("", "of", "to", "with") for i in reading.request_items)
    return placed or reading.asks("missing", "disease", "adjective")


def best_described(
    reading: Reading, kinds: set[str], mention: Mention | None, least: float = ENOUGH
) -> list[str] | None:
    """The structure that fits best what the request and the text around it say, if it clearly does.

    Raises
    ------
    Question
        Where several fit about equally well.
    """
    wanted: dict[str, float] = {}
    words: dict[str, str] = {}
    for clause in reading.request[-40:]:
        for feature, text in features(positive(clause, reading)).items():
            wanted[feature] = 1.0
            words.setdefault(feature, text)
    for feature, (share, text) in _told_around(reading).items():
        if wanted.get(feature, 0.0) < share:
            wanted[feature] = share
            words.setdefault(feature, text)
    told = _told_of(reading)
    ranked = _ranked(wanted, kinds, reading, mention, told)
    added = _added(reading)
    if added and ranked:
        core = {f: share for f, share in wanted.items() if f.partition(":")[0].rpartition(">")[2] not in added}
        alone = _ranked(core, kinds, reading, mention, told)
        rank = {d.id: d.score for d in ranked}
        near = bool(alone) and rank.get(alone[0].id, 0.0) > _NEAR * ranked[0].score
        if near and alone[0].concept != ranked[0].concept and alone[0].score >= least and _says_more(alone[0]):
            ranked = alone
    best = ranked[0] if ranked else None
    if best is None or best.score < (_TOLD_ENOUGH if {best.concept, best.id} & told else least):
        return None
    telling = [f for f in best.shared if not f.startswith(("head:", "rel:"))]
    if not reading.context and all(set(words.get(f, "").casefold().split()) <= _SIZES for f in telling):
        return None  # "the big vessel" is not one of them
    said = {words.get(f, f) for f in telling}
    abnormal = {i.text for i in reading.request_items if "abnormal" in i.kinds}
    if kinds & {"vertebra", "rib", "disc"} and not reading.context and said <= abnormal | _plain_nouns(reading):
        return None  # "the collapsed vertebra", and no text to say which
    diseased = any(i.disease for i in reading.request_items)
    if len(said) < 2 and not kinds - _VAGUE and not diseased and not {best.concept, best.id} & told:
        return None  # one word, of anything: "the one next to the screw"
    whole = reading.lexicon.wider
    rivals = [d for d in ranked[1:] if d.concept != best.concept or (d.level != best.level)]
    rivals = [d for d in rivals if whole.get(d.id, (d.id,))[0] != whole.get(best.id, (best.id,))[0]]
    names = [_name(d, reading) for d in (best, *rivals[:2])]
    if rivals and best.score < CLOSE * rivals[0].score:
        reading.doubts.append(f"the description fits {names[1]} nearly as well as {names[0]}")
    if rivals and best.score < CLEAR * rivals[0].score and len(said) < _SURE:
        raise Question(
            "target-unclear",
            f"The description fits {' as well as '.join(names[:2])}.",
            "Which one do you mean?",
            tuple(names),
        )
    heard = list(dict.fromkeys(words[f] for f in best.shared if f in words))
    reading.heard = set(heard)
    reading.say(f"Described by {', '.join(f'“{t}”' for t in heard[:6]) or 'the text'}: {_name(best, reading)}.")
    try:
        return _resolved(best, ranked, reading, mention)
    except Question as question:  # who leaves out the side may mean something that has none
        single = next((d for d in ranked[1:] if d.side is Side.NONE and d.score > _NO_SIDE * best.score), None)
        if question.code != "side-needed" or single is None or _is_pair_of(single, best, reading):
            raise
        reading.doubts.append(f"the description fits {_name(best, reading)} better, of which no side is told")
        reading.say(f"No side is told, and the {_name(single, reading)} has none.")
        return _resolved(single, ranked, reading, mention)


def _plain_nouns(reading: Reading) -> set[str]:
    return {m.item.text for m in reading.of("head")}


def _is_pair_of(whole: Described, one: Described, reading: Reading) -> bool:
    return one.id in reading.lexicon.vocabulary.parts_closure(whole.id)


def _told_around(reading: Reading) -> dict[str, tuple[float, str]]:
    """Features of the text around a request: how much each counts, and its words.

    A phrase to which the request points, by a word of its own ("the torn muscle" … "a tear in") or by its noun, tells
    where its target lies as the request would; what is told of a named structure is told of that one.
    """
    found: dict[str, tuple[float, str]] = {}
    said = words_of_request(reading)
    nouns = {id(phrase): item for item, phrase in same_noun(reading)}
    for phrase in phrases(reading):
        noun = nouns.get(id(phrase))
        shared = bool(phrase.told & said) and not phrase.normal
        if noun is not None or shared:
            share, items = _SAME_NOUN if noun is not None else _POINTED, [i for i in phrase.items if i is not noun]
        else:
            share, items = _AROUND_NAMED if phrase.own else _AROUND, list(phrase.items)
        for feature, text in features(items, structures=noun is not None or shared).items():
            if share > found.get(feature, (0.0, ""))[0]:
                found[feature] = share, text
    return found


_VAGUE = frozenset({"any", "", "level", "organ"})


def _with_labels(found: Described, reading: Reading) -> Described:
    """A part that no label set has, as the whole that one has: who describes a muscle means all of it."""
    known = reading.lexicon.vocabulary
    modalities = (Modality.CT, Modality.MR)
    if found.id in reading.lexicon.wider or any(has_labels(found.id, m) for m in modalities):
        return found
    for name in known.get(found.id).parents:
        whole = known.get(name)
        if whole.kind == known.get(found.id).kind and any(has_labels(name, m) for m in modalities):
            reading.say(f"It is part of the {whole.name}, which is what can be outlined.")
            return replace(found, concept=whole.concept, id=whole.id, level=whole.level)
    return found


def _ranked(
    wanted: dict[str, float], kinds: set[str], reading: Reading, mention: Mention | None, told: set[str]
) -> list[Described]:
    """Structures by how well they fit, without those that the request rules out."""
    counted = {m.item.value("levelnoun") for m in reading.of("head")} & {"vertebra", "rib", "disc", "C", "T", "L"}
    table = load_descriptions()
    found = table.rank(wanted, kinds, bonus(reading), _among(counted, kinds))
    ranked = [d for d in found if not _wrong_side(d, reading, mention) and not _ruled_out(d, reading)]
    wider = reading.lexicon.wider
    labelled = {d.id for d in ranked if d.id in wider or any(has_labels(d.id, m) for m in (Modality.CT, Modality.MR))}
    ranked = [d if d.id in labelled else replace(d, score=_UNLABELLED * d.score) for d in ranked]
    cleared = _cleared(reading)
    ranked = [replace(d, score=_CLEARED * d.score) if {d.concept, d.id} & cleared else d for d in ranked]
    if len(told) >= _A_REPORT and not same_noun(reading):  # a report speaks of what it is about
        ranked = [d if {d.concept, d.id} & told else replace(d, score=_UNTOLD * d.score) for d in ranked]
    # Of two that fit equally, the one of which less else is told comes first.
    return sorted(ranked, key=lambda d: (-round(d.score, 6), len(table.candidates[d.id][3]), d.id))


def _cleared(reading: Reading) -> set[str]:
    """Concepts of which the text tells only that they are normal, where the request doesn't ask for what is normal."""
    if any("normal" in i.kinds and "ask" not in i.kinds for i in reading.request_items):
        return set()
    states: dict[str, set[bool]] = {}
    for phrase in phrases(reading):
        for item in phrase.named if phrase.own else ():
            for ref in refs_of(item):
                states.setdefault(ref.concept, set()).add(phrase.normal and not phrase.abnormal and not phrase.sides)
    return {concept for concept, own in states.items() if own == {True}}


_CLEARED = 0.6


def _among(counted: set[str], kinds: set[str]) -> frozenset[str]:
    """Concepts that can be meant by a word for a level or a lobe; none where anything can."""
    if counted or "vertebra" in kinds:
        return frozenset({{"rib": "rib", "disc": "intervertebral_disc"}.get("".join(counted), "vertebra")})
    if "lobe" in kinds:
        return frozenset(concept for concept, *_ in load_descriptions().candidates.values() if "lobe" in concept)
    return frozenset()


def _added(reading: Reading) -> set[str]:
    """ "the organ that stores bile and the spleen": names that a list may add instead of describing with them."""
    found: set[str] = set()
    for mention in reading.of("structure", "outside", role="anchor"):
        if mention.joined_to is not None and not mention.relation and mention.at > 0:
            before = reading.clauses[mention.clause].items[mention.at - 1]
            if before.norm in ("the", "a", "both") or "side" in before.kinds:
                found |= {f"@{ref.concept}" for ref in mention.item.refs} | {f"@{mention.item.value('outside')}"}
    return found - {"@"}


_NEAR = 0.8  # how well it must fit with what may be added, beside what then fits best


def _says_more(found: Described) -> bool:
    return len([f for f in found.shared if not f.startswith(("head:", "rel:"))]) > 1


def _resolved(best: Described, ranked: list[Described], reading: Reading, mention: Mention | None) -> list[str]:
    mention = mention or (reading.mentions[0] if reading.mentions else None)
    best = _with_labels(best, reading)
    if mention is None:
        return [best.id]
    twin = next(
        (d for d in ranked[1:] if d.concept == best.concept and d.level == best.level and d.side is not best.side), None
    )
    if best.side is not Side.NONE and (twin is None or best.score > twin.score + 0.5):
        return [best.id]
    if mention.kind == "head" and mention.item.norm.endswith("s") and mention.item.norm in _PLURALS:
        both = reading.lexicon.vocabulary.both(best.concept, best.level)
        sided = any(s.value in ("left", "right") for s in (*mention.sides, *reading.sides))
        if both is not None and not sided:
            return [both.id]  # "the two veins it is formed from"
    return resolve_ref(Ref(best.concept, level=best.level), mention, reading)


_PLURALS = word_set("veins arteries vessels muscles bones glands organs lungs lobes")


def _told_of(reading: Reading) -> set[str]:
    """Concepts that the text around the request names, or that a disease it names sits in."""
    told: set[str] = set()
    for clause in reading.context[-40:]:
        for item in clause.items:
            told |= {ref.concept for ref in item.refs}
            told |= set(item.disease.structures) if item.disease else set()
    return told


_A_REPORT = 4  # structures named around a request, from which on it is a report
_UNTOLD = 0.6


def _wrong_side(found: Described, reading: Reading, mention: Mention | None) -> bool:
    """ "the big organ on the left" is not the liver."""
    if mention is None:
        return False
    sides = {s.value for s in mention.sides if s.value in ("left", "right") and not s.negated}
    if len(sides) != 1:
        return False
    lies = reading.lexicon.vocabulary.get(found.id).lies_on
    return lies is not Side.NONE and lies.value not in sides


def _ruled_out(found: Described, reading: Reading) -> bool:
    if found.id in _excluded(reading):
        return True
    for mention in reading.mentions:
        if mention.role == "excluded" and mention.kind == "structure":
            for ref in mention.item.refs:
                if ref.concept in (found.concept, found.id) and ref.side in (Side.NONE, found.side):
                    return True
        if mention.role == "anchor" and any(
            ref.concept == found.concept and found.level == ref.level for ref in mention.item.refs
        ):
            return True
    return False


def _excluded(reading: Reading) -> set[str]:
    """Ids of all that is in a group that isn't wanted: the vertebrae, where the spine is not."""
    if "excluded" not in reading.memo:
        known = reading.lexicon.vocabulary
        names = {r.concept for m in reading.of("structure", role="excluded") for r in m.item.refs if not r.side.value}
        groups = (known.structures[n] for n in names if n in known.structures)
        reading.memo["excluded"] = {leaf for own in groups if own.parts for leaf in known.parts_closure(own.id)}
    kept: set[str] = reading.memo["excluded"]
    return kept


def _name(found: Described, reading: Reading) -> str:
    known = reading.lexicon.vocabulary
    name = known.get(found.id).name
    return name.split(" ", 1)[1] if found.side is not Side.NONE and len(known.by_concept(found.concept)) > 1 else name
