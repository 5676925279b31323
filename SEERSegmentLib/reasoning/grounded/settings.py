"""How a model is asked: the template, how many rephrasings, how long a reply may be; from options, which are texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import UsageError
from ..prompt import DEFAULT_TEMPLATE, Template, load_template
from ..vlm import MAX_TOKENS

__all__ = ["IDENTIFIER_POLICIES", "Settings", "option_error", "settings_of", "whole_number"]

#: What becomes of a patient's name or number in a request before it is sent: taken out, a reason to stop, or sent.
IDENTIFIER_POLICIES = ("mask", "refuse", "send")

_MOST_REPHRASINGS = 64
_MOST_TOKENS = 4096


@dataclass(frozen=True)
class Settings:
    """How a model is asked.

    Attributes
    ----------
    template : Template
    rephrasings : int
        Of the request, asked in the same batch; the answer of most wordings is taken. 0: the request alone.
    seed : int
        Of the rephrasings.
    max_tokens : int
        Of a reply.
    identifiers : {"mask", "refuse", "send"}
        For a model on a server.
    """

    template: Template = field(default_factory=load_template)
    rephrasings: int = 0
    seed: int = 0
    max_tokens: int = MAX_TOKENS
    identifiers: str = "mask"


def settings_of(options: Mapping[str, str]) -> Settings:
    """Settings from the options ``template``, ``checkout``, ``rephrasings``, ``seed``, ``max_tokens``, ``identifiers``.

    ``checkout`` is the path that the template ``official`` or ``custom`` is read from.

    Raises
    ------
    UsageError
        ``part-options`` for an unknown option or a value that can't be one, ``template-unknown``,
        ``template-unreadable``.
    """
    known = {"template", "checkout", "rephrasings", "seed", "max_tokens", "identifiers"}
    if unknown := sorted(options.keys() - known):
        raise option_error(f"there is no option {', '.join(unknown)}")
    identifiers = options.get("identifiers") or "mask"
    if identifiers not in IDENTIFIER_POLICIES:
        raise option_error(f"identifiers must be one of {', '.join(IDENTIFIER_POLICIES)}")
    return Settings(
        template=load_template(options.get("template") or DEFAULT_TEMPLATE, options.get("checkout", "")),
        rephrasings=whole_number(options, "rephrasings", 0, 0, _MOST_REPHRASINGS),
        seed=whole_number(options, "seed", 0, 0, 2**31 - 1),
        max_tokens=whole_number(options, "max_tokens", MAX_TOKENS, 16, _MOST_TOKENS),
        identifiers=identifiers,
    )


def whole_number(options: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """An option that is a whole number within bounds. Raises UsageError ``part-options``."""
    text = str(options.get(name) or default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise option_error(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def option_error(why: str) -> UsageError:
    """The error of an option that can't be used."""
    return UsageError(f"The reasoner can't be made with these settings: {why}.", code="part-options")
