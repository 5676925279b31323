"""Ω(q): clinically equivalent rephrasings of a request, each with the proof that it means the same.

SEER asks for the same mask however a request is worded (SEER paper, equation 3, where Ω(q) is the set of a request's
rephrasings, and Fig. 2: typo noise, spatial specifier, clinical-intent paraphrase). Rephrasings are made from what a
request was resolved to, by the vocabulary's own tables, never by asking a reasoner: so they can test one. Of a request
that nobody has read, :func:`wrapped` keeps the words and changes what stands around them.
"""

from __future__ import annotations

from .generate import rephrase
from .model import Kind, Proof, Rephrasing
from .wrapping import wrapped

__all__ = ["Kind", "Proof", "Rephrasing", "rephrase", "wrapped"]
