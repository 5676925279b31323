"""The table of reasoners and backbones, and how to make one by name.

Built-ins stand here in code, as ``module:Class``, and are imported only when made: in Slicer the library is loaded
from a folder, where entry points don't exist. Entry points (groups ``seer.reasoners`` and ``seer.backbones``) add third
parties.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .errors import ServiceError, UsageError
from .protocols import Backbone, Reasoner

__all__ = [
    "BACKBONES",
    "REASONERS",
    "SENDS",
    "backbone_factory",
    "backbone_names",
    "check_consent",
    "make_backbone",
    "make_reasoner",
    "reasoner_factory",
    "reasoner_names",
    "sends",
]

#: name → (module, class); a class is called with the keyword options of the caller.
REASONERS: Mapping[str, str] = {
    "lexical": "SEERSegmentLib.reasoning.lexical:LexicalReasoner",
    "cascade": "SEERSegmentLib.reasoning.cascade:CascadeReasoner",
    "qwen": "SEERSegmentLib.reasoning.visual:QwenReasoner",
    "openai": "SEERSegmentLib.reasoning.visual:OpenAIReasoner",
    "medvol": "SEERSegmentLib.reasoning.medvol:MedVolReasoner",
}
BACKBONES: Mapping[str, str] = {
    "classical": "SEERSegmentLib.backbones.classical:ClassicalBackbone",
    "reference": "SEERSegmentLib.backbones.reference:ReferenceBackbone",
    "propagation": "SEERSegmentLib.backbones.propagation:PropagationBackbone",
}

#: Kind of part → what leaves the machine when one runs that is not offline (DESIGN seam 7).
SENDS: Mapping[str, str] = {"reasoner": "snapshots", "backbone": "volume"}


def reasoner_names() -> tuple[str, ...]:
    """Names of all known reasoners, built-ins first."""
    return (*REASONERS, *sorted(set(_third_parties("seer.reasoners")) - set(REASONERS)))


def backbone_names() -> tuple[str, ...]:
    """Names of all known backbones, built-ins first."""
    return (*BACKBONES, *sorted(set(_third_parties("seer.backbones")) - set(BACKBONES)))


def make_reasoner(name: str, **options: Any) -> Reasoner:
    """A reasoner by name. Raises UsageError ``reasoner-unknown``; what the constructor raises passes through."""
    reasoner: Reasoner = _checked(reasoner_factory(name)(**options), Reasoner, name)
    return reasoner


def make_backbone(name: str, **options: Any) -> Backbone:
    """A backbone by name. Raises UsageError ``backbone-unknown``; what the constructor raises passes through."""
    backbone: Backbone = _checked(backbone_factory(name)(**options), Backbone, name)
    return backbone


def reasoner_factory(name: str) -> Callable[..., Any]:
    """What makes the reasoner, not yet called. Raises UsageError ``reasoner-unknown``, ``part-unloadable``."""
    return _factory(name, REASONERS, "seer.reasoners", "reasoner-unknown")


def backbone_factory(name: str) -> Callable[..., Any]:
    """What makes the backbone, not yet called. Raises UsageError ``backbone-unknown``, ``part-unloadable``."""
    return _factory(name, BACKBONES, "seer.backbones", "backbone-unknown")


def sends(kind: str, info: Any) -> str:
    """What leaves the machine when a part runs: empty, ``"snapshots"`` or ``"volume"``."""
    return "" if getattr(info, "offline", True) else SENDS[kind]


def check_consent(kind: str, name: str, info: Any, allowed: Collection[str]) -> None:
    """Refuse a part that sends what the user has not allowed to leave.

    Parameters
    ----------
    kind : {"reasoner", "backbone"}
    name : str
    info : ReasonerInfo, BackboneInfo or None
    allowed : collection of str
        Any of ``"snapshots"``, ``"volume"``; one does not imply the other.

    Raises
    ------
    ServiceError
        ``consent-missing``.
    """
    sent = sends(kind, info)
    if sent and sent not in allowed:
        what = "the volume" if sent == "volume" else "snapshots of the volume"
        raise ServiceError(
            f"The {kind} '{name}' would send {what} out of this computer, and that was not allowed; nothing was sent.",
            code="consent-missing",
        )


def _third_parties(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def _factory(name: str, builtins: Mapping[str, str], group: str, unknown: str) -> Callable[..., Any]:
    others = _third_parties(group)
    try:
        if name in builtins:
            module, _, attribute = builtins[name].partition(":")
            factory: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
            return factory
        if name in others:
            loaded: Callable[..., Any] = others[name].load()
            return loaded
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"The part '{name}' can't be loaded: {error}.", code="part-unloadable", detail=f"{type(error).__name__}"
        ) from error
    known = ", ".join((*builtins, *sorted(others)))
    kind = unknown.removesuffix("-unknown")
    raise UsageError(f"There is no {kind} '{name}'; there are: {known}.", code=unknown)


def _checked(made: Any, protocol: type, name: str) -> Any:
    if not isinstance(made, protocol):
        raise UsageError(f"'{name}' is not a {protocol.__name__.lower()}.", code="part-invalid")
    return made
