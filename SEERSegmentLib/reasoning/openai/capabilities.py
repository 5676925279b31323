"""What a server has: its models, its kind, whether it can hold a reply to a form; and the memory of it.

It is asked once (:mod:`.discovery`), and remembered in this process by address, model, and whether there is a key.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..forms import Form
from . import faults
from .payload import Manner

__all__ = [
    "DIALECTS",
    "PROBE",
    "Known",
    "Listed",
    "Memory",
    "choose",
    "kind_of",
    "listed_models",
]

_LONGEST_NAME = 200

#: The notation of a form → the fields that a server of some kind takes it in.
DIALECTS: Mapping[str, Callable[[Form], dict[str, Any]]] = {
    "vLLM": lambda form: {"structured_outputs": {"regex": form.regex}},
    "SGLang": lambda form: {"regex": form.regex},
    "llama.cpp": lambda form: {"grammar": form.gbnf},
    "vLLM before 0.12": lambda form: {"guided_regex": form.regex},
}

#: Who owns the models in a server's list → its kind, and the dialects that it may have.
_KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "vllm": ("vLLM", ("vLLM", "vLLM before 0.12")),
    "sglang": ("SGLang", ("SGLang",)),
    "llamacpp": ("llama.cpp", ("llama.cpp",)),
    "library": ("Ollama", ()),
}

#: A form that no model would write of itself: whether a server holds to it shows in what comes back.
PROBE = Form(regex="Q7-[0-9]{3}-XK", gbnf='root ::= "Q7-" [0-9] [0-9] [0-9] "-XK"\n', skeleton=())

#: On transformers serve a model may be a folder of the server's, which its list doesn't have.
_FOLDER = re.compile(r"[/~.]|[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class Listed:
    """A model in a server's list; an adapter (LoRA) has a ``parent``."""

    name: str
    owner: str = ""
    parent: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of a server for one model.

    Attributes
    ----------
    model : Listed
    kind : str
        ``"vLLM"`` … or empty.
    manner : Manner
        How it wants to be asked.
    dialect : str or None
        In which it holds a reply to a form; empty where it can't; None where it was not asked yet.
    """

    model: Listed
    kind: str
    manner: Manner = field(default_factory=Manner)
    dialect: str | None = None

    @property
    def sent_name(self) -> str:
        """The model's name in a request. SGLang names an adapter together with its base, else it takes the base."""
        joined = self.kind == "SGLang" and self.model.parent
        return f"{self.model.parent}:{self.model.name}" if joined else self.model.name

    @property
    def dialects(self) -> tuple[str, ...]:
        """Those that a server of this kind may have."""
        return next((dialects for kind, dialects in _KINDS.values() if kind == self.kind), tuple(DIALECTS))

    def holding(self, form: Form | None) -> dict[str, Any]:
        """The fields that hold a reply to a form; none where there is none, or the server can't."""
        return DIALECTS[self.dialect](form) if form is not None and self.dialect else {}


class Memory:
    """What is known of servers, by address, model, and whether there is a key; for all threads of a process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, bool], Known] = {}
        self._changing = threading.Lock()

    def get(self, which: tuple[str, str, bool]) -> Known | None:
        with self._changing:
            return self._known.get(which)

    def put(self, which: tuple[str, str, bool], known: Known) -> None:
        with self._changing:
            self._known[which] = known

    def learn(self, which: tuple[str, str, bool], before: Manner, after: Manner) -> None:
        """Ask in another manner from now on, unless another thread has learned something meanwhile."""
        with self._changing:
            known = self._known.get(which)
            if known is not None and known.manner == before:
                self._known[which] = replace(known, manner=after)

    def forget(self, which: tuple[str, str, bool]) -> None:
        with self._changing:
            self._known.pop(which, None)


def listed_models(answer: Mapping[str, Any], place: str) -> tuple[Listed, ...]:
    """The models in the answer to ``/models``. Raises ServiceError ``server-unexpected`` where it is no such list."""
    rows = answer.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise faults.unexpected(place, "no list of models")
    return tuple(Listed(_name(row["id"]), _name(row.get("owned_by")), _name(row.get("parent"))) for row in rows)


def kind_of(models: Sequence[Listed]) -> str:
    """The kind of server by who owns its models; empty where that tells nothing."""
    kinds = {_KINDS[model.owner][0] for model in models if model.owner in _KINDS}
    return kinds.pop() if len(kinds) == 1 else ""


def choose(models: Sequence[Listed], wanted: str, place: str) -> Listed:
    """The model to ask.

    Parameters
    ----------
    models : sequence of Listed
        Empty where the server doesn't say.
    wanted : str
        As the user named it. Without a name: the only adapter, else the first model that is none.
    place : str

    Raises
    ------
    ServiceError
        ``server-model-missing``, ``server-model-unknown``.
    """
    if not models:
        if not wanted:
            raise faults.no_model(place)
        return Listed(wanted)
    adapters = [model for model in models if model.parent]
    if not wanted:
        bases = [model for model in models if not model.parent]
        return adapters[0] if len(adapters) == 1 else (bases or adapters)[0]
    for model in models:
        # Ollama's names have a tag, which may be left out; SGLang's adapters may be named with their base
        if wanted in (model.name, model.name.removesuffix(":latest"), f"{model.parent}:{model.name}"):
            return model
    if _FOLDER.match(wanted):
        return Listed(wanted)
    raise faults.model_unknown(place, wanted[:_LONGEST_NAME], [model.name for model in models])


def _name(value: Any) -> str:
    """A name from a server as one line of bounded length."""
    return "".join(c for c in value if c.isprintable())[:_LONGEST_NAME] if isinstance(value, str) else ""
