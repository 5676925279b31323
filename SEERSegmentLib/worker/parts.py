"""Reasoners and backbones of a worker: made once, kept, and not handed what the user has not allowed."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..errors import BackboneError, MissingExtra, ReasonerError, SeerError, UsageError
from ..protocols import Backbone, Reasoner, Sender
from ..registry import (
    SENDS,
    backbone_factory,
    backbone_names,
    check_consent,
    make_backbone,
    make_reasoner,
    reasoner_factory,
    reasoner_names,
    sends,
)
from .messages import PartChoice, PartReport

__all__ = ["Parts", "devices", "part_report", "part_reports"]

_FACTORIES: Mapping[str, Callable[[str], Callable[..., Any]]] = {
    "reasoner": reasoner_factory,
    "backbone": backbone_factory,
}

#: What to do for a part that can't be made without an option, in the panel's words.
_OPTION_ADVICE = {"reference": "Choose a label map for it in the settings."}

#: Reasoner → the extra that brings what it can't do without, and the modules by which that is known to be there.
_EXTRAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "qwen": ("local", ("torch", "transformers", "peft", "safetensors")),
}

#: What a part was made of: its choice, and the state of the files that its options name.
_Made = tuple[PartChoice, tuple[tuple[int, int, int], ...]]


class SendingReasoner(Reasoner, Sender, Protocol):
    """A reasoner that can say beforehand what it sends."""


@dataclass
class Parts:
    """The last reasoner and the last backbone, with the options they were made of; a model is loaded once.

    One of each kind is kept, since two models may not fit into a graphics card.
    """

    _kept: dict[str, tuple[_Made, Any]] = field(default_factory=dict)

    def reasoner(self, choice: PartChoice, allowed: Collection[str]) -> Reasoner:
        """A reasoner that can run now.

        Raises
        ------
        ServiceError
            ``consent-missing`` where it sends what is not among ``allowed``; it has not been made then.
        UsageError
            ``reasoner-unknown``, ``part-unloadable``, ``part-invalid``, ``part-options``.
        ReasonerError
            ``reasoner-not-ready``.
        """
        made: Reasoner = self._part("reasoner", choice, allowed, make_reasoner)
        readiness = made.readiness()
        if not readiness.ready:
            said = f"The reasoner '{choice.name}' is not ready: {readiness.what_to_do}".rstrip(": ")
            raise ReasonerError(said, code="reasoner-not-ready")
        return made

    def backbone(self, choice: PartChoice, allowed: Collection[str]) -> Backbone:
        """A backbone that can run now. Raises as :meth:`reasoner`, with BackboneError ``backbone-not-ready``."""
        made: Backbone = self._part("backbone", choice, allowed, make_backbone)
        readiness = made.readiness()
        if not readiness.ready:
            said = f"The backbone '{choice.name}' is not ready: {readiness.what_to_do}".rstrip(": ")
            raise BackboneError(said, code="backbone-not-ready")
        return made

    def sender(self, choice: PartChoice) -> SendingReasoner:
        """A reasoner that is asked for what it would send, and for nothing else; it needs no allowance for that.

        It stays, as for a run: what is shown and what is sent comes from the same object.

        Raises
        ------
        UsageError
            As :meth:`reasoner`; ``preview-unavailable`` where it sends nothing, or can't say what.
        """
        made: SendingReasoner = self._part("reasoner", choice, SENDS.values(), make_reasoner)
        if sends("reasoner", made.info) and isinstance(made, Sender):
            return made
        raise UsageError(
            f"The reasoner '{choice.name}' can't show beforehand what it sends.", code="preview-unavailable"
        )

    def _part(self, kind: str, choice: PartChoice, allowed: Collection[str], make: Callable[..., Any]) -> Any:
        factory = _FACTORIES[kind](choice.name)
        check_consent(kind, choice.name, getattr(factory, "info", None), allowed)
        kept, of = self._kept.get(kind), (choice, _stamps(choice))
        if kept is None or kept[0] != of:
            self._kept.pop(kind, None)  # its memory is free before the next one is loaded
            kept = None
            _check_options(kind, choice, factory)
            kept = of, make(choice.name, **choice.options)
            self._kept[kind] = kept
        check_consent(kind, choice.name, kept[1].info, allowed)
        return kept[1]


def _stamps(choice: PartChoice) -> tuple[tuple[int, int, int], ...]:
    """Inode, size and time of the files among the options: a label map that was saved anew is read anew."""
    stamps = []
    for value in choice.options.values():
        with suppress(OSError, ValueError):
            if Path(value).is_file():
                state = Path(value).stat()
                stamps.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(stamps)


def _check_options(kind: str, choice: PartChoice, factory: Callable[..., Any]) -> None:
    lacking, known = _parameters(factory)
    wrong = [] if known is None else sorted(choice.options.keys() - known)
    missing = [name for name in lacking if name not in choice.options]
    if wrong or missing:
        advice = _OPTION_ADVICE.get(choice.name, "Look at its settings.") if missing else "Look at its settings."
        raise UsageError(
            f"The {kind} '{choice.name}' can't be made with these settings. {advice}",
            code="part-options",
            detail=f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(wrong) or 'none'}",
        )


def _parameters(factory: Callable[..., Any]) -> tuple[list[str], set[str] | None]:
    """Names of the options that a part can't be made without, and of all it takes; None where it takes any."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # made in C, or nothing that can be called: making it will tell
        return [], None
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [p.name for p in named if p.default is p.empty], None if open_ended else {p.name for p in named}


