"""Lesions as the target: "the mass, not the organ", "the nodule in the left upper lobe"."""

from __future__ import annotations

from ...values import Side
from .findings import whole_of
from .lexicon import Disease, Ref
from .mention import Mention
from .outcome import Question
from .reading import Reading
from .sides import agreed_side, side_for
from .text import word_set

__all__ = ["lesion_wanted"]

_GENERIC = word_set("tumour nodule metastasis cyst abscess haematoma effusion stone polyp thrombus")
_ORGAN_WORDS = {"hip_bone": "hip", "urinary_bladder": "bladder", "thyroid_gland": "thyroid", "adrenal_gland": "adrenal"}


def lesion_wanted(reading: Reading) -> list[str] | None:
    """The lesion that is asked for itself, or None where an organ is."""
    lesions = reading.of("lesion")
    if not lesions:
        return None
    mention = _object(lesions, reading)
    if mention is None:
        return None
    name, side = _name(mention, reading)
    reading.used.add(id(mention))
    reading.say(f"“{mention.text}” itself is asked for: {name}.")
    known = reading.lexicon.vocabulary
    for sense in reading.lexicon.lookup(name):
        if sense.kind == "structure" and sense.refs:
            ref = sense.refs[0]
            found = known.structure_for(ref.concept, side, ref.level) or known.structure_for(
                ref.concept, Side.NONE, ref.level
            )
            if found is None and ref.concept in known.structures:
                found = known.structures[ref.concept]
            if found is not None:
                return [found.id]
    prefix = f"{side.value} " if side is not Side.NONE else ""
    return [f'"{prefix}{name}']


def _object(lesions: list[Mention], reading: Reading) -> Mention | None:
    """The lesion that is the object of the request, if no structure is."""
    structures = [m for m in reading.of("structure", "outside") if not _site(m, lesions, reading)]
    heads = [m for m in reading.of("head") if m.item.value("head") != "any" and not _same_phrase(m, lesions)]
    heads = [m for m in heads if not _bare_member(m, reading)]
    rivals = structures + heads
    if not rivals:
        return next((m for m in lesions if _segment_asks(m, reading)), lesions[-1])
    for lesion in lesions:
        clause = reading.clauses[lesion.clause]
        before = clause.items[: lesion.at]
        asked = max((n for n, i in enumerate(before) if "ask" in i.kinds or "only" in i.kinds), default=-1)
        rival = min((m.at for m in rivals if m.clause == lesion.clause and m.at > lesion.at), default=0)
        if any("ask" in i.kinds for i in clause.items[lesion.at : rival]):
            continue  # "a clot burden: mask the thrombosed axis"
        first = min((m.at for m in rivals if m.clause == lesion.clause and m.at > asked), default=999)
        elsewhere = all(m.clause != lesion.clause for m in rivals)
        if asked >= 0 and lesion.at < first and not elsewhere and lesion.at - asked <= 4:
            return lesion
        following = clause.items[lesion.at + 1 : lesion.at + 3]
        if any("only" in i.kinds for i in following) and not any(
            m.at > lesion.at and m.clause == lesion.clause for m in rivals
        ):
            return lesion
        excluded = [m for m in reading.mentions if m.role == "excluded" and m.kind in ("structure", "head", "outside")]
        if excluded and elsewhere:
            return lesion
    return None


def _bare_member(head: Mention, reading: Reading) -> bool:
    """ "kidney tumour, bones": a plural that a list adds, with nothing said of it."""
    items = reading.clauses[head.clause].items
    before = next((i for i in reversed(items[: head.at]) if i.norm not in ("the", "all")), None)
    after = items[head.at + 1] if head.at + 1 < len(items) else None
    joined = before is None or before.mark or "plus" in before.kinds
    many = head.item.norm.endswith("s") or head.item.value("head") == "tissue"
    return joined and many and (after is None or after.mark or "plus" in after.kinds)


