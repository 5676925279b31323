"""How MedVol-R1 is asked, from options, which are texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..grounded.settings import IDENTIFIER_POLICIES, option_error, whole_number
from ..prompt import Template, load_template
from ..vlm import MAX_TOKENS
from .prompt import NUMBERINGS, SCALES

__all__ = ["Settings", "settings_of"]

_TEMPLATE = "medvol"
_MOST_TOKENS = 4096


@dataclass(frozen=True)
class Settings:
    """How MedVol-R1 is asked.

    Attributes
    ----------
    template : Template
    scale : {"relative-1000", "pixels"}
        Of the coordinates in its replies.
    numbering : {"shown", "source"}
        Of the slices.
    max_tokens : int
        Of a reply.
    identifiers : {"mask", "refuse", "send"}
        For a model on a server.
    """

    template: Template = field(default_factory=lambda: load_template(_TEMPLATE))
    scale: str = "relative-1000"
    numbering: str = "shown"
    max_tokens: int = MAX_TOKENS
    identifiers: str = "mask"

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        """For the provenance."""
        return ("template", self.template.title), ("coordinates", self.scale), ("slice numbers", self.numbering)


def settings_of(options: Mapping[str, str]) -> Settings:
    """Settings from the options ``template``, ``checkout``, ``scale``, ``numbering``, ``max_tokens``, ``identifiers``.

    ``template=custom`` is read from the file ``checkout``; without either it is our own.

    Raises
    ------
    UsageError
        ``part-options`` for an unknown option or a value that can't be one, ``template-unknown``,
        ``template-unreadable``.
    """
    known = {"template", "checkout", "scale", "numbering", "max_tokens", "identifiers"}
    if unknown := sorted(options.keys() - known):
        raise option_error(f"there is no option {', '.join(unknown)}")
    return Settings(
        template=load_template(options.get("template") or _TEMPLATE, options.get("checkout", "")),
        scale=_one_of(options, "scale", tuple(SCALES)),
        numbering=_one_of(options, "numbering", NUMBERINGS),
        max_tokens=whole_number(options, "max_tokens", MAX_TOKENS, 16, _MOST_TOKENS),
        identifiers=_one_of(options, "identifiers", IDENTIFIER_POLICIES),
    )


def _one_of(options: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    chosen = options.get(name) or choices[0]
    if chosen not in choices:
        raise option_error(f"{name} must be one of {', '.join(choices)}")
    return chosen
