"""Rephrasings that need no reading: the request's own words, unchanged, with other words around them."""

from __future__ import annotations

import random

from ...values import Side
from .model import Kind, Proof, Rephrasing

__all__ = ["wrapped"]

#: Kind → what may stand around a request. None of it names anatomy, a side, a number, or what to do.
_AROUND = (
    (Kind.CASE, "{}!!"),
    (Kind.CASE, "- {}"),
    (Kind.CASE, "“{}”"),
    (Kind.CASE, "{} Thanks."),
    (Kind.REPORT, "Request: {}"),
    (Kind.REPORT, "Clinical details: follow-up. Request: {}"),
    (Kind.REPORT, "Indication: for planning. {}"),
    (Kind.REPORT, "Referral note. {} Kind regards."),
    (Kind.DICTATION, "um {} full stop"),
    (Kind.DICTATION, "okay so {} thank you"),
    (Kind.DICTATION, "next patient please, {}"),
)


def wrapped(text: str, n: int, seed: int = 0) -> tuple[Rephrasing, ...]:
    """At most ``n`` (eleven at the most) wordings of a request that nobody has read.

    Parameters
    ----------
    text : str
        The request as typed; it stands in each wording unchanged.
    n, seed : int
        The same text, n and seed give the same wordings.

    Returns
    -------
    tuple of Rephrasing
        The proof of each is that the request's words are all there.
    """
    around = list(_AROUND)
    random.Random(f"{seed}|{text}").shuffle(around)
    proof = Proof(text, "", Side.NONE, "", text, "the request's own words, unchanged")
    return tuple(Rephrasing(form.format(text), kind, (proof,)) for kind, form in around[: max(n, 0)])