def _segment_asks(mention: Mention, reading: Reading) -> bool:
    """Whether an asking word stands in the same part of the clause: "CRC follow-up: liver mets please"."""
    items = reading.clauses[mention.clause].items
    start = max((n for n in range(mention.at) if items[n].text in (",", ":", ";", "(")), default=-1)
    end = next((n for n in range(mention.at, len(items)) if items[n].text in (",", ":", ";", ")")), len(items))
    return any(items[n].kinds & {"ask", "only"} for n in range(start + 1, end))


def _same_phrase(head: Mention, lesions: list[Mention]) -> bool:
    return any(0 < lesion.at - head.at <= 1 and lesion.clause == head.clause for lesion in lesions)


def _site(mention: Mention, lesions: list[Mention], reading: Reading) -> bool:
    """Whether a structure only says which lesion: "kidney | mass", "mass, left kidney"."""
    for lesion in lesions:
        if mention.clause == lesion.clause and lesion.at - mention.at == 1 and not mention.item.plural:
            return True
        between = reading.clauses[lesion.clause].items[mention.at + 1 : lesion.at]
        if mention.clause == lesion.clause and between and between[0].text == ":":
            return all(i.text == ":" or i.norm in ("the", "a", "just", "only") for i in between)
    return False


def _name(mention: Mention, reading: Reading) -> tuple[str, Side]:
    disease = mention.item.disease
    if disease is None:
        structure = mention.item.refs[0]
        own = reading.lexicon.vocabulary.by_concept(structure.concept)
        name = own[0].name if own else structure.concept.replace("_", " ")
        for word in ("left ", "right "):
            name = name.removeprefix(word)
        return name, _side(mention, reading, structure.concept)
    if disease.name not in _GENERIC:
        return disease.lesion, _side(mention, reading, _seat(disease))
    site = _site_of(mention, reading)
    specific = _specific(disease, reading, site)
    if specific is not None:
        return specific.lesion, _side(mention, reading, _seat(specific) or site)
    if not site:
        raise Question(
            "site-needed",
            f"The request asks for “{mention.text}” and doesn't say in which organ.",
            "Which organ is it in?",
            tuple(f"{organ} {disease.lesion}" for organ in ("liver", "kidney", "lung"))
            if disease.name == "tumour"
            else (),
        )
    return f"{_ORGAN_WORDS.get(site, site.replace('_', ' '))} {disease.lesion}", _side(mention, reading, site)


def _seat(disease: Disease) -> str:
    return disease.structures[0] if disease.structures else ""


def _site_of(mention: Mention, reading: Reading) -> str:
    """The organ of a lesion: what stands with it, then what the text says it is in."""
    elsewhere = any(m.item.refs for m in reading.mentions if m is not mention)
    if not elsewhere and any(m.item.value("head") == "lobe" for m in reading.mentions):
        return "lung"  # "the 9 mm nodule, not the lobe it sits in"
    near = [m for m in reading.mentions if m.clause == mention.clause and m is not mention and m.role != "excluded"]
    for other in sorted(near, key=lambda m: abs(m.at - mention.at)):
        if other.kind in ("structure", "adjective") and other.item.refs:
            return _organ(other.item.refs[0], reading)
        if other.kind == "outside":
            return whole_of(other.item) or other.item.value("outside")  # a mass in the uncinate is the pancreas's
    excluded = [m for m in reading.mentions if m.role == "excluded" and m.kind == "structure" and m.item.refs]
    for other in excluded:
        return _organ(other.item.refs[0], reading)
    for clause in reversed(reading.clauses):
        if clause.role.value in ("quoted", "steering"):
            continue
        lesion = any(i.disease is not None and i.disease.lesion for i in clause.items)
        for item in clause.items:
            if lesion and item.refs and not (item.disease and item.disease.lesion):
                return _organ(item.refs[0], reading)
    named = {
        _organ(ref, reading)
        for clause in reading.clauses
        if clause.role.value not in ("quoted", "steering")
        for item in clause.items
        for ref in (item.refs[:1] if item.sense("structure") and not item.disease else ())
    }
    if len(named) == 1:
        return named.pop()  # "adenoma of the left adrenal. The nodule only."
    seats = {
        item.disease.structures[0]
        for clause in reading.clauses
        if clause.role.value not in ("quoted", "steering")
        for item in clause.items
        if item.disease is not None and len(item.disease.structures) == 1
    }
    return seats.pop() if len(seats) == 1 else ""  # "PI-RADS 5 … the lesion"


