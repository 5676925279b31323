"""The reasoner of a command: what ``--reasoner`` says, made, allowed and ready.

    lexical
    qwen:PATH[@ADAPTER]              folders, or names in the local hub cache
    openai:URL[#MODEL]
    cascade:qwen:… | cascade:openai:…
    medvol:qwen:… | medvol:openai:…

Anything else is the name of a third party's reasoner. Further options come with ``--reasoner-option NAME=VALUE``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ReasonerError, UsageError

if TYPE_CHECKING:
    from ..protocols import Reasoner

__all__ = ["DEFAULT_MODEL_VARIABLE", "chosen_reasoner", "parse_reasoner", "ready_reasoner"]

#: Where ``cascade`` and ``medvol`` find their model when they are given none: ``openai:URL#MODEL`` or ``qwen:PATH``.
DEFAULT_MODEL_VARIABLE = "SEER_MODEL"


def _qwen(rest: str) -> dict[str, str]:
    if "@" in rest and not Path(rest).exists():
        model, _, adapter = rest.rpartition("@")
        return {"model": model, "adapter": adapter}
    return {"model": rest}


def _openai(rest: str) -> dict[str, str]:
    url, hash_mark, model = rest.partition("#")
    return {"url": url, **({"model": model} if hash_mark else {})}


_REST: Mapping[str, Callable[[str], dict[str, str]]] = {"qwen": _qwen, "openai": _openai}
_ON_A_MODEL = ("cascade", "medvol")


def parse_reasoner(text: str, options: Sequence[str] = ()) -> tuple[str, dict[str, str]]:
    """A reasoner's name in the registry and its options.

    Parameters
    ----------
    text : str
        As on the command line; see the module.
    options : sequence of str
        ``NAME=VALUE`` each.

    Raises
    ------
    UsageError
        ``reasoner-spec``, ``reasoner-key-visible``.
    """
    name, _, rest = text.partition(":")
    made: dict[str, str] = {}
    if name in _ON_A_MODEL:
        rest = rest or os.environ.get(DEFAULT_MODEL_VARIABLE, "")
        kind, _, rest_of_model = rest.partition(":")
        if kind not in _REST:
            raise UsageError(
                f"Say which model '{name}' asks: {name}:qwen:PATH or {name}:openai:URL#MODEL, or set"
                f" {DEFAULT_MODEL_VARIABLE}.",
                code="reasoner-spec",
            )
        made = {"vlm": kind, **_REST[kind](rest_of_model)}
    elif name in _REST:
        made = _REST[name](rest)
    elif rest:
        raise UsageError(f"The reasoner '{name}' takes nothing after a colon.", code="reasoner-spec")
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError("A reasoner's option is given as NAME=VALUE.", code="reasoner-spec")
        if key == "key":
            raise UsageError(
                "A key doesn't belong on a command line, where others can see it; set SEER_API_KEY, or keep it in the"
                " system's keyring.",
                code="reasoner-key-visible",
            )
        made[key] = value
    return name, made


def chosen_reasoner(parsed: argparse.Namespace) -> Reasoner:
    """The reasoner that a command's options name, allowed to send what it sends; see :func:`ready_reasoner`."""
    return ready_reasoner(parsed.reasoner, parsed.reasoner_option, parsed.send)


def ready_reasoner(text: str, options: Sequence[str] = (), allowed: Sequence[str] = ()) -> Reasoner:
    """A reasoner that can run now.

    Raises
    ------
    UsageError
        ``reasoner-spec``, ``reasoner-unknown``, ``part-options`` …
    ServiceError
        ``consent-missing`` where it sends what ``--send`` has not allowed.
    ReasonerError
        ``reasoner-not-ready``.
    """
    from ..registry import check_consent, make_reasoner, reasoner_factory

    name, made_of = parse_reasoner(text, options)
    _check_options(name, reasoner_factory(name), made_of)
    reasoner = make_reasoner(name, **made_of)
    check_consent("reasoner", name, reasoner.info, allowed)
    readiness = reasoner.readiness()
    if not readiness.ready:
        raise ReasonerError(
            f"The reasoner '{name}' is not ready: {readiness.what_to_do}".rstrip(": "), code="reasoner-not-ready"
        )
    return reasoner


def _check_options(name: str, factory: Callable[..., Any], options: Mapping[str, str]) -> None:
    """Refuse options that a reasoner doesn't take, before Python does in its own words."""
    import inspect

    parameters = inspect.signature(factory).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    unknown = sorted(options.keys() - {parameter.name for parameter in parameters})
    if unknown:
        raise UsageError(
            f"The reasoner '{name}' can't be made with these settings: there is no option {', '.join(unknown)}.",
            code="part-options",
        )
