"""Whole requests from equivalent phrases."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from ...anatomy import load_vocabulary
from ...values import Target, TargetSpec
from .model import Kind, Proof, Rephrasing
from .phrases import abbreviations, by_disease, plain, spoken, synonyms, typos, with_place

__all__ = ["rephrase"]

#: A kind that brought nothing new this many times has nothing new to say.
_PATIENCE = 12

_ASKS = ("Please segment {}.", "pls outline {}", "Contour {}, thanks.", "Could you mask {}?", "I need {} segmented.")
_NOTES = ("seg {}", "{} pls", "{}, vol", "mask: {}")
_HISTORIES = ("68-year-old, follow-up.", "Known hypertension, for surgical planning.", "Trauma call, stable.")

#: Findings that are normal, of structures with no side; those that are not about a target are put around the request.
_NORMAL = {
    "liver": "The liver is unremarkable.",
    "spleen": "Spleen normal in size.",
    "pancreas": "Normal pancreas.",
    "heart": "Heart not enlarged.",
    "urinary_bladder": "Urinary bladder normal.",
    "thyroid_gland": "Thyroid unremarkable.",
}


def rephrase(spec: TargetSpec, n: int, seed: int = 0, kinds: Iterable[Kind] = tuple(Kind)) -> tuple[Rephrasing, ...]:
    """At most ``n`` different rephrasings of what a request asks for, kinds taking turns.

    Parameters
    ----------
    spec : TargetSpec
        What the request was resolved to.
    n : int
        How many; fewer come back where the tables have no more to say of the targets.
    seed : int
        The same spec, n, seed and kinds give the same texts.
    kinds : iterable of Kind

    Returns
    -------
    tuple of Rephrasing
        Each with a proof for each target, in order.
    """
    draw = random.Random(f"{seed}|{spec.prompt}")
    makers = {kind: _MAKERS[kind] for kind in dict.fromkeys(kinds)}
    found: dict[str, Rephrasing] = {}
    tired = dict.fromkeys(makers, 0)
    while len(found) < n and any(times < _PATIENCE for times in tired.values()):
        for kind, make in makers.items():
            if len(found) >= n or tired[kind] >= _PATIENCE:
                continue
            made = make(spec, draw)
            if made is None or made.text in found:
                tired[kind] += 1
            else:
                found[made.text] = made
    return tuple(found.values())


_Maker = Callable[[TargetSpec, random.Random], "Rephrasing | None"]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _asked(proofs: Sequence[Proof], draw: random.Random, forms: Sequence[str] = _ASKS) -> str:
    """A request for the proofs' words; "the" stands before a phrase that starts with a small letter."""
    words = [("the " if p.words[:1].islower() and forms is _ASKS else "") + p.words for p in proofs]
    return draw.choice(forms).format(_listed(words))


def _varied(
    spec: TargetSpec, draw: random.Random, phrases: Callable[[Target], list[Proof]], kind: Kind, ask: Sequence[str]
) -> Rephrasing | None:
    """Each target in one of its phrases, plainly where it has none; None where no target has any."""
    options = [phrases(target) for target in spec.targets]
    if not any(options):
        return None
    proofs = tuple(
        draw.choice(own) if own else plain(target) for own, target in zip(options, spec.targets, strict=True)
    )
    return Rephrasing(_asked(proofs, draw, ask), kind, proofs)


def _typo(spec: TargetSpec, draw: random.Random) -> Rephrasing | None:
    return _varied(spec, draw, lambda target: typos(target, draw), Kind.TYPO, _ASKS)


def _synonym(spec: TargetSpec, draw: random.Random) -> Rephrasing | None:
    return _varied(spec, draw, synonyms, Kind.SYNONYM, _ASKS)


def _abbreviation(spec: TargetSpec, draw: random.Random) -> Rephrasing | None:
    return _varied(spec, draw, abbreviations, Kind.ABBREVIATION, _ASKS)


def _spatial(spec: TargetSpec, draw: random.Random) -> Rephrasing | None:
    if len(spec.targets) > 1:  # a list of places reads like a list of targets
        return None
    return _varied(spec, draw, with_place, Kind.SPATIAL, _ASKS)


def _intent(spec: TargetSpec, draw: random.Random) -> Rephrasing | None:
    options = by_disease(spec.targets[0])
    if len(spec.targets) > 1 or not options:
        return None
    proof = draw.choice(options)
    return Rephrasing(f"{proof.words}.", Kind.INTENT, (proof,))


def _telegraphic(spec: TargetSpec, draw: random.Random) -> Rephrasing:
    options = [[plain(target), *abbreviations(target)] for target in spec.targets]
    proofs = tuple(draw.choice(own) for own in options)
    return Rephrasing(_asked(proofs, draw, _NOTES), Kind.TELEGRAPHIC, proofs)


def _dictation(spec: TargetSpec, draw: random.Random) -> Rephrasing:
    proofs = tuple(spoken(target) for target in spec.targets)
    opening = draw.choice(("um please segment", "okay so please outline", "next patient please contour"))
    names = " and ".join(f"the {proof.words}" for proof in proofs)
    return Rephrasing(f"{opening} {names} {draw.choice(('full stop', 'thank you', 'period'))}", Kind.DICTATION, proofs)


def _report(spec: TargetSpec, draw: random.Random) -> Rephrasing:
    proofs = tuple(plain(target) for target in spec.targets)
    own = {leaf for t in spec.targets if t.structure for leaf in load_vocabulary().parts_closure(t.structure)}
    normal = [text for id, text in _NORMAL.items() if id not in own]
    around = " ".join(draw.sample(normal, 3))
    request = _asked(proofs, draw, _ASKS[:3])
    text = f"Clinical details: {draw.choice(_HISTORIES)} Findings: {around} Request: {request}"
    return Rephrasing(text, Kind.REPORT, proofs)


def _case(spec: TargetSpec, draw: random.Random) -> Rephrasing:
    proofs = tuple(plain(target) for target in spec.targets)
    text = _asked(proofs, draw)
    changed = draw.choice((str.upper, str.title, str.lower))(text)
    return Rephrasing(draw.choice(("{}", "  {}  ", "{}!!", "- {}", "“{}”")).format(changed), Kind.CASE, proofs)


_MAKERS: dict[Kind, _Maker] = {
    Kind.TYPO: _typo,
    Kind.SPATIAL: _spatial,
    Kind.INTENT: _intent,
    Kind.SYNONYM: _synonym,
    Kind.ABBREVIATION: _abbreviation,
    Kind.REPORT: _report,
    Kind.TELEGRAPHIC: _telegraphic,
    Kind.DICTATION: _dictation,
    Kind.CASE: _case,
}