# --- what there is ----------------------------------------------------------------------------------------------------


def part_reports() -> tuple[PartReport, ...]:
    """Every part of the registry and whether it can run here; one that is broken is reported, not raised."""
    reasoners = (part_report("reasoner", PartChoice(name)) for name in reasoner_names())
    backbones = (part_report("backbone", PartChoice(name)) for name in backbone_names())
    return (*reasoners, *backbones)


def part_report(kind: str, choice: PartChoice) -> PartReport:
    """A part as it is with its options. It is made for that, and nothing is loaded, contacted or kept."""
    info: Any = None
    code, what_to_do, extra = f"{kind}-not-ready", "", ""
    try:
        factory = _FACTORIES[kind](choice.name)
        info = getattr(factory, "info", None)
        lacking = [name for name in _parameters(factory)[0] if name not in choice.options]
        if lacking:
            what_to_do = _OPTION_ADVICE.get(choice.name, f"It needs {', '.join(lacking)}.")
        else:
            _check_options(kind, choice, factory)
            made = factory(**choice.options)
            info = made.info
            readiness = made.readiness()
            code, what_to_do = "" if readiness.ready else code, readiness.what_to_do
    except MissingExtra as error:
        code, what_to_do, extra = error.code, error.user_message, error.extra
    except SeerError as error:
        code, what_to_do = error.code, error.user_message
    except Exception as error:  # noqa: BLE001 - the border to code that someone else wrote; the others still count
        if not choice.options:  # they may be quoted in it, a key among them
            traceback.print_exc()
        code, what_to_do = "part-broken", f"It fails with: {type(error).__name__}: {error}"
    return PartReport(
        kind=kind,
        name=choice.name,
        version=str(getattr(info, "version", "")),
        summary=str(getattr(info, "summary", "")),
        ready=not code,
        what_to_do=str(what_to_do),
        needs=tuple(map(str, getattr(info, "needs", ()))),
        licence=str(getattr(info, "licence", "")),
        sends=sends(kind, info),
        extra=extra or ("" if not code else _missing_extra(choice)),
        code=code,
        protocol=str(getattr(info, "protocol", "")),
        presets=tuple(map(str, getattr(info, "presets", ()))),
        accepts=tuple(sorted(map(str, getattr(info, "accepts", ())))),
    )


def _missing_extra(choice: PartChoice) -> str:
    """The extra of a reasoner, or of the model behind it, of which a module is not there."""
    extra, modules = _EXTRAS.get(choice.options.get("vlm", choice.name), ("", ()))
    return "" if all(map(_is_there, modules)) else extra


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # half of it is
        return False


def devices() -> tuple[str, ...]:
    """What a model could run on; torch is imported only where it is installed."""
    try:
        if importlib.util.find_spec("torch") is None:
            return ("cpu",)
        torch = importlib.import_module("torch")
        there = (("cpu", True), ("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
    except (ImportError, OSError, RuntimeError, AttributeError, ValueError):  # installed for another driver or computer
        return ("cpu",)
    return tuple(name for name, usable in there if usable)