def _organ(ref: Ref, reading: Reading) -> str:
    """The organ that a part stands for in a lesion's name: a lobe is lung, a liver segment liver."""
    concept = ref.concept
    if concept.startswith("lung_"):
        return "lung"
    if concept.startswith("liver_"):
        return "liver"
    if concept.startswith("pancreas_") or (concept == "head" and _about_pancreas(reading)):
        return "pancreas"
    if concept.startswith("prostate"):
        return "prostate"
    if concept.startswith(("kidney", "renal_")):
        return "kidney"
    own = reading.lexicon.vocabulary.structures.get(concept)
    if own is not None and own.side is not Side.NONE:
        return own.concept
    return concept


def _about_pancreas(reading: Reading) -> bool:
    """ "head lesion, duct cut-off", "the carcinoma in the head, not the gland": of the pancreas, not of the body."""
    words = {i.norm for c in reading.clauses if c.role.value not in ("quoted", "steering") for i in c.items}
    return bool(words & _PANCREATIC)


_PANCREATIC = word_set(
    "gland duct ducts smv sma pancreas pancreatic cbd mpd pdac lapc jaundice ercp whipple folfirinox"
)


def _specific(generic: Disease, reading: Reading, site: str) -> Disease | None:
    """A named lesion elsewhere in the text that the generic word points to: "HCC … outline the mass"."""
    named = []
    for clause in reading.clauses:
        if clause.role.value in ("quoted", "steering"):
            continue
        for item in clause.items:
            disease = item.disease
            if disease is not None and disease.lesion and disease.name not in _GENERIC:
                if generic.name in ("tumour",) and not _tumorous(disease):
                    continue
                bleeds = generic.name == "haematoma" and any(w in disease.name for w in ("haemorrhage", "bleed"))
                named_so = generic.lesion in disease.lesion or generic.name in disease.name or bleeds
                if generic.name not in ("tumour",) and not named_so:
                    continue
                if not site or site in disease.structures or not disease.structures:
                    named.append(disease)
    return named[0] if named else None


_NOT_TUMOROUS = (
    "effusion",
    "ascites",
    "haematoma",
    "haemorrhage",
    "cyst",
    "abscess",
    "infarct",
    "stroke",
    "aneurysm",
    "nodes",
)


def _tumorous(disease: Disease) -> bool:
    return not any(word in disease.name for word in _NOT_TUMOROUS)


def _side(mention: Mention, reading: Reading, concept: str) -> Side:
    """Side of a lesion where the request itself tells it.

    What the text around it says of sides doesn't narrow a lesion: a name without a side finds it wherever it lies.
    """
    paired = any(s.side is not Side.NONE for s in reading.lexicon.vocabulary.by_concept(concept))
    if not paired and (concept or not mention.sides):
        agreed_side(mention, reading, mention.text)
        return Side.NONE
    near = [m for m in reading.mentions if m.clause == mention.clause and m.role != "excluded"]
    told = any(s.value in ("left", "right", "other", "same") for m in near for s in m.sides)
    told = told or any(ref.side is not Side.NONE for m in near for ref in m.item.refs)
    if not told:
        return Side.NONE
    try:
        return side_for(mention, reading, Ref(concept or "lesion")) or Side.NONE
    except Question as question:
        if question.code in ("side-needed",):
            return Side.NONE
        raise
