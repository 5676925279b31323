"""Ω(q) of a request that nobody has answered yet: its rephrasings, made before a model is asked.

What a request means is taken from the lexical reasoner, where it can read it: the rephrasings then carry a proof each.
Where it can't, the request's own words are kept and only what stands around them changes, which needs no reading.
"""

from __future__ import annotations

from ...anatomy import resolve_answer
from ...protocols import CancelToken, ReasoningCase, ignore_progress
from ...values import Abstention
from ..lexical import LexicalReasoner
from ..rephrasing import Rephrasing, rephrase, wrapped

__all__ = ["rephrasings_of"]


def rephrasings_of(case: ReasoningCase, n: int, seed: int, cancel: CancelToken) -> tuple[Rephrasing, ...]:
    """At most ``n`` different wordings beside the request itself; the same case, n and seed give the same."""
    if n <= 0:
        return ()
    own = wrapped(case.request.text, n, seed)
    read = LexicalReasoner().reason(case, ignore_progress, cancel)
    spec = None if isinstance(read, Abstention) else resolve_answer(read.answer)
    if spec is None or isinstance(spec, Abstention):
        return own
    # Half of them keep the request's words: what the tables misread, they do not misread for all wordings.
    kept = own[: n // 2]
    texts = {case.request.text, *(one.text for one in kept)}
    told = tuple(one for one in rephrase(spec, n, seed) if one.text not in texts)
    return (*kept, *told[: n - len(kept)])
